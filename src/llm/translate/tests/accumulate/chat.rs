//! OpenAI chat completions: the first choice only.

use serde_json::{Value, json};

use super::super::wire::Wire;
use super::super::{list, text};
use super::{Gathered, append, merge, parsed};

pub(super) fn gather(events: &[Wire]) -> Gathered {
    let answer = json!({ "choices": [{ "message": { "tool_calls": [] }, "finish_reason": null }] });
    let mut told = Gathered { answer, ..Gathered::default() };
    for chunk in parsed(events) {
        if !chunk["error"].is_null() {
            told.failed = Some(chunk["error"].clone());
        }
        for name in ["id", "model", "created", "object", "usage", "service_tier"] {
            if !chunk[name].is_null() {
                told.answer[name] = chunk[name].clone();
            }
        }
        for choice in list(&chunk["choices"]) {
            if choice["index"].as_u64().unwrap_or(0) == 0 {
                take(&mut told.answer["choices"][0], choice);
            }
        }
    }
    told.done = events.iter().any(|event| event.data.trim() == "[DONE]");
    told
}

fn take(whole: &mut Value, choice: &Value) {
    if choice["finish_reason"].is_string() {
        whole["finish_reason"] = choice["finish_reason"].clone();
    }
    let (message, delta) = (&mut whole["message"], &choice["delta"]);
    for name in ["content", "refusal", "reasoning_content", "reasoning"] {
        match &delta[name] {
            Value::String(more) => append(message, name, more),
            Value::Array(parts) => parts.iter().for_each(|part| take_part(message, part)),
            _ => {}
        }
    }
    if delta["role"].is_string() {
        message["role"] = delta["role"].clone();
    }
    for detail in list(&delta["reasoning_details"]) {
        append(message, "_details", text(&detail["text"]));
        append(message, "_details", text(&detail["summary"]));
    }
    for call in list(&delta["tool_calls"]) {
        take_call(message, call);
    }
}

/// A content that is a list of parts.
fn take_part(message: &mut Value, part: &Value) {
    append(message, "content", text(&part["text"]));
    for thought in list(&part["thinking"]) {
        append(message, "reasoning_content", text(&thought["text"]));
    }
}

/// More of a call; one without an index goes by its id.
fn take_call(message: &mut Value, delta: &Value) {
    let Some(calls) = message["tool_calls"].as_array_mut() else { return };
    let same = |call: &Value| match &delta["index"] {
        Value::Null => call["id"] == delta["id"],
        index => &call["index"] == index,
    };
    let at = calls.iter().position(same).unwrap_or_else(|| {
        calls.push(json!({ "index": delta["index"], "function": { "arguments": "" } }));
        calls.len() - 1
    });
    let call = &mut calls[at];
    if !text(&delta["id"]).is_empty() {
        call["id"] = delta["id"].clone();
    }
    let function = &delta["function"];
    match &function["arguments"] {
        Value::String(more) => append(&mut call["function"], "arguments", more),
        Value::Null => {}
        object => append(&mut call["function"], "arguments", &object.to_string()),
    }
    if !text(&function["name"]).is_empty() {
        merge(&mut call["function"], &json!({ "name": function["name"] }));
    }
}
