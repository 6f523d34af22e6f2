//! What a caller has heard, whatever the dialect: what a translation must not change.

use serde_json::{Value, json};

use super::{Speech, list, text};

/// An answer's substance.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Heard {
    /// Text and refusals.
    pub(super) said: String,
    /// Thoughts in plain text, without white space: dialects part them in different ways.
    pub(super) thought: String,
    /// Names and parsed arguments.
    pub(super) calls: Vec<(String, Value)>,
    /// Why it ended.
    pub(super) stop: Option<Stop>,
    /// Was it a refusal?
    pub(super) refused: bool,
    /// Prompt (all of it), from a cache, generated.
    pub(super) usage: [u64; 3],
}

/// Why an answer ended, as far as every dialect can tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    End,
    Length,
    Tools,
    Refusal,
}

impl Heard {
    /// Of a whole answer.
    pub(super) fn of(speech: Speech, answer: &Value) -> Self {
        let mut heard = match speech {
            Speech::Chat => chat(answer),
            Speech::Messages => messages(answer),
            Speech::Responses => responses(answer),
        };
        heard.thought.retain(|character| !character.is_whitespace());
        // Vendors say `stop` behind calls; only one of the dialects has a word for calls apart.
        if heard.stop == Some(Stop::End) && !heard.calls.is_empty() {
            heard.stop = Some(Stop::Tools);
        }
        heard
    }

    fn call(&mut self, name: &Value, arguments: &Value) {
        let read = match arguments.as_str() {
            Some("") => json!({}),
            Some(written) => serde_json::from_str(written).unwrap_or(json!(written)),
            None => arguments.clone(),
        };
        // A call of nothing is none.
        if !text(name).is_empty() {
            self.calls.push((text(name).to_owned(), read));
        }
    }
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or(0)
}

fn chat(answer: &Value) -> Heard {
    let mut heard = Heard::default();
    let choice = &answer["choices"][0];
    let message = &choice["message"];
    match &message["content"] {
        Value::Array(parts) => parts.iter().for_each(|part| {
            heard.said += text(&part["text"]);
            heard.said += text(&part["refusal"]);
            list(&part["thinking"]).iter().for_each(|one| heard.thought += text(&one["text"]));
        }),
        content => heard.said += text(content),
    }
    heard.refused = !text(&message["refusal"]).is_empty();
    heard.said += text(&message["refusal"]);
    let named = [&message["reasoning_content"], &message["reasoning"], &message["_details"]];
    match named.into_iter().map(text).find(|one| !one.is_empty()) {
        Some(thought) => heard.thought += thought,
        None => list(&message["reasoning_details"]).iter().for_each(|detail| {
            heard.thought += text(&detail["text"]);
            heard.thought += text(&detail["summary"]);
        }),
    }
    if message["function_call"].is_object() {
        heard.call(&message["function_call"]["name"], &message["function_call"]["arguments"]);
    }
    for call in list(&message["tool_calls"]) {
        let kind = if call["custom"].is_object() { "custom" } else { "function" };
        let arguments = if kind == "custom" { "input" } else { "arguments" };
        heard.call(&call[kind]["name"], &call[kind][arguments]);
    }
    heard.stop = match text(&choice["finish_reason"]) {
        "" => None,
        "length" | "model_length" => Some(Stop::Length),
        "tool_calls" | "function_call" => Some(Stop::Tools),
        "content_filter" => Some(Stop::Refusal),
        _ => Some(Stop::End),
    };
    let usage = &answer["usage"];
    let details = number(&usage["prompt_tokens_details"]["cached_tokens"]);
    let cached = details
        .max(number(&usage["prompt_cache_hit_tokens"]))
        .max(number(&usage["cached_tokens"]))
        .max(number(&usage["num_cached_tokens"]));
    heard.usage = [number(&usage["prompt_tokens"]), cached, number(&usage["completion_tokens"])];
    heard
}

