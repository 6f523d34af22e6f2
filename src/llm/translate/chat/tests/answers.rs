//! Whole answers, read and written.

use serde_json::{Value, json};

use super::super::super::Asked;
use super::super::super::answer::{Answer, AnswerPart, Spent, Stop};
use super::super::super::conversation::{CallKind, Thought, ToolCall};
use super::{asked, occasion};

fn read(body: &Value) -> Answer {
    super::super::read_answer(body.to_string().as_bytes())
        .unwrap_or_else(|unreadable| panic!("{body}: {unreadable}"))
}

/// What a message with this reason is read as.
fn check(message: Value, reason: &str, parts: &[AnswerPart], stop: &Stop) {
    let choice = json!({ "index": 0, "message": message, "finish_reason": reason });
    let answer = read(&json!({ "id": "r1", "choices": [choice] }));
    assert_eq!((&answer.parts[..], &answer.stop), (parts, stop));
}

fn check_unreadable(body: &str, why: &str) {
    let unreadable = super::super::read_answer(body.as_bytes()).expect_err(body);
    assert!(unreadable.0.contains(why), "{unreadable}");
}

fn text(text: &str) -> AnswerPart {
    AnswerPart::Text(text.to_owned())
}

fn thought(text: &str) -> AnswerPart {
    AnswerPart::Thinking(Thought::Plain(text.to_owned()))
}

fn call(id: &str, arguments: &str) -> AnswerPart {
    AnswerPart::ToolCall(ToolCall {
        id: id.to_owned(),
        name: "f".to_owned(),
        arguments: arguments.to_owned(),
        kind: CallKind::Function,
    })
}

fn write(answer: &Answer, asked: &Asked) -> Value {
    let body = super::super::write_answer(answer, asked, &occasion());
    serde_json::from_slice(&body).expect("JSON")
}

#[test]
fn content_in_every_form() {
    check(json!({ "content": "a" }), "stop", &[text("a")], &Stop::EndTurn);
    for nothing in [json!({ "content": "" }), json!({ "content": null }), json!({}), json!(null)] {
        check(nothing, "stop", &[], &Stop::EndTurn);
    }
    let parts = json!([
        { "type": "thinking", "thinking": [{ "type": "text", "text": "t" }] },
        { "type": "text", "text": "a" },
    ]);
    check(json!({ "content": parts }), "stop", &[thought("t"), text("a")], &Stop::EndTurn);
    let refusal = AnswerPart::Refusal("no".to_owned());
    check(json!({ "content": null, "refusal": "no" }), "stop", &[refusal], &Stop::EndTurn);
}

#[test]
fn thoughts_come_first_and_once() {
    for message in [
        json!({ "content": "a", "reasoning_content": "t" }),
        json!({ "content": "a", "reasoning": "t", "reasoning_content": null }),
        json!({ "content": "a", "reasoning": "t", "reasoning_details": [{ "text": "t" }] }),
        json!({ "content": "a", "reasoning_details": [{ "text": "t" }, { "data": "x" }] }),
        json!({ "content": "a", "reasoning_content": { "text": "t" } }),
    ] {
        check(message, "stop", &[thought("t"), text("a")], &Stop::EndTurn);
    }
}

#[test]
fn calls_in_every_form() {
    let called = |arguments: Value| {
        let function = json!({ "name": "f", "arguments": arguments });
        json!({ "content": null, "tool_calls": [{ "id": "a", "function": function }] })
    };
    check(called(json!("{\"x\":1}")), "tool_calls", &[call("a", "{\"x\":1}")], &Stop::ToolUse);
    check(called(json!({ "x": 1 })), "tool_calls", &[call("a", "{\"x\":1}")], &Stop::ToolUse);
    check(called(json!("{bad")), "stop", &[call("a", "{bad")], &Stop::ToolUse);
    check(called(json!(5)), "tool_calls", &[call("a", "5")], &Stop::ToolUse);
    check(called(json!(null)), "tool_calls", &[call("a", "")], &Stop::ToolUse);
    let old = json!({ "function_call": { "name": "f", "arguments": "{}" } });
    check(old, "function_call", &[call("call_r1_0", "{}")], &Stop::ToolUse);
    let nameless = json!({ "tool_calls": [{ "id": "a", "function": { "arguments": "{}" } }, {}] });
    check(nameless, "tool_calls", &[], &Stop::EndTurn);
}

#[test]
fn every_reason() {
    let stop = |reason: &str| {
        let choice = json!({ "message": { "content": "a" }, "finish_reason": reason });
        read(&json!({ "choices": [choice] })).stop
    };
    assert_eq!(stop("stop"), Stop::EndTurn);
    assert_eq!(stop("eos"), Stop::EndTurn);
    assert_eq!(stop("length"), Stop::MaxTokens);
    assert_eq!(stop("content_filter"), Stop::Refusal);
    assert_eq!(stop("model_context_window_exceeded"), Stop::ContextWindow);
    let vllm = json!({ "message": {}, "finish_reason": "stop", "stop_reason": "END" });
    let answer = read(&json!({ "choices": [vllm] }));
    assert_eq!(answer.stop, Stop::Sequence(Some("END".to_owned())));
}

