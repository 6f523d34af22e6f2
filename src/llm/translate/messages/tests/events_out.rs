use serde_json::json;

use super::*;
use crate::llm::translate::Asked;
use crate::llm::translate::answer::{Event, Failed, Spent, Stop};
use crate::llm::translate::conversation::Thought;
use crate::llm::translate::messages::EventWriter;

/// What becomes of each event: the data of what is written, short.
fn check(events: &[Event], expected: &[&[&str]]) {
    let mut writer = EventWriter::new(Asked::default(), occasion());
    writer.write(begin(), &mut Vec::new());
    let written = events.iter().map(|event| {
        let mut out = Vec::new();
        writer.write(event.clone(), &mut out);
        data(&out).iter().map(short).collect::<Vec<_>>()
    });
    assert_eq!(written.collect::<Vec<_>>(), expected);
}

/// The data of whole events, whose names are their types.
fn data(out: &[u8]) -> Vec<Value> {
    let text = std::str::from_utf8(out).unwrap();
    assert!(text.is_empty() || text.ends_with("\n\n"), "{text}");
    let one = |event: &str| {
        let (name, data) = event.split_once('\n').unwrap();
        let data: Value = serde_json::from_str(data.strip_prefix("data: ").unwrap()).unwrap();
        assert_eq!(name.strip_prefix("event: "), data["type"].as_str());
        data
    };
    text.split_terminator("\n\n").map(one).collect()
}

fn short(data: &Value) -> String {
    let index = &data["index"];
    match data["type"].as_str().unwrap() {
        "content_block_start" => {
            let block = &data["content_block"];
            format!("{index}:{}", block["type"].as_str().unwrap())
        }
        "content_block_delta" => {
            let delta = data["delta"].as_object().unwrap();
            let (name, more) = delta.iter().next_back().unwrap();
            format!("{index}+{name}={}", more.as_str().unwrap())
        }
        "content_block_stop" => format!("{index}."),
        "message_delta" => format!("={}", data["delta"]["stop_reason"].as_str().unwrap()),
        other => other.to_owned(),
    }
}

fn begin() -> Event {
    Event::Start { id: None, model: None, usage: Spent::default() }
}

fn text(text: &str) -> Event {
    Event::Text(text.to_owned())
}

fn thinking(text: &str) -> Event {
    Event::Thinking(text.to_owned())
}

fn tool(slot: u32) -> Event {
    Event::ToolStart { slot, id: format!("c{slot}"), name: "f".to_owned() }
}

fn arguments(slot: u32, more: &str) -> Event {
    Event::ToolArguments { slot, more: more.to_owned() }
}

const END: &[&str] = &["=end_turn", "message_stop"];

#[test]
fn text_is_one_block_and_handed_on_at_once() {
    check(
        &[text("Hel"), Event::Ping, text(""), text("lo"), Event::End, text("late"), Event::End],
        &[
            &["0:text", "0+text=Hel"],
            &["ping"],
            &[],
            &["0+text=lo"],
            &["0.", "=end_turn", "message_stop"],
            &[],
            &[],
        ],
    );
}

#[test]
fn blocks_follow_each_other() {
    check(
        &[
            thinking("Hm"),
            thinking("."),
            text("So"),
            thinking("Oh"),
            Event::Signature("s".to_owned()),
            Event::Thought(Thought::Redacted("x".to_owned())),
            Event::Thought(Thought::Item("{}".into())),
            Event::Refusal("No.".to_owned()),
            Event::End,
        ],
        &[
            &["0:thinking", "0+thinking=Hm"],
            &["0+thinking=."],
            &["0.", "1:text", "1+text=So"],
            &["1.", "2:thinking", "2+thinking=Oh"],
            &["2+signature=s", "2."],
            &["3:redacted_thinking"],
            &[],
            &["3.", "4:text", "4+text=No."],
            &["4.", "=refusal", "message_stop"],
        ],
    );
}

#[test]
fn arguments_are_handed_on_as_they_come() {
    check(
        &[
            text("I"),
            tool(0),
            arguments(0, " {\"x\""),
            arguments(0, ":1}"),
            arguments(0, " \n"),
            Event::ToolEnd { slot: 0 },
            Event::Stop(Stop::ToolUse),
            Event::End,
        ],
        &[
            &["0:text", "0+text=I"],
            &["0.", "1:tool_use"],
            &["1+partial_json= {\"x\""],
            &["1+partial_json=:1}"],
            &[],
            &["1."],
            &[],
            &["=tool_use", "message_stop"],
        ],
    );
}

#[test]
fn interleaved_calls_wait_for_each_other() {
    check(
        &[
            tool(0),
            tool(1),
            arguments(0, "{\"x\""),
            arguments(1, "{\"y\""),
            arguments(0, ":1}"),
            arguments(1, ":2}"),
            tool(2),
            Event::End,
        ],
        &[
            &["0:tool_use"],
            &[],
            &["0+partial_json={\"x\""],
            &[],
            &["0+partial_json=:1}", "0.", "1:tool_use", "1+partial_json={\"y\""],
            &["1+partial_json=:2}"],
            &["1.", "2:tool_use"],
            &["2+partial_json={}", "2.", "=tool_use", "message_stop"],
        ],
    );
}

#[test]
fn text_waits_for_a_call_only() {
    check(
        &[
            tool(0),
            text("A"),
            thinking("B"),
            text("C"),
            text("D"),
            arguments(0, "{\"}\":\"\\\"}\""),
            Event::ToolEnd { slot: 0 },
            text("E"),
        ],
        &[
            &["0:tool_use"],
            &[],
            &[],
            &[],
            &[],
            &["0+partial_json={\"}\":\"\\\"}\""],
            &[
                "0.",
                "1:text",
                "1+text=A",
                "1.",
                "2:thinking",
                "2+thinking=B",
                "2.",
                "3:text",
                "3+text=CD",
            ],
            &["3+text=E"],
        ],
    );
}

