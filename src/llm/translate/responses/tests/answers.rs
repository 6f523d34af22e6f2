use serde_json::{Value, json};

use super::super::super::Asked;
use super::super::super::answer::*;
use super::super::super::conversation::*;
use super::super::{read_answer, write_answer};
use super::{json, occasion};

fn read(answer: &Value) -> Answer {
    read_answer(answer.to_string().as_bytes()).unwrap()
}

fn completed(output: &Value) -> Value {
    json!({ "id": "resp_1", "object": "response", "created_at": 12.5, "status": "completed",
            "model": "gpt", "output": output, "service_tier": "default", "error": null,
            "usage": { "input_tokens": 30, "output_tokens": 9, "total_tokens": 39,
                "input_tokens_details": { "cached_tokens": 20, "cache_write_tokens": 4 },
                "output_tokens_details": { "reasoning_tokens": 5 } } })
}

fn tool(name: &str, arguments: &str, kind: CallKind) -> AnswerPart {
    let (id, name, arguments) = ("c1".to_owned(), name.to_owned(), arguments.to_owned());
    AnswerPart::ToolCall(ToolCall { id, name, arguments, kind })
}

fn plain(text: &str) -> AnswerPart {
    AnswerPart::Thinking(Thought::Plain(text.to_owned()))
}

fn written(parts: Vec<AnswerPart>, stop: Stop) -> Value {
    let answer = Answer { parts, stop, ..Answer::default() };
    json(&write_answer(&answer, &Asked::default(), &occasion()))
}

#[test]
fn an_answer_is_read() {
    let answer = read(&completed(&json!([
        { "type": "reasoning", "id": "rs", "encrypted_content": "x",
          "summary": [{ "type": "summary_text", "text": "a" }, { "type": "summary_text", "text": "b" }] },
        { "type": "web_search_call", "id": "ws" },
        { "type": "message", "id": "msg", "role": "assistant", "content": [
            { "type": "output_text", "text": "t", "annotations": [] },
            { "type": "refusal", "refusal": "no" } ] },
        { "type": "function_call", "id": "fc", "call_id": "c1", "name": "f", "arguments": "{}" },
        { "type": "custom_tool_call", "id": "ctc", "call_id": "c1", "name": "p", "input": "x" },
    ])));
    let (text, refusal) = (AnswerPart::Text("t".to_owned()), AnswerPart::Refusal("no".to_owned()));
    let calls = [tool("f", "{}", CallKind::Function), tool("p", "x", CallKind::Custom)];
    let [function, custom] = calls;
    assert_eq!(answer.parts, [plain("a\n\nb"), text, refusal, function, custom]);
    assert_eq!((answer.id.as_deref(), answer.model.as_deref()), (Some("resp_1"), Some("gpt")));
    assert_eq!((answer.created, answer.stop), (Some(12), Stop::ToolUse));
    assert_eq!(answer.service_tier.as_deref(), Some("default"));
    let usage = Spent {
        told: true,
        input: 6,
        cache_read: 20,
        cache_creation: 4,
        output: 9,
        reasoning: Some(5),
    };
    assert_eq!(answer.usage, usage);
}

#[test]
fn every_end_is_understood() {
    let stop = |status: &str, reason: Option<&str>| {
        let mut answer = completed(&json!([]));
        answer["status"] = json!(status);
        answer["incomplete_details"] = json!(reason.map(|reason| json!({ "reason": reason })));
        read(&answer).stop
    };
    assert_eq!(stop("completed", None), Stop::EndTurn);
    assert_eq!(stop("incomplete", Some("max_output_tokens")), Stop::MaxTokens);
    assert_eq!(stop("incomplete", Some("content_filter")), Stop::Refusal);
    assert_eq!(stop("incomplete", None), Stop::MaxTokens);
}

#[test]
fn what_is_no_answer_is_not_read() {
    let failed = json!({ "status": "failed", "output": [], "error": { "message": "too busy" } });
    let why = read_answer(failed.to_string().as_bytes()).unwrap_err();
    assert_eq!(why.0, "too busy");
    let queued = json!({ "status": "queued", "output": [] });
    assert!(read_answer(queued.to_string().as_bytes()).is_err());
    let nameless = completed(&json!([{ "type": "function_call", "call_id": "c" }]));
    assert!(read_answer(nameless.to_string().as_bytes()).is_err());
    for body in ["", "<html>", "{}", "[]", r#"{"output":{}}"#] {
        assert!(read_answer(body.as_bytes()).is_err(), "{body}");
    }
}

