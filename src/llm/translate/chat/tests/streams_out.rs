//! Streams, written.

use serde_json::{Value, json};

use super::super::super::Asked;
use super::super::super::answer::{Event, Failed, Spent, Stop};
use super::super::super::conversation::Thought;
use super::super::EventWriter;
use super::{asked, occasion};

/// The data of what is written, the last one as it stands.
fn written(asked: Asked, events: Vec<Event>) -> Vec<Value> {
    let mut writer = EventWriter::new(asked, occasion());
    let mut out = Vec::new();
    for event in events {
        writer.write(event, &mut out);
    }
    let text = String::from_utf8(out).expect("text");
    let blocks = text.split_terminator("\n\n").filter(|block| !block.starts_with(':'));
    let data = blocks.map(|block| block.strip_prefix("data: ").expect("data only"));
    data.map(|data| serde_json::from_str(data).unwrap_or_else(|_| json!(data))).collect()
}

/// The deltas between the first chunk and the one with the reason.
fn check(asked: Asked, events: Vec<Event>, expected: &[Value], reason: &str) {
    let mut all = vec![begin()];
    all.extend(events);
    all.push(Event::End);
    let data = written(asked, all);
    let [first, deltas @ .., last, done] = &data[..] else {
        panic!("{data:?}");
    };
    assert_eq!(first["choices"][0]["delta"], json!({ "role": "assistant", "content": "" }));
    let deltas: Vec<_> = deltas.iter().map(|chunk| chunk["choices"][0]["delta"].clone()).collect();
    assert_eq!(deltas, expected);
    assert_eq!((&last["choices"][0]["finish_reason"], done), (&json!(reason), &json!("[DONE]")));
}

fn begin() -> Event {
    let usage = Spent { told: true, input: 9, ..Spent::default() };
    Event::Start { id: Some("msg_1".to_owned()), model: Some("claude".to_owned()), usage }
}

fn start(slot: u32, name: &str) -> Event {
    Event::ToolStart { slot, id: format!("id{slot}"), name: name.to_owned() }
}

fn more(slot: u32, more: &str) -> Event {
    Event::ToolArguments { slot, more: more.to_owned() }
}

fn call(call: Value) -> Value {
    json!({ "tool_calls": [call] })
}

#[test]
fn chunks_are_what_the_sdk_reads() {
    let text = Event::Text("a".to_owned());
    let data = written(asked(), vec![begin(), text, Event::Stop(Stop::EndTurn), Event::End]);
    let chunk = |delta: Value, reason: Value| {
        let choice =
            json!({ "index": 0, "delta": delta, "logprobs": null, "finish_reason": reason });
        json!({
            "id": "chatcmpl-msg_1", "object": "chat.completion.chunk", "created": 7,
            "model": "claude", "choices": [choice],
        })
    };
    let expected = [
        chunk(json!({ "role": "assistant", "content": "" }), Value::Null),
        chunk(json!({ "content": "a" }), Value::Null),
        chunk(json!({}), json!("stop")),
        json!("[DONE]"),
    ];
    assert_eq!(data, expected);
}

#[test]
fn thoughts_refusals_and_signs_of_life() {
    let events = vec![
        Event::Ping,
        Event::Thinking("t".to_owned()),
        Event::Signature("secret".to_owned()),
        Event::Thought(Thought::Redacted("secret".to_owned())),
        Event::Refusal("no".to_owned()),
        Event::Stop(Stop::Refusal),
    ];
    let expected = [json!({ "reasoning_content": "t" }), json!({ "refusal": "no" })];
    check(asked(), events, &expected, "content_filter");
}