#[test]
fn calls_that_wait_end_in_their_turn() {
    check(
        &[
            tool(0),
            tool(1),
            arguments(1, "{}"),
            Event::ToolEnd { slot: 1 },
            tool(2),
            Event::ToolEnd { slot: 0 },
            Event::End,
        ],
        &[
            &["0:tool_use"],
            &[],
            &[],
            &[],
            &[],
            &["0+partial_json={}", "0.", "1:tool_use", "1+partial_json={}", "1.", "2:tool_use"],
            &["2+partial_json={}", "2.", "=tool_use", "message_stop"],
        ],
    );
}

#[test]
fn arguments_that_are_no_object_become_one_at_their_end() {
    let check = |pieces: &[&str], expected: &str| {
        let mut writer = EventWriter::new(Asked::default(), occasion());
        let mut out = Vec::new();
        writer.write(tool(0), &mut out);
        pieces.iter().for_each(|more| writer.write(arguments(0, more), &mut out));
        writer.write(Event::ToolEnd { slot: 0 }, &mut out);
        let told = data(&out);
        let told: String =
            told.iter().filter_map(|data| data["delta"]["partial_json"].as_str()).collect();
        assert_eq!(told, expected);
    };
    check(&[], "{}");
    check(&["", " "], "{}");
    check(&["nu", "ll"], "{}");
    check(&["\"{\\\"a\\\"", ":1}\""], "{\"a\":1}");
    check(&["oops"], "{\"input\":\"oops\"}");
    check(&["{\"a\":1}", "{\"a\":1}"], "{\"a\":1}");
    check(&["{\"a"], "{\"a");
}

#[test]
fn the_whole_cost_is_told_at_the_end() {
    let mut writer =
        EventWriter::new(Asked { model: "asked".to_owned(), ..Asked::default() }, occasion());
    let known = Spent { told: true, input: 5, ..Spent::default() };
    let spent =
        Spent { told: true, input: 5, cache_read: 2, output: 3, reasoning: Some(1), ..known };
    let mut out = Vec::new();
    writer
        .write(Event::Start { id: Some("msg_x".to_owned()), model: None, usage: known }, &mut out);
    writer.write(Event::Stop(Stop::Sequence(Some("END".to_owned()))), &mut out);
    writer.write(Event::Usage(known), &mut out);
    writer.write(Event::Usage(spent), &mut out);
    writer.write(Event::End, &mut out);
    let usage = |read: u64, output: u64| {
        json!({ "input_tokens": 5, "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": read, "output_tokens": output })
    };
    let mut last = usage(2, 3);
    last["output_tokens_details"] = json!({ "thinking_tokens": 1 });
    assert_eq!(
        data(&out),
        [
            json!({ "type": "message_start", "message": {
            "id": "msg_x", "type": "message", "role": "assistant", "model": "asked",
            "content": [], "stop_reason": null, "stop_sequence": null, "usage": usage(0, 0) } }),
            json!({ "type": "message_delta", "usage": last,
            "delta": { "stop_reason": "stop_sequence", "stop_sequence": "END" } }),
            json!({ "type": "message_stop" }),
        ]
    );
}

#[test]
fn blocks_begin_as_the_sdks_want_them() {
    let mut writer = EventWriter::new(Asked::default(), occasion());
    let mut out = Vec::new();
    [thinking("a"), text("b"), tool(0)].into_iter().for_each(|event| writer.write(event, &mut out));
    let begun: Vec<Value> = data(&out).iter().map(|data| data["content_block"].clone()).collect();
    let begun: Vec<Value> = begun.into_iter().filter(|block| !block.is_null()).collect();
    assert_eq!(
        Value::from(begun),
        json!([
            { "type": "thinking", "thinking": "", "signature": "" },
            { "type": "text", "text": "" },
            { "type": "tool_use", "id": "c0", "name": "f", "input": {} },
        ])
    );
}

#[test]
fn a_stream_without_a_beginning_gets_one() {
    let mut writer = EventWriter::new(Asked::default(), occasion());
    let mut out = Vec::new();
    writer.write(Event::Ping, &mut out);
    assert!(out.is_empty());
    writer.write(Event::End, &mut out);
    let names: Vec<String> = data(&out).iter().map(short).collect();
    assert_eq!(names, [&["message_start"], END].concat());
    assert_eq!(data(&out)[0]["message"]["id"], "msg_1a2b");
}

#[test]
fn a_failure_is_an_error_of_the_right_type() {
    let check = |kind: Option<&str>, expected: &str| {
        let mut writer = EventWriter::new(Asked::default(), occasion());
        let mut out = Vec::new();
        let failed = Failed { kind: kind.map(str::to_owned), message: "Oh".to_owned() };
        writer.write(Event::Failed(failed), &mut out);
        writer.write(Event::End, &mut out);
        let error = json!({ "type": "error", "error": { "type": expected, "message": "Oh" } });
        assert_eq!(data(&out), [error]);
    };
    check(None, "api_error");
    check(Some("server_error"), "api_error");
    check(Some("overloaded_error"), "overloaded_error");
    check(Some("server_is_overloaded"), "overloaded_error");
    check(Some("rate_limit_exceeded"), "rate_limit_error");
    check(Some("context_length_exceeded"), "invalid_request_error");
}
