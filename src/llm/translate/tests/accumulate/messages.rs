//! Anthropic messages.

use serde_json::{Value, json};

use super::super::wire::Wire;
use super::super::{list, text};
use super::{Gathered, append, merge, parsed};

pub(super) fn gather(events: &[Wire]) -> Gathered {
    let mut told = Gathered::default();
    for event in parsed(events) {
        let kind = text(&event["type"]).to_owned();
        // One stream, one answer.
        if told.done || told.failed.is_some() {
            break;
        }
        if kind == "ping" {
            continue;
        }
        take(&mut told, &kind, &event);
        told.types.push(kind);
    }
    told
}

fn take(told: &mut Gathered, kind: &str, event: &Value) {
    match kind {
        "message_start" => told.answer = event["message"].clone(),
        "content_block_start" => {
            told.indices.push(event["index"].as_u64().unwrap_or(u64::MAX));
            let mut block = event["content_block"].clone();
            block["_index"] = event["index"].clone();
            push(&mut told.answer["content"], block);
        }
        "content_block_delta" => {
            if let Some(block) = block(&mut told.answer, &event["index"]) {
                delta(block, &event["delta"]);
            }
        }
        "content_block_stop" => {
            let bad = block(&mut told.answer, &event["index"]).map_or(0, close);
            told.bad_json += bad;
        }
        "message_delta" => {
            // Some never end the last block.
            let blocks = told.answer["content"].as_array_mut().into_iter().flatten();
            told.bad_json += blocks.map(close).sum::<u64>();
            merge(&mut told.answer, &event["delta"]);
            merge(&mut told.answer["usage"], &event["usage"]);
        }
        "message_stop" => told.done = true,
        "error" => told.failed = Some(event["error"].clone()),
        _ => {}
    }
}

fn push(content: &mut Value, block: Value) {
    match content {
        Value::Array(blocks) => blocks.push(block),
        other => *other = json!([block]),
    }
}

fn block<'a>(answer: &'a mut Value, index: &Value) -> Option<&'a mut Value> {
    let blocks = answer["content"].as_array_mut()?;
    blocks.iter_mut().rev().find(|block| &block["_index"] == index)
}

fn delta(block: &mut Value, delta: &Value) {
    for (name, member) in [("text", "text"), ("thinking", "thinking"), ("signature", "signature")] {
        if let Some(more) = delta[name].as_str() {
            append(block, member, more);
        }
    }
    if let Some(more) = delta["partial_json"].as_str() {
        append(block, "_json", more);
    }
}

/// The arguments are whole: are they bad?
fn close(block: &mut Value) -> u64 {
    let Some(object) = block.as_object_mut() else { return 0 };
    let Some(json) = object.remove("_json") else { return 0 };
    let read = match text(&json) {
        "" => Ok(json!({})),
        written => serde_json::from_str::<Value>(written),
    };
    let bad = read.is_err();
    object.insert("input".to_owned(), read.unwrap_or(json));
    u64::from(bad)
}

#[test]
fn blocks_are_put_together() {
    let stream = concat!(
        "data: {\"type\":\"message_start\",\"message\":{\"id\":\"m\",\"content\":[],",
        "\"usage\":{\"input_tokens\":3,\"output_tokens\":1}}}\n\n",
        "data: {\"type\":\"content_block_start\",\"index\":0,",
        "\"content_block\":{\"type\":\"tool_use\",\"id\":\"t\",\"name\":\"n\",\"input\":{}}}\n\n",
        "data: {\"type\":\"content_block_delta\",\"index\":0,",
        "\"delta\":{\"type\":\"input_json_delta\",\"partial_json\":\"{\\\"a\\\":\"}}\n\n",
        "data: {\"type\":\"content_block_delta\",\"index\":0,",
        "\"delta\":{\"type\":\"input_json_delta\",\"partial_json\":\"1}\"}}\n\n",
        "data: {\"type\":\"content_block_stop\",\"index\":0}\n\n",
        "data: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"tool_use\"},",
        "\"usage\":{\"output_tokens\":9}}\n\n",
        "data: {\"type\":\"message_stop\"}\n\n",
    );
    let told = super::gather(super::Speech::Messages, stream.as_bytes());
    assert_eq!(list(&told.answer["content"])[0]["input"], json!({"a": 1}));
    assert_eq!(told.answer["usage"], json!({"input_tokens": 3, "output_tokens": 9}));
    assert_eq!(told.answer["stop_reason"], "tool_use");
    assert!(told.done && told.failed.is_none() && told.bad_json == 0);
}
