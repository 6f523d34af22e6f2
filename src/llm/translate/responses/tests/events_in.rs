use serde_json::{Value, json};

use super::super::super::Unreadable;
use super::super::super::answer::*;
use super::super::EventReader;

fn try_read(events: &[Value]) -> Result<Vec<Event>, Unreadable> {
    let (mut reader, mut out) = (EventReader::default(), Vec::new());
    for event in events {
        reader.read(event.to_string().as_bytes(), &mut out)?;
    }
    reader.read(b"[DONE]", &mut out)?;
    reader.finish(&mut out);
    Ok(out)
}

/// What comes between the start and the end.
#[track_caller]
fn check(events: &[Value], expected: &[Event]) {
    let mut all = vec![created()];
    all.extend_from_slice(events);
    all.push(json!({ "type": "response.completed", "response": { "id": "resp_1",
        "status": "completed", "output": [], "usage": { "input_tokens": 2, "output_tokens": 3 } } }));
    let read = try_read(&all).unwrap();
    let [start, between @ .., stop, usage, end] = read.as_slice() else { panic!("{read:?}") };
    assert_eq!(*start, begun());
    assert_eq!(between, expected);
    let called = expected.iter().any(|event| matches!(event, Event::ToolStart { .. }));
    assert_eq!(*stop, Event::Stop(if called { Stop::ToolUse } else { Stop::EndTurn }));
    assert_eq!(*usage, Event::Usage(Spent { told: true, input: 2, output: 3, ..Spent::default() }));
    assert_eq!(*end, Event::End);
}

fn created() -> Value {
    json!({ "type": "response.created", "sequence_number": 0, "response": {
        "id": "resp_1", "model": "gpt", "status": "in_progress", "output": [], "usage": null } })
}

fn begun() -> Event {
    let (id, model) = (Some("resp_1".to_owned()), Some("gpt".to_owned()));
    Event::Start { id, model, usage: Spent::default() }
}

fn item(what: &str, index: u64, item: Value) -> Value {
    json!({ "type": format!("response.output_item.{what}"), "output_index": index, "item": item })
}

fn function(call_id: &str, arguments: &str) -> Value {
    json!({ "type": "function_call", "id": "fc", "call_id": call_id, "name": "f",
            "arguments": arguments })
}

fn delta(what: &str, index: u64, delta: &str) -> Value {
    json!({ "type": format!("response.{what}.delta"), "output_index": index, "item_id": "x",
            "content_index": 0, "summary_index": 0, "delta": delta })
}

fn text(text: &str) -> Event {
    Event::Text(text.to_owned())
}

fn thinking(text: &str) -> Event {
    Event::Thinking(text.to_owned())
}

fn start(slot: u32, id: &str) -> Event {
    Event::ToolStart { slot, id: id.to_owned(), name: "f".to_owned() }
}

fn arguments(slot: u32, more: &str) -> Event {
    Event::ToolArguments { slot, more: more.to_owned() }
}

#[test]
fn text_comes_as_it_comes() {
    let message = |content: Value| json!({ "type": "message", "id": "m", "content": content });
    let events = [
        json!({ "type": "response.in_progress", "response": { "id": "resp_1" } }),
        item("added", 0, message(json!([]))),
        json!({ "type": "response.content_part.added", "output_index": 0, "content_index": 0,
                "part": { "type": "output_text", "text": "" } }),
        delta("output_text", 0, "Hé"),
        delta("output_text", 0, "llo"),
        json!({ "type": "response.output_text.done", "output_index": 0, "content_index": 0,
                "text": "Héllo" }),
        item("done", 0, message(json!([{ "type": "output_text", "text": "Héllo" }]))),
    ];
    check(&events, &[text("Hé"), text("llo")]);
}

#[test]
fn what_has_no_deltas_is_told_whole() {
    let events = [
        item("added", 0, json!({ "type": "message", "content": [] })),
        json!({ "type": "response.output_text.done", "output_index": 0, "content_index": 0,
                "text": "all" }),
        item(
            "done",
            1,
            json!({ "type": "message", "content": [
            { "type": "output_text", "text": "more" }, { "type": "refusal", "refusal": "no" } ] }),
        ),
        item("done", 2, function("c1", "{}")),
    ];
    let end = Event::ToolEnd { slot: 0 };
    let refusal = Event::Refusal("no".to_owned());
    check(&events, &[text("all"), text("more"), refusal, start(0, "c1"), arguments(0, "{}"), end]);
}

#[test]
fn an_answer_may_come_with_the_last_event_alone() {
    let all = json!({ "type": "response.completed", "response": { "status": "completed", "output": [
        { "type": "message", "content": [{ "type": "output_text", "text": "all" }] } ] } });
    let start = Event::Start { id: None, model: None, usage: Spent::default() };
    let stop = Event::Stop(Stop::EndTurn);
    let usage = Event::Usage(Spent::default());
    assert_eq!(try_read(&[all]).unwrap(), [start, text("all"), stop, usage, Event::End]);
}

