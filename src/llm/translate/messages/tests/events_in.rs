use serde_json::json;

use super::*;
use crate::llm::translate::Unreadable;
use crate::llm::translate::answer::{Event, Failed, Spent, Stop};
use crate::llm::translate::conversation::Thought;
use crate::llm::translate::messages::EventReader;

fn read_all(data: &[Value]) -> Result<Vec<Event>, Unreadable> {
    let (mut reader, mut events) = (EventReader::default(), Vec::new());
    for data in data {
        reader.read(data.to_string().as_bytes(), &mut events)?;
    }
    reader.finish(&mut events);
    Ok(events)
}

/// The events between the start and the end of a message.
fn check(data: &[Value], expected: &[Event]) {
    let all = [&[start()], data].concat();
    let events = read_all(&all).unwrap();
    assert_eq!(events[1..], *expected);
}

fn check_unreadable(data: &[Value], expected: &str) {
    assert_eq!(read_all(data).unwrap_err(), Unreadable(expected.to_owned()));
}

fn start() -> Value {
    json!({ "type": "message_start", "message": { "id": "msg_1", "type": "message",
        "role": "assistant", "content": [], "model": "claude", "stop_reason": null,
        "usage": { "input_tokens": 9, "cache_read_input_tokens": 100, "output_tokens": 1 } } })
}

fn begin(index: u64, block: Value) -> Value {
    json!({ "type": "content_block_start", "index": index, "content_block": block })
}

fn delta(index: u64, delta: Value) -> Value {
    json!({ "type": "content_block_delta", "index": index, "delta": delta })
}

fn text_delta(index: u64, text: &str) -> Value {
    delta(index, json!({ "type": "text_delta", "text": text }))
}

fn json_delta(index: u64, text: &str) -> Value {
    delta(index, json!({ "type": "input_json_delta", "partial_json": text }))
}

fn stop(index: u64) -> Value {
    json!({ "type": "content_block_stop", "index": index })
}

fn ending(reason: &str) -> Value {
    json!({ "type": "message_delta", "delta": { "stop_reason": reason, "stop_sequence": null },
        "usage": { "output_tokens": 7 } })
}

fn end() -> Value {
    json!({ "type": "message_stop" })
}

fn spent() -> Spent {
    Spent { told: true, input: 9, cache_read: 100, output: 7, ..Spent::default() }
}

fn text(text: &str) -> Event {
    Event::Text(text.to_owned())
}

fn arguments(slot: u32, more: &str) -> Event {
    Event::ToolArguments { slot, more: more.to_owned() }
}

fn tool_start(slot: u32, id: &str) -> Event {
    Event::ToolStart { slot, id: id.to_owned(), name: "f".to_owned() }
}

#[test]
fn a_message_is_read() {
    let data = [
        start(),
        begin(0, json!({ "type": "text", "text": "" })),
        json!({ "type": "ping" }),
        text_delta(0, "Hel"),
        json!({ "type": "something_new" }),
        text_delta(0, "lo"),
        stop(0),
        ending("end_turn"),
        end(),
        text_delta(0, "late"),
    ];
    let known = Spent { output: 1, ..spent() };
    let (id, model) = (Some("msg_1".to_owned()), Some("claude".to_owned()));
    assert_eq!(
        read_all(&data).unwrap(),
        [
            Event::Start { id, model, usage: known },
            Event::Ping,
            text("Hel"),
            text("lo"),
            Event::Stop(Stop::EndTurn),
            Event::Usage(spent()),
            Event::End,
        ]
    );
}

#[test]
fn usage_is_told_in_pieces_that_replace() {
    let whole = json!({ "type": "message_delta", "delta": { "stop_reason": "end_turn" },
        "usage": { "input_tokens": 10, "cache_read_input_tokens": 22,
            "cache_creation_input_tokens": 3, "output_tokens": 4 } });
    let spent = Spent {
        told: true,
        input: 10,
        cache_read: 22,
        cache_creation: 3,
        output: 4,
        reasoning: None,
    };
    let events = [Event::Stop(Stop::EndTurn), Event::Usage(spent), Event::End];
    check(&[whole, end()], &events);
}

#[test]
fn thoughts_end_with_their_proof() {
    check(
        &[
            begin(0, json!({ "type": "thinking", "thinking": "", "signature": "" })),
            delta(0, json!({ "type": "thinking_delta", "thinking": "Hm." })),
            delta(0, json!({ "type": "signature_delta", "signature": "s" })),
            delta(0, json!({ "type": "signature_delta", "signature": "ig" })),
            stop(0),
            begin(1, json!({ "type": "redacted_thinking", "data": "x" })),
            stop(1),
        ],
        &[
            Event::Thinking("Hm.".to_owned()),
            Event::Signature("sig".to_owned()),
            Event::Thought(Thought::Redacted("x".to_owned())),
        ],
    );
}