fn messages(answer: &Value) -> Heard {
    let mut heard = Heard::default();
    for block in list(&answer["content"]) {
        match text(&block["type"]) {
            "text" => heard.said += text(&block["text"]),
            "thinking" => heard.thought += text(&block["thinking"]),
            "tool_use" => heard.call(&block["name"], &block["input"]),
            _ => {}
        }
    }
    heard.stop = match text(&answer["stop_reason"]) {
        "" => None,
        "max_tokens" | "model_context_window_exceeded" => Some(Stop::Length),
        "tool_use" => Some(Stop::Tools),
        "refusal" => Some(Stop::Refusal),
        _ => Some(Stop::End),
    };
    heard.refused = heard.stop == Some(Stop::Refusal);
    if heard.said.is_empty() {
        heard.said += text(&answer["stop_details"]["explanation"]);
    }
    let usage = &answer["usage"];
    let cached = number(&usage["cache_read_input_tokens"]);
    let prompt = number(&usage["input_tokens"]) + cached;
    let prompt = prompt + number(&usage["cache_creation_input_tokens"]);
    heard.usage = [prompt, cached, number(&usage["output_tokens"])];
    heard
}

fn responses(answer: &Value) -> Heard {
    let mut heard = Heard::default();
    for item in list(&answer["output"]) {
        match text(&item["type"]) {
            "message" => list(&item["content"]).iter().for_each(|part| {
                heard.said += text(&part["text"]);
                heard.said += text(&part["refusal"]);
                heard.refused |= !text(&part["refusal"]).is_empty();
            }),
            "reasoning" => {
                let summary = list(&item["summary"]);
                let parts = if summary.is_empty() { list(&item["content"]) } else { summary };
                parts.iter().for_each(|part| heard.thought += text(&part["text"]));
            }
            "function_call" => heard.call(&item["name"], &item["arguments"]),
            "custom_tool_call" => heard.call(&item["name"], &item["input"]),
            _ => {}
        }
    }
    heard.stop = match (text(&answer["status"]), text(&answer["incomplete_details"]["reason"])) {
        ("completed", _) => Some(Stop::End),
        ("incomplete", "content_filter") => Some(Stop::Refusal),
        ("incomplete", _) => Some(Stop::Length),
        _ => None,
    };
    let usage = &answer["usage"];
    let cached = number(&usage["input_tokens_details"]["cached_tokens"]);
    heard.usage = [number(&usage["input_tokens"]), cached, number(&usage["output_tokens"])];
    heard
}

#[test]
fn the_same_is_heard_in_each_dialect() {
    let chat = json!({
        "choices": [{
            "message": {
                "content": "hi", "reasoning_content": "hm",
                "tool_calls": [{ "function": { "name": "f", "arguments": "{\"a\":1}" } }],
            },
            "finish_reason": "tool_calls",
        }],
        "usage": {
            "prompt_tokens": 7, "completion_tokens": 2,
            "prompt_tokens_details": { "cached_tokens": 4 },
        },
    });
    let messages = json!({
        "content": [
            { "type": "thinking", "thinking": "h m", "signature": "" },
            { "type": "text", "text": "hi" },
            { "type": "tool_use", "id": "t", "name": "f", "input": { "a": 1 } },
        ],
        "stop_reason": "tool_use",
        "usage": {
            "input_tokens": 1, "cache_read_input_tokens": 4, "cache_creation_input_tokens": 2,
            "output_tokens": 2,
        },
    });
    let responses = json!({
        "status": "completed",
        "output": [
            { "type": "reasoning", "summary": [{ "type": "summary_text", "text": "hm" }] },
            { "type": "message", "content": [{ "type": "output_text", "text": "hi" }] },
            { "type": "function_call", "name": "f", "arguments": "{\"a\":1}" },
        ],
        "usage": {
            "input_tokens": 7, "output_tokens": 2,
            "input_tokens_details": { "cached_tokens": 4 },
        },
    });
    let heard = Heard::of(Speech::Chat, &chat);
    assert_eq!(heard, Heard::of(Speech::Messages, &messages));
    assert_eq!(heard, Heard::of(Speech::Responses, &responses));
    assert_eq!(heard.stop, Some(Stop::Tools));
}
