use serde_json::{Value, json};

use super::super::super::Asked;
use super::super::super::answer::*;
use super::super::super::conversation::Thought;
use super::super::{EventReader, EventWriter, write_answer};
use super::{json, occasion};

fn written(asked: Asked, events: Vec<Event>) -> String {
    let (mut writer, mut out) = (EventWriter::new(asked, occasion()), Vec::new());
    events.into_iter().for_each(|event| writer.write(event, &mut out));
    String::from_utf8(out).unwrap()
}

/// The data of each event, which must be named and numbered right.
fn data(stream: &str) -> Vec<Value> {
    let event = |(number, text): (usize, &str)| {
        let (name, data) = text.strip_prefix("event: ").unwrap().split_once("\ndata: ").unwrap();
        let data = json(data.as_bytes());
        assert_eq!((&data["type"], &data["sequence_number"]), (&json!(name), &json!(number)));
        data
    };
    stream.split_terminator("\n\n").enumerate().map(event).collect()
}

/// A stream between its first event and its last; these are looked after here.
fn between(asked: Asked, events: Vec<Event>) -> (Vec<Value>, Value) {
    let mut all = vec![start()];
    all.extend(events);
    all.push(Event::End);
    let mut data = data(&written(asked, all));
    let last = data.pop().unwrap();
    let first: Vec<_> = data.drain(..2).map(|event| event["type"].clone()).collect();
    assert_eq!(first, ["response.created", "response.in_progress"]);
    (data, last)
}

fn start() -> Event {
    let (id, model) = (Some("msg_1".to_owned()), Some("claude".to_owned()));
    Event::Start { id, model, usage: Spent::default() }
}

fn text(text: &str) -> Event {
    Event::Text(text.to_owned())
}

fn tool(slot: u32, name: &str) -> Event {
    Event::ToolStart { slot, id: format!("c{slot}"), name: name.to_owned() }
}

fn arguments(slot: u32, more: &str) -> Event {
    Event::ToolArguments { slot, more: more.to_owned() }
}

/// The types and places of events, in short.
fn order(events: &[Value]) -> Vec<String> {
    let one = |event: &Value| {
        let name = event["type"].as_str().unwrap().strip_prefix("response.").unwrap();
        let more = ["delta", "text", "arguments", "input", "refusal"];
        let more = more.iter().find_map(|name| event[name].as_str()).unwrap_or_default();
        format!("{} {name} {more}", event["output_index"]).trim_end().to_owned()
    };
    events.iter().map(one).collect()
}

#[test]
fn a_message_is_told_event_by_event() {
    let said = vec![text("a"), text(""), text("b")];
    let (events, last) = between(Asked::default(), said);
    let place = |event: &Value| {
        assert_eq!(event["item_id"], "msg_abc_0");
        assert_eq!((&event["output_index"], &event["content_index"]), (&json!(0), &json!(0)));
    };
    let expected = [
        "0 output_item.added",
        "0 content_part.added",
        "0 output_text.delta a",
        "0 output_text.delta b",
        "0 output_text.done ab",
        "0 content_part.done",
        "0 output_item.done",
    ];
    assert_eq!(order(&events), expected);
    events[1..6].iter().for_each(place);
    let part = |text: &str| {
        json!({ "type": "output_text", "annotations": [], "logprobs": [],
                                    "text": text })
    };
    assert_eq!((&events[1]["part"], &events[5]["part"]), (&part(""), &part("ab")));
    let item = |status: &str, content: Value| {
        json!({ "id": "msg_abc_0", "type": "message",
        "status": status, "role": "assistant", "content": content })
    };
    assert_eq!(events[0]["item"], item("in_progress", json!([])));
    assert_eq!(events[6]["item"], item("completed", json!([part("ab")])));
    assert_eq!(last["type"], "response.completed");
    assert_eq!(last["response"]["output"], json!([events[6]["item"]]));
    assert_eq!(last["response"]["id"], "resp_msg_1");
}

