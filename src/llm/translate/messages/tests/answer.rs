use serde_json::json;

use super::*;
use crate::llm::translate::answer::{Answer, AnswerPart, Spent, Stop};
use crate::llm::translate::conversation::{CallKind, Thought, ToolCall};
use crate::llm::translate::messages::{read_answer, write_answer};
use crate::llm::translate::{Asked, Unreadable};

fn message(more: Value) -> Value {
    let mut message = json!({
        "id": "msg_1", "type": "message", "role": "assistant", "model": "claude",
        "content": [{ "type": "text", "text": "Hi" }],
        "stop_reason": "end_turn", "stop_sequence": null,
        "usage": { "input_tokens": 1, "output_tokens": 2 },
    });
    for (name, value) in more.as_object().unwrap() {
        message[name] = value.clone();
    }
    message
}

fn read_of(more: Value) -> Answer {
    read_answer(message(more).to_string().as_bytes()).unwrap()
}

fn check_parts(content: Value, expected: &[AnswerPart]) {
    assert_eq!(read_of(json!({ "content": content })).parts, expected);
}

fn check_stop(more: Value, expected: Stop) {
    assert_eq!(read_of(more.clone()).stop, expected, "{more}");
}

fn call(arguments: &str) -> AnswerPart {
    call_of("t", arguments)
}

fn call_of(id: &str, arguments: &str) -> AnswerPart {
    AnswerPart::ToolCall(ToolCall {
        id: id.to_owned(),
        name: "f".to_owned(),
        arguments: arguments.to_owned(),
        kind: CallKind::Function,
    })
}

fn say(words: &str) -> AnswerPart {
    AnswerPart::Text(words.to_owned())
}

fn written(answer: Answer) -> Value {
    let asked = Asked { model: "asked".to_owned(), ..Asked::default() };
    serde_json::from_slice(&write_answer(&answer, &asked, &occasion())).unwrap()
}

/// The content, the reason and the sequence that become of parts and a stop.
fn check_written(parts: Vec<AnswerPart>, stop: Stop, expected: Value) {
    let written = written(Answer { parts, stop, ..Answer::default() });
    let found = json!([written["content"], written["stop_reason"], written["stop_sequence"]]);
    assert_eq!(found, expected);
}