#[test]
fn an_answer_is_written() {
    let parts = vec![
        plain("hm"),
        AnswerPart::Text("a".to_owned()),
        AnswerPart::Text("b".to_owned()),
        AnswerPart::Refusal("no".to_owned()),
        tool("f", "", CallKind::Function),
    ];
    let usage = Spent { told: true, input: 1, cache_read: 2, output: 3, ..Spent::default() };
    let answer = Answer { id: Some("chatcmpl-1".to_owned()), parts, usage, ..Answer::default() };
    let asked = super::asked(&json!({ "model": "m", "input": "x", "instructions": "i",
        "temperature": 0.20, "metadata": { "k": "v" }, "text": { "verbosity": "low" } }));
    let answer = json(&write_answer(&answer, &asked, &occasion()));
    let expected = json!([
        { "id": "rs_abc_0", "type": "reasoning", "encrypted_content": null,
          "summary": [{ "type": "summary_text", "text": "hm" }] },
        { "id": "msg_abc_1", "type": "message", "status": "completed", "role": "assistant",
          "content": [
            { "type": "output_text", "annotations": [], "logprobs": [], "text": "ab" },
            { "type": "refusal", "refusal": "no" } ] },
        { "id": "fc_abc_2", "type": "function_call", "status": "completed", "call_id": "c1",
          "name": "f", "arguments": "{}" },
    ]);
    assert_eq!(answer["output"], expected);
    let members = [
        ("id", json!("resp_chatcmpl-1")),
        ("object", json!("response")),
        ("created_at", json!(1_700_000_000)),
        ("status", json!("completed")),
        ("model", json!("m")),
        ("instructions", json!("i")),
        ("temperature", json!(0.2)),
        ("metadata", json!({ "k": "v" })),
        ("text", json!({ "verbosity": "low" })),
        ("tools", json!([])),
        ("tool_choice", json!("auto")),
        ("parallel_tool_calls", json!(true)),
        ("store", json!(false)),
        ("previous_response_id", json!(null)),
        (
            "usage",
            json!({ "input_tokens": 3, "output_tokens": 3, "total_tokens": 6,
            "input_tokens_details": { "cached_tokens": 2, "cache_write_tokens": 0 },
            "output_tokens_details": { "reasoning_tokens": 0 } }),
        ),
    ];
    for (name, value) in members {
        assert_eq!(answer[name], value, "{name}");
    }
}

#[test]
fn every_end_is_told() {
    let end = |stop| {
        let answer = written(vec![AnswerPart::Text("t".to_owned())], stop);
        let reason = answer["incomplete_details"]["reason"].as_str().map(str::to_owned);
        assert_eq!(answer["output"][0]["status"], answer["status"]);
        (answer["status"].as_str().unwrap().to_owned(), reason)
    };
    let incomplete = |reason: &str| ("incomplete".to_owned(), Some(reason.to_owned()));
    for stop in [Stop::EndTurn, Stop::ToolUse, Stop::Sequence(None)] {
        assert_eq!(end(stop), ("completed".to_owned(), None));
    }
    assert_eq!(end(Stop::MaxTokens), incomplete("max_output_tokens"));
    assert_eq!(end(Stop::ContextWindow), incomplete("max_output_tokens"));
    assert_eq!(end(Stop::Refusal), incomplete("content_filter"));
    assert_eq!(
        written(vec![], Stop::EndTurn)["usage"]["total_tokens"],
        0,
        "some insist on numbers"
    );
}

#[test]
fn tiers_are_told_in_words_that_clients_know() {
    for (told, expected) in [("standard", "default"), ("flex", "flex")] {
        let answer = Answer { service_tier: Some(told.to_owned()), ..Answer::default() };
        let answer = json(&write_answer(&answer, &Asked::default(), &occasion()));
        assert_eq!(answer["service_tier"], expected);
    }
    let answer = Answer { service_tier: Some("on_demand".to_owned()), ..Answer::default() };
    let answer = json(&write_answer(&answer, &Asked::default(), &occasion()));
    assert_eq!(answer["service_tier"], Value::Null);
}

#[test]
fn proofs_come_back_through_a_client() {
    let (text, signature) = ("because".to_owned(), "c2ln".to_owned());
    let thoughts = [Thought::Signed { text, signature }, Thought::Redacted("ZGF0".to_owned())];
    let parts = thoughts.iter().cloned().map(AnswerPart::Thinking).collect();
    let output = written(parts, Stop::EndTurn)["output"].clone();
    let request = json!({ "model": "m", "input": output });
    let mut said = super::super::read_request(request.to_string().as_bytes()).unwrap();
    let back = said.turns.pop().unwrap().parts;
    for (part, thought) in back.iter().zip(&thoughts) {
        assert!(matches!(part, Part::Thinking(back) if back == thought), "{part:?}");
    }
    assert_eq!(back.len(), 2);
}

#[test]
fn calls_of_custom_tools_and_namespaces_have_their_forms() {
    let asked = super::asked(&json!({ "model": "m", "tools": [
        { "type": "custom", "name": "patch" },
        { "type": "namespace", "name": "mcp__a", "tools": [{ "type": "function", "name": "b" }] },
    ], "input": [{ "type": "additional_tools", "tools": [
        { "type": "namespace", "name": "functions", "tools": [{ "type": "custom", "name": "c" }] },
    ] }] }));
    let parts = vec![
        tool("patch", r#"{"input":"*** x"}"#, CallKind::Function),
        tool("patch", "{raw}", CallKind::Custom),
        tool("mcp__a__b", "{}", CallKind::Function),
        tool("functions__c", r#"{"input":"y"}"#, CallKind::Function),
    ];
    let answer = Answer { parts, ..Answer::default() };
    let output = &json(&write_answer(&answer, &asked, &occasion()))["output"];
    assert_eq!(output[0]["type"], "custom_tool_call");
    assert_eq!((&output[0]["input"], &output[1]["input"]), (&json!("*** x"), &json!("{raw}")));
    let spaced = json!({ "id": "fc_abc_2", "type": "function_call", "status": "completed",
        "call_id": "c1", "name": "b", "arguments": "{}", "namespace": "mcp__a" });
    assert_eq!(output[2], spaced);
    let added = json!({ "id": "ctc_abc_3", "type": "custom_tool_call", "status": "completed",
        "call_id": "c1", "name": "c", "input": "y", "namespace": "functions" });
    assert_eq!(output[3], added);
}