#[test]
fn everything_has_its_item() {
    let (events, last) = between(
        Asked::default(),
        vec![
            Event::Thinking("h".to_owned()),
            Event::Thinking("m".to_owned()),
            Event::Signature("sig".to_owned()),
            Event::Thought(Thought::Redacted("data".to_owned())),
            text("a"),
            Event::Refusal("no".to_owned()),
            tool(0, "f"),
            arguments(0, "{}"),
            Event::ToolEnd { slot: 0 },
            text("b"),
            Event::Usage(Spent { told: true, input: 1, output: 2, ..Spent::default() }),
        ],
    );
    let expected = [
        "0 output_item.added",
        "0 reasoning_summary_part.added",
        "0 reasoning_summary_text.delta h",
        "0 reasoning_summary_text.delta m",
        "0 reasoning_summary_text.done hm",
        "0 reasoning_summary_part.done",
        "0 output_item.done",
        "1 output_item.added",
        "1 output_item.done",
        "2 output_item.added",
        "2 content_part.added",
        "2 output_text.delta a",
        "2 output_text.done a",
        "2 content_part.done",
        "2 content_part.added",
        "2 refusal.delta no",
        "2 refusal.done no",
        "2 content_part.done",
        "2 output_item.done",
        "3 output_item.added",
        "3 function_call_arguments.delta {}",
        "3 function_call_arguments.done {}",
        "3 output_item.done",
        "4 output_item.added",
        "4 content_part.added",
        "4 output_text.delta b",
        "4 output_text.done b",
        "4 content_part.done",
        "4 output_item.done",
    ];
    assert_eq!(order(&events), expected);
    let proof = |index: usize| events[index]["item"]["encrypted_content"].as_str().unwrap();
    assert!(proof(6).starts_with("pillion:signed:") && proof(6).ends_with(":sig"));
    assert_eq!(proof(8), "pillion:redacted:data");
    assert_eq!((&events[14]["content_index"], &events[3]["summary_index"]), (&json!(1), &json!(0)));
    assert_eq!(last["response"]["output"].as_array().unwrap().len(), 5);
    assert_eq!(last["response"]["usage"]["total_tokens"], 3);
}

#[test]
fn calls_may_be_open_at_once() {
    let (events, last) = between(
        Asked::default(),
        vec![
            tool(0, "f"),
            tool(1, "g"),
            arguments(1, "{\"b\":"),
            arguments(0, "{\"a\":1}"),
            text("meanwhile"),
            arguments(1, "2}"),
            Event::ToolEnd { slot: 1 },
            tool(2, "empty"),
        ],
    );
    let expected = [
        "0 output_item.added",
        "1 output_item.added",
        "1 function_call_arguments.delta {\"b\":",
        "0 function_call_arguments.delta {\"a\":1}",
        "2 output_item.added",
        "2 content_part.added",
        "2 output_text.delta meanwhile",
        "1 function_call_arguments.delta 2}",
        "2 output_text.done meanwhile",
        "2 content_part.done",
        "2 output_item.done",
        "1 function_call_arguments.done {\"b\":2}",
        "1 output_item.done",
        "3 output_item.added",
        "0 function_call_arguments.done {\"a\":1}",
        "0 output_item.done",
        "3 function_call_arguments.delta {}",
        "3 function_call_arguments.done {}",
        "3 output_item.done",
    ];
    assert_eq!(order(&events), expected);
    let added = json!({ "id": "fc_abc_0", "type": "function_call", "status": "in_progress",
                        "call_id": "c0", "name": "f", "arguments": "" });
    assert_eq!(events[0]["item"], added);
    let output = &last["response"]["output"];
    assert_eq!(output[1]["arguments"], "{\"b\":2}");
    assert!(output.as_array().unwrap().iter().all(|item| item["status"] == "completed"));
}

#[test]
fn custom_tools_and_namespaces_have_their_forms() {
    let asked = super::asked(&json!({ "model": "m", "input": "x", "tools": [
        { "type": "custom", "name": "patch" },
        { "type": "namespace", "name": "mcp__a", "tools": [{ "type": "function", "name": "b" }] },
    ] }));
    let (events, last) = between(
        asked,
        vec![
            tool(0, "patch"),
            arguments(0, "{\"input\": \"*** B"),
            arguments(0, "egin\\nx\"}"),
            Event::ToolEnd { slot: 0 },
            tool(1, "mcp__a__b"),
        ],
    );
    let expected = [
        "0 output_item.added",
        "0 custom_tool_call_input.delta *** B",
        "0 custom_tool_call_input.delta egin\nx",
        "0 custom_tool_call_input.done *** Begin\nx",
        "0 output_item.done",
    ];
    assert_eq!(order(&events[..5]), expected);
    assert_eq!(events[4]["item"]["type"], "custom_tool_call");
    assert_eq!(events[4]["item"]["input"], "*** Begin\nx");
    let item = &last["response"]["output"][1];
    assert_eq!((&item["namespace"], &item["name"]), (&json!("mcp__a"), &json!("b")));
}