#[test]
fn what_is_no_answer_is_an_error() {
    check_unreadable("<html>", "not JSON");
    check_unreadable("", "not JSON");
    check_unreadable("[]", "no `choices`");
    check_unreadable("{}", "no `choices`");
    check_unreadable(r#"{"error":{"message":"out of money","code":402}}"#, "out of money");
    check_unreadable(r#"{"error":"out of money"}"#, "out of money");
    check_unreadable(r#"{"object":"error","message":"out of money"}"#, "out of money");
    let broken = r#"{"choices":[{"finish_reason":"insufficient_system_resource"}]}"#;
    check_unreadable(broken, "insufficient_system_resource");
    let empty = read(&json!({ "error": null, "choices": [] }));
    assert_eq!((empty.parts, empty.stop), (vec![], Stop::EndTurn));
}

#[test]
fn usage_is_cut_into_disjoint_parts() {
    let spent = |usage: Value| {
        let spent = read(&json!({ "choices": [], "usage": usage })).usage;
        (spent.input, spent.cache_read, spent.cache_creation, spent.output, spent.reasoning)
    };
    let openai = json!({
        "prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15,
        "prompt_tokens_details": { "cached_tokens": 4, "cache_write_tokens": 1 },
        "completion_tokens_details": { "reasoning_tokens": 2 },
    });
    assert_eq!(spent(openai), (5, 4, 1, 5, Some(2)));
    let deepseek = json!({
        "prompt_tokens": 10, "completion_tokens": 5, "prompt_cache_hit_tokens": 3,
        "prompt_cache_miss_tokens": 7,
    });
    assert_eq!(spent(deepseek), (7, 3, 0, 5, None));
    assert!(!read(&json!({ "choices": [], "usage": null })).usage.told);
    let kimi = json!({ "choices": [{ "usage": { "prompt_tokens": 1, "completion_tokens": 2 } }] });
    assert_eq!(read(&kimi).usage.prompt(), 1);
}

#[test]
fn a_client_gets_what_its_sdk_needs() {
    let usage = Spent {
        told: true,
        input: 10,
        cache_read: 5,
        cache_creation: 3,
        output: 20,
        reasoning: None,
    };
    let answer = Answer {
        id: Some("msg_1".to_owned()),
        model: Some("claude".to_owned()),
        parts: vec![thought("t"), text("a"), text("b")],
        usage,
        service_tier: Some("standard".to_owned()),
        ..Answer::default()
    };
    let expected = json!({
        "id": "chatcmpl-msg_1", "object": "chat.completion", "created": 7, "model": "claude",
        "choices": [{
            "index": 0, "logprobs": null, "finish_reason": "stop",
            "message": {
                "role": "assistant", "content": "ab", "refusal": null, "reasoning_content": "t",
            },
        }],
        "usage": {
            "prompt_tokens": 18, "completion_tokens": 20, "total_tokens": 38,
            "prompt_tokens_details": { "cached_tokens": 5, "cache_write_tokens": 3 },
            "completion_tokens_details": { "reasoning_tokens": 0 },
        },
        "service_tier": "default",
    });
    assert_eq!(write(&answer, &asked()), expected);
}

#[test]
fn a_client_gets_calls_reasons_and_no_secrets() {
    let redacted = AnswerPart::Thinking(Thought::Redacted("secret".to_owned()));
    let written = |parts, stop| write(&Answer { parts, stop, ..Answer::default() }, &asked());
    let body = written(vec![redacted.clone(), call("a", "")], Stop::ToolUse);
    assert_eq!((&body["model"], &body["id"]), (&json!("asked"), &json!("chatcmpl-abc")));
    let choice = &body["choices"][0];
    let function = json!({ "name": "f", "arguments": "{}" });
    let calls = json!([{ "id": "a", "type": "function", "function": function }]);
    assert_eq!(choice["message"]["tool_calls"], calls);
    assert_eq!((&choice["message"]["content"], body.get("usage")), (&Value::Null, None));
    assert!(!body.to_string().contains("secret"));
    assert_eq!(written(vec![redacted], Stop::EndTurn)["choices"][0]["message"]["content"], "");
    for (stop, reason) in [
        (Stop::ToolUse, "tool_calls"),
        (Stop::MaxTokens, "length"),
        (Stop::ContextWindow, "length"),
        (Stop::Sequence(None), "stop"),
        (Stop::Refusal, "content_filter"),
    ] {
        assert_eq!(written(vec![], stop)["choices"][0]["finish_reason"], reason);
    }
}

#[test]
fn a_custom_tool_gets_its_text() {
    let asked = Asked { custom_tools: vec!["f".to_owned()], ..asked() };
    let parts = vec![call("a", r#"{"input":"free text"}"#), call("b", "not an object")];
    let body = write(&Answer { parts, ..Answer::default() }, &asked);
    let called = |id: &str, input: &str| {
        let custom = json!({ "name": "f", "input": input });
        json!({ "id": id, "type": "custom", "custom": custom })
    };
    let expected = json!([called("a", "free text"), called("b", "not an object")]);
    assert_eq!(body["choices"][0]["message"]["tool_calls"], expected);
}