#[test]
fn all_blocks_are_read() {
    let signed = Thought::Signed { text: "Hm.".to_owned(), signature: "s".to_owned() };
    check_parts(
        json!([
            { "type": "thinking", "thinking": "Hm.", "signature": "s" },
            { "type": "thinking", "thinking": "Oh.", "signature": "" },
            { "type": "redacted_thinking", "data": "x" },
            { "type": "server_tool_use", "id": "s", "name": "web_search", "input": {} },
            { "type": "web_search_tool_result", "tool_use_id": "s", "content": [] },
            { "type": "text", "text": "" },
            { "type": "text", "text": "Hi", "citations": [{ "type": "page_location" }] },
            { "type": "tool_use", "id": "t", "name": "f", "input": {} },
            { "type": "tool_use", "id": "t", "name": "f", "input": { "a": 1 } },
        ]),
        &[
            AnswerPart::Thinking(signed),
            AnswerPart::Thinking(Thought::Plain("Oh.".to_owned())),
            AnswerPart::Thinking(Thought::Redacted("x".to_owned())),
            say("Hi"),
            call("{}"),
            call_of("call_1", r#"{"a":1}"#),
        ],
    );
}

#[test]
fn every_reason_to_stop_is_read() {
    let reason = |reason: &str| json!({ "stop_reason": reason });
    check_stop(reason("end_turn"), Stop::EndTurn);
    check_stop(reason("pause_turn"), Stop::EndTurn);
    check_stop(reason("something_new"), Stop::EndTurn);
    check_stop(reason("max_tokens"), Stop::MaxTokens);
    check_stop(reason("tool_use"), Stop::EndTurn);
    check_stop(reason("refusal"), Stop::Refusal);
    check_stop(reason("model_context_window_exceeded"), Stop::ContextWindow);
    check_stop(reason("stop_sequence"), Stop::Sequence(None));
    let sequence = json!({ "stop_reason": "stop_sequence", "stop_sequence": "END" });
    check_stop(sequence, Stop::Sequence(Some("END".to_owned())));
    let tool = json!([{ "type": "tool_use", "id": "t", "name": "f", "input": {} }]);
    check_stop(json!({ "stop_reason": null, "content": tool }), Stop::ToolUse);
    check_stop(json!({ "stop_reason": "tool_use", "content": tool }), Stop::ToolUse);
    check_stop(json!({ "stop_reason": "end_turn", "content": tool }), Stop::ToolUse);
    check_stop(json!({ "stop_reason": "max_tokens", "content": tool }), Stop::MaxTokens);
}

#[test]
fn a_refusal_without_text_says_why() {
    let details = json!({ "type": "refusal", "category": "bio", "explanation": "Not that." });
    let refused = json!({ "stop_reason": "refusal", "content": [], "stop_details": details });
    assert_eq!(read_of(refused).parts, [AnswerPart::Refusal("Not that.".to_owned())]);
}

#[test]
fn usage_is_disjoint() {
    let usage = json!({ "input_tokens": 1, "output_tokens": 9, "cache_read_input_tokens": 3,
        "cache_creation_input_tokens": 4, "output_tokens_details": { "thinking_tokens": 5 },
        "service_tier": "priority" });
    let answer = read_of(json!({ "usage": usage }));
    let spent = Spent {
        told: true,
        input: 1,
        cache_read: 3,
        cache_creation: 4,
        output: 9,
        reasoning: Some(5),
    };
    assert_eq!(answer.usage, spent);
    assert_eq!(answer.service_tier.as_deref(), Some("priority"));
}

#[test]
fn what_is_no_message_is_unreadable() {
    let check = |body: &str, expected: &str| {
        let Unreadable(why) = read_answer(body.as_bytes()).unwrap_err();
        assert!(why.starts_with(expected), "{why}");
    };
    check("<html></html>", "it is no message");
    check("", "it is no message");
    let nameless = r#"{"content":[{"type":"tool_use","id":"t","input":{}}]}"#;
    check(nameless, "a tool is called without its name");
    check("{}", "it is no message: missing field `content`");
    let error = r#"{"type":"error","error":{"type":"overloaded_error","message":"Busy"}}"#;
    check(error, "it is an error: Busy");
}

#[test]
fn an_answer_is_written_whole() {
    let answer = Answer {
        id: Some("chatcmpl-1".to_owned()),
        model: Some("gpt".to_owned()),
        parts: vec![
            AnswerPart::Thinking(Thought::Plain("Hm.".to_owned())),
            AnswerPart::Thinking(Thought::Item("{}".into())),
            say("Hi"),
            call(r#"{"a": 1}"#),
        ],
        stop: Stop::ToolUse,
        usage: Spent { told: true, input: 1, cache_read: 2, output: 3, ..Spent::default() },
        service_tier: Some("default".to_owned()),
        ..Answer::default()
    };
    assert_eq!(
        written(answer),
        json!({
            "id": "msg_1a2b", "type": "message", "role": "assistant", "model": "gpt",
            "content": [
                { "type": "thinking", "thinking": "Hm.", "signature": "" },
                { "type": "text", "text": "Hi" },
                { "type": "tool_use", "id": "t", "name": "f", "input": { "a": 1 } },
            ],
            "stop_reason": "tool_use", "stop_sequence": null,
            "usage": { "input_tokens": 1, "cache_creation_input_tokens": 0,
                "cache_read_input_tokens": 2, "output_tokens": 3, "service_tier": "standard" },
        })
    );
}

#[test]
fn an_answer_of_nothing_is_a_message_too() {
    assert_eq!(
        written(Answer::default()),
        json!({
            "id": "msg_1a2b", "type": "message", "role": "assistant", "model": "asked",
            "content": [], "stop_reason": "end_turn", "stop_sequence": null,
            "usage": { "input_tokens": 0, "cache_creation_input_tokens": 0,
                "cache_read_input_tokens": 0, "output_tokens": 0 },
        })
    );
}

#[test]
fn every_reason_to_stop_is_written() {
    let text = json!([{ "type": "text", "text": "x" }]);
    let check = |stop: Stop, reason: &str| {
        check_written(vec![say("x")], stop, json!([text, reason, null]));
    };
    check(Stop::EndTurn, "end_turn");
    check(Stop::ToolUse, "end_turn");
    check(Stop::MaxTokens, "max_tokens");
    check(Stop::Refusal, "refusal");
    check(Stop::ContextWindow, "model_context_window_exceeded");
    check(Stop::Sequence(None), "end_turn");
    let end = Stop::Sequence(Some("END".to_owned()));
    check_written(vec![say("x")], end, json!([text, "stop_sequence", "END"]));
    check_written(
        vec![AnswerPart::Refusal("x".to_owned())],
        Stop::EndTurn,
        json!([text, "refusal", null]),
    );
    let tool = json!([{ "type": "tool_use", "id": "t", "name": "f", "input": {} }]);
    check_written(vec![call("")], Stop::EndTurn, json!([tool, "tool_use", null]));
    check_written(vec![call("")], Stop::MaxTokens, json!([tool, "max_tokens", null]));
}

#[test]
fn input_that_is_no_object_becomes_one() {
    let tool =
        json!([{ "type": "tool_use", "id": "t", "name": "f", "input": { "input": "{oops" } }]);
    check_written(vec![call("{oops")], Stop::ToolUse, json!([tool, "tool_use", null]));
}