#[test]
fn thoughts_are_heard_once() {
    let events = [
        item("added", 0, json!({ "type": "reasoning", "id": "rs", "summary": [] })),
        delta("reasoning_summary_text", 0, "one"),
        json!({ "type": "response.reasoning_summary_text.delta", "output_index": 0,
                "summary_index": 1, "delta": "two" }),
        delta("reasoning_text", 0, "the reasoning itself"),
        item(
            "done",
            0,
            json!({ "type": "reasoning", "encrypted_content": "x", "summary": [
            { "type": "summary_text", "text": "one" }, { "type": "summary_text", "text": "two" } ],
            "content": [{ "type": "reasoning_text", "text": "the reasoning itself" }] }),
        ),
        delta("reasoning_text", 1, "raw"),
    ];
    check(&events, &[thinking("one"), thinking("\n\ntwo"), thinking("raw")]);
}

#[test]
fn calls_may_interleave() {
    let events = [
        item("added", 0, function("c1", "")),
        item("added", 1, function("c2", "")),
        delta("function_call_arguments", 1, "{\"b\""),
        delta("function_call_arguments", 0, "{\"a\""),
        delta("function_call_arguments", 0, ":1}"),
        json!({ "type": "response.function_call_arguments.done", "output_index": 1,
                "arguments": "{\"b\":2}" }),
        item("done", 0, function("c1", "{\"a\":1}")),
        item("done", 1, function("c2", "{\"b\":2}")),
    ];
    let expected = [
        start(0, "c1"),
        start(1, "c2"),
        arguments(1, "{\"b\""),
        arguments(0, "{\"a\""),
        arguments(0, ":1}"),
        arguments(1, ":2}"),
        Event::ToolEnd { slot: 0 },
        Event::ToolEnd { slot: 1 },
    ];
    check(&events, &expected);
}

#[test]
fn a_call_waits_for_its_name_and_id() {
    let late = json!({ "type": "function_call", "name": "f", "arguments": "{\"a\":1}" });
    let events = [
        delta("function_call_arguments", 0, "{\"a\""),
        item("added", 0, json!({ "type": "function_call", "name": "f", "arguments": "" })),
        delta("function_call_arguments", 0, ":1}"),
        item("done", 0, late),
    ];
    let end = Event::ToolEnd { slot: 0 };
    check(&events, &[start(0, "call_0"), arguments(0, "{\"a\":1}"), end]);
    let nameless = item("done", 0, json!({ "type": "function_call", "call_id": "c" }));
    assert!(try_read(&[created(), nameless]).is_err());
}

#[test]
fn the_input_of_a_custom_tool_is_what_it_is_called_with() {
    let call = |input: &str| {
        json!({ "type": "custom_tool_call", "call_id": "c1", "name": "f",
                                     "input": input })
    };
    let events = [
        item("added", 0, call("")),
        delta("custom_tool_call_input", 0, "***"),
        item("done", 0, call("*** x")),
    ];
    let end = Event::ToolEnd { slot: 0 };
    check(&events, &[start(0, "c1"), arguments(0, "***"), arguments(0, " x"), end]);
}

#[test]
fn what_nobody_knows_is_passed_over() {
    let events = [
        json!({ "type": "response.web_search_call.searching", "output_index": 0 }),
        json!({ "type": "response.brand_new.delta", "delta": { "x": 1 } }),
        item("added", 3, json!({ "type": "code_interpreter_call", "content": 5 })),
        delta("output_text", 4, "t"),
        json!({ "type": "response.output_text.annotation.added", "output_index": 4 }),
    ];
    check(&events, &[text("t")]);
    let alive = try_read(&[created(), json!({ "type": "keepalive", "sequence_number": 3 })]);
    assert_eq!(alive.unwrap(), [begun(), Event::Ping]);
}

#[test]
fn an_answer_that_is_cut_short_says_why() {
    let end = |reason: &str| {
        let event = json!({ "type": "response.incomplete", "response": {
            "status": "incomplete", "incomplete_details": { "reason": reason } } });
        try_read(&[created(), event]).unwrap().remove(1)
    };
    assert_eq!(end("max_output_tokens"), Event::Stop(Stop::MaxTokens));
    assert_eq!(end("content_filter"), Event::Stop(Stop::Refusal));
}

#[test]
fn errors_are_told_in_all_their_forms() {
    let error = json!({ "code": "server_is_overloaded", "message": "busy" });
    let failed = Event::Failed(Failed {
        kind: Some("server_is_overloaded".to_owned()),
        message: "busy".to_owned(),
    });
    let mut flat = error.clone();
    flat["type"] = json!("error");
    let response = json!({ "status": "failed", "error": error });
    let forms = [
        json!({ "type": "response.failed", "response": response }),
        flat,
        json!({ "type": "error", "error": error }),
        json!({ "error": error }),
    ];
    for form in forms {
        let read = try_read(&[created(), form.clone(), delta("output_text", 0, "late")]).unwrap();
        assert_eq!(read, [begun(), failed.clone()], "{form}");
    }
}

#[test]
fn a_cut_is_no_end() {
    let read = try_read(&[created(), delta("output_text", 0, "t")]).unwrap();
    assert_eq!(read, [begun(), text("t")]);
}

#[test]
fn what_is_no_event_is_not_read() {
    for data in
        ["<html>", "", "5", r#"{"type":5}"#, r#"{"type":"response.output_text.delta","delta":5}"#]
    {
        let read = EventReader::default().read(data.as_bytes(), &mut Vec::new());
        assert!(read.is_err(), "{data}");
    }
}