#[test]
fn tools_are_counted_from_0_and_arguments_go_on_as_they_come() {
    let events = vec![
        start(3, "f"),
        start(5, "g"),
        more(5, "{\"y\""),
        more(3, "{}"),
        more(5, ":1}"),
        Event::ToolEnd { slot: 3 },
        Event::ToolEnd { slot: 5 },
        Event::Stop(Stop::ToolUse),
    ];
    let begun = |index: u32, id: &str, name: &str| {
        let function = json!({ "name": name, "arguments": "" });
        call(json!({ "index": index, "id": id, "type": "function", "function": function }))
    };
    let piece = |index: u32, arguments: &str| {
        call(json!({ "index": index, "function": { "arguments": arguments } }))
    };
    let expected = [
        begun(0, "id3", "f"),
        begun(1, "id5", "g"),
        piece(1, "{\"y\""),
        piece(0, "{}"),
        piece(1, ":1}"),
    ];
    check(asked(), events, &expected, "tool_calls");
}

#[test]
fn arguments_that_never_came_are_an_empty_object() {
    let empty = call(json!({ "index": 0, "function": { "arguments": "{}" } }));
    for events in [
        vec![start(0, "f"), Event::ToolEnd { slot: 0 }, Event::Stop(Stop::ToolUse)],
        vec![start(0, "f"), more(0, ""), Event::Stop(Stop::ToolUse)],
    ] {
        let mut all = vec![begin()];
        all.extend(events);
        let data = written(asked(), all);
        assert_eq!(data[2]["choices"][0]["delta"], empty);
        assert_eq!(data.len(), 4);
    }
}

#[test]
fn a_custom_tool_gets_its_text_when_it_is_whole() {
    let asked = Asked { custom_tools: vec!["f".to_owned()], ..asked() };
    let events = vec![
        start(0, "f"),
        more(0, "{\"input\":\"fr"),
        more(0, "ee\"}"),
        Event::ToolEnd { slot: 0 },
        Event::Stop(Stop::ToolUse),
    ];
    let custom = json!({ "name": "f", "input": "" });
    let expected = [
        call(json!({ "index": 0, "id": "id0", "type": "custom", "custom": custom })),
        call(json!({ "index": 0, "custom": { "input": "free" } })),
    ];
    check(asked, events, &expected, "tool_calls");
}

#[test]
fn usage_is_the_last_chunk_if_it_is_wanted() {
    let asked = Asked { include_usage: true, ..asked() };
    let usage = Spent {
        told: true,
        input: 9,
        cache_read: 100,
        cache_creation: 1,
        output: 7,
        reasoning: Some(2),
    };
    let events = vec![begin(), Event::Stop(Stop::EndTurn), Event::Usage(usage), Event::End];
    let data = written(asked.clone(), events);
    let [first, last, told, done] = &data[..] else {
        panic!("{data:?}");
    };
    assert_eq!((first.get("usage"), last.get("usage")), (Some(&Value::Null), Some(&Value::Null)));
    let expected = json!({
        "prompt_tokens": 110, "completion_tokens": 7, "total_tokens": 117,
        "prompt_tokens_details": { "cached_tokens": 100, "cache_write_tokens": 1 },
        "completion_tokens_details": { "reasoning_tokens": 2 },
    });
    assert_eq!((&told["usage"], &told["choices"]), (&expected, &json!([])));
    assert_eq!(done, "[DONE]");
    let unknown = Event::Start { id: None, model: None, usage: Spent::default() };
    let data = written(asked, vec![unknown, Event::End]);
    assert_eq!((data.len(), &data[0]["model"]), (3, &json!("asked")));
    assert_eq!(data[0]["id"], "chatcmpl-abc");
}

#[test]
fn nothing_follows_the_last_event() {
    let failed = |kind: Option<&str>| {
        Event::Failed(Failed { kind: kind.map(str::to_owned), message: "busy".to_owned() })
    };
    let late = || vec![Event::Text("late".to_owned()), Event::End, failed(None)];
    let mut events = vec![begin(), failed(Some("overloaded_error"))];
    events.extend(late());
    let data = written(asked(), events);
    let error =
        json!({ "message": "busy", "type": "overloaded_error", "param": null, "code": null });
    assert_eq!(data[1..], [json!({ "error": error })]);
    let mut events = vec![begin(), Event::Stop(Stop::MaxTokens), Event::End];
    events.extend(late());
    assert_eq!(written(asked(), events).len(), 3);
}