#[test]
fn the_end_is_the_end() {
    let stream = written(
        Asked::default(),
        vec![
            start(),
            text("cut"),
            Event::Stop(Stop::MaxTokens),
            Event::End,
            text("late"),
            Event::End,
            Event::Ping,
        ],
    );
    let events = data(&stream);
    let last = events.last().unwrap();
    assert_eq!(last["type"], "response.incomplete");
    assert_eq!(last["response"]["incomplete_details"], json!({ "reason": "max_output_tokens" }));
    assert_eq!(last["response"]["output"][0]["status"], "incomplete");
    assert_eq!(events.iter().filter(|event| event["response"].is_object()).count(), 3);
}

#[test]
fn a_failure_is_the_last_event() {
    let failed = |kind: Option<&str>| {
        let kind = kind.map(str::to_owned);
        Event::Failed(Failed { kind, message: "busy".to_owned() })
    };
    let stream = written(
        Asked::default(),
        vec![start(), text("par"), failed(Some("overloaded_error")), text("late")],
    );
    let events = data(&stream);
    let last = events.last().unwrap();
    assert_eq!(last["type"], "response.failed");
    let error = json!({ "code": "server_is_overloaded", "message": "busy" });
    assert_eq!(
        (&last["response"]["status"], &last["response"]["error"]),
        (&json!("failed"), &error)
    );
    assert_eq!(last["response"]["output"][0]["status"], "incomplete");
    let early = data(&written(Asked::default(), vec![failed(None)]));
    assert_eq!(early.len(), 3, "whoever fails has begun");
    assert_eq!(early[2]["response"]["error"]["code"], "server_error");
    assert_eq!(early[2]["response"]["usage"], Value::Null);
}

#[test]
fn a_sign_of_life_is_a_comment() {
    assert_eq!(written(Asked::default(), vec![Event::Ping]), ": ping\n\n");
}

/// What a stream ends with is what a whole answer is.
#[test]
fn a_stream_says_what_an_answer_says() {
    let asked = || super::asked(&json!({ "model": "m", "input": "x", "instructions": "i" }));
    let usage = Spent { told: true, input: 5, cache_read: 1, output: 7, ..Spent::default() };
    let (text_part, signature) = ("t".to_owned(), "s".to_owned());
    let events = vec![
        Event::Thinking("t".to_owned()),
        Event::Signature("s".to_owned()),
        text("a"),
        Event::Usage(usage),
    ];
    let answer = Answer {
        id: Some("msg_1".to_owned()),
        model: Some("claude".to_owned()),
        parts: vec![
            AnswerPart::Thinking(Thought::Signed { text: text_part, signature }),
            AnswerPart::Text("a".to_owned()),
        ],
        usage,
        ..Answer::default()
    };
    let whole = json(&write_answer(&answer, &asked(), &occasion()));
    assert_eq!(between(asked(), events).1["response"]["output"], whole["output"]);
}

/// What is written is read again, whatever the events were.
#[test]
fn our_own_streams_are_read() {
    let events = vec![
        start(),
        Event::Thinking("t".to_owned()),
        text("a"),
        tool(0, "f"),
        arguments(0, "{\"a\""),
        arguments(0, ":1}"),
        Event::ToolEnd { slot: 0 },
        Event::Stop(Stop::ToolUse),
        Event::Usage(Spent { told: true, reasoning: Some(0), ..Spent::default() }),
        Event::End,
    ];
    let (mut reader, mut back) = (EventReader::default(), Vec::new());
    for event in data(&written(Asked::default(), events.clone())) {
        reader.read(event.to_string().as_bytes(), &mut back).unwrap();
    }
    let id = Some("resp_msg_1".to_owned());
    let first = Event::Start { id, model: Some("claude".to_owned()), usage: Spent::default() };
    assert_eq!(back[0], first);
    assert_eq!(back[1..], events[1..]);
}