#[test]
fn calls_are_counted_apart_from_blocks() {
    let tool = |id: &str| json!({ "type": "tool_use", "id": id, "name": "f", "input": {} });
    check(
        &[
            begin(0, json!({ "type": "text", "text": "I" })),
            stop(0),
            begin(1, tool("a")),
            json_delta(1, ""),
            json_delta(1, "{\"x\""),
            json_delta(1, ":1}"),
            stop(1),
            begin(2, tool("b")),
            json_delta(2, ""),
            stop(2),
            begin(3, json!({ "type": "tool_use", "name": "f", "input": { "y": 2 } })),
            stop(3),
        ],
        &[
            text("I"),
            tool_start(0, "a"),
            arguments(0, "{\"x\""),
            arguments(0, ":1}"),
            Event::ToolEnd { slot: 0 },
            tool_start(1, "b"),
            arguments(1, "{}"),
            Event::ToolEnd { slot: 1 },
            tool_start(2, "call_2"),
            arguments(2, r#"{"y":2}"#),
            Event::ToolEnd { slot: 2 },
        ],
    );
}

#[test]
fn a_call_that_is_cut_ends_with_the_message() {
    check(
        &[
            begin(0, json!({ "type": "tool_use", "id": "a", "name": "f", "input": {} })),
            json_delta(0, "{\"x"),
            ending("max_tokens"),
            end(),
        ],
        &[
            tool_start(0, "a"),
            arguments(0, "{\"x"),
            Event::ToolEnd { slot: 0 },
            Event::Stop(Stop::MaxTokens),
            Event::Usage(spent()),
            Event::End,
        ],
    );
}

#[test]
fn the_providers_tools_are_not_the_callers() {
    check(
        &[
            begin(0, json!({ "type": "server_tool_use", "id": "s", "name": "n", "input": {} })),
            json_delta(0, "{}"),
            stop(0),
            begin(
                1,
                json!({ "type": "web_search_tool_result", "tool_use_id": "s",
                "content": [{ "type": "web_search_result" }] }),
            ),
            stop(1),
            begin(2, json!({ "type": "compaction", "content": null })),
            delta(2, json!({ "type": "compaction_delta", "content": "x" })),
            stop(2),
            begin(3, json!({ "type": "text", "text": "", "citations": [] })),
            delta(3, json!({ "type": "citations_delta", "citation": {} })),
            text_delta(3, "Found."),
            stop(3),
        ],
        &[text("Found.")],
    );
}

#[test]
fn a_refusal_without_text_says_why() {
    let refused = |explanation: Value| {
        json!({ "type": "message_delta", "delta": { "stop_reason": "refusal",
            "stop_details": { "type": "refusal", "explanation": explanation } } })
    };
    let (stop, usage) = (Event::Stop(Stop::Refusal), Spent { output: 1, ..spent() });
    let no = Event::Refusal("No.".to_owned());
    let told = [no, stop.clone(), Event::Usage(usage), Event::End];
    check(&[refused(json!("No.")), end()], &told);
    check(&[refused(json!(null)), end()], &[stop, Event::Usage(usage), Event::End]);
}

#[test]
fn an_error_ends_it() {
    let busy =
        json!({ "type": "error", "error": { "type": "overloaded_error", "message": "Busy" } });
    let failed = Failed { kind: Some("overloaded_error".to_owned()), message: "Busy".to_owned() };
    check(&[busy.clone(), end()], &[Event::Failed(failed.clone())]);
    assert_eq!(read_all(&[busy]).unwrap(), [Event::Failed(failed)]);
}

#[test]
fn an_early_end_is_none() {
    check(&[begin(0, json!({ "type": "text", "text": "Hi" })), stop(0)], &[text("Hi")]);
    check(&[ending("end_turn")], &[]);
}

#[test]
fn a_stream_may_lack_its_beginning_but_not_all() {
    let events = read_all(&[text_delta(0, "Hi"), end()]).unwrap();
    let start = Event::Start { id: None, model: None, usage: Spent::default() };
    assert_eq!(events, [start, text("Hi"), Event::Stop(Stop::EndTurn), Event::End]);
    let lacks = "an event of messages lacks `message_start`";
    check_unreadable(&[end()], lacks);
}

#[test]
fn a_second_beginning_is_an_echo_or_another_message() {
    check(&[start(), text_delta(0, "Hi")], &[text("Hi")]);
    let mixed = [start(), begin(0, json!({ "type": "text", "text": "" })), start()];
    check_unreadable(&mixed, "a second message begins within the first");
}

#[test]
fn calls_may_overlap_but_not_without_end() {
    let tool = |index: u64, id: &str| {
        begin(index, json!({ "type": "tool_use", "id": id, "name": "f", "input": {} }))
    };
    check(
        &[tool(0, "a"), tool(1, "a"), json_delta(0, "{}"), stop(0), stop(1)],
        &[
            tool_start(0, "a"),
            tool_start(1, "call_1"),
            arguments(0, "{}"),
            Event::ToolEnd { slot: 0 },
            arguments(1, "{}"),
            Event::ToolEnd { slot: 1 },
        ],
    );
    let many: Vec<Value> = (0..257).map(|index| tool(index, "")).collect();
    check_unreadable(&many, "more than 256 blocks are open at once");
}

#[test]
fn what_is_no_event_is_unreadable() {
    let check = |data: &[u8]| {
        let read = EventReader::default().read(data, &mut Vec::new());
        assert!(read.is_err(), "{}", String::from_utf8_lossy(data));
    };
    check(b"{invalid");
    check(b"[]");
    check(b"3");
    check(b"<html>");
    check(b"{\"type\":\"content_block_start\",\"index\":\"x\"}");
    check(b"{\"type\":\"content_block_delta\",\"index\":0}");
    let lone = [start(), json_delta(4, "{}")];
    check_unreadable(&lone, "an event of messages lacks `content_block_start of a tool`");
}
