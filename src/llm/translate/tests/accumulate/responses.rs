//! OpenAI responses.

use serde_json::{Value, json};

use super::super::wire::Wire;
use super::super::{list, text};
use super::{Gathered, parsed};

pub(super) fn gather(events: &[Wire]) -> Gathered {
    let mut told = Gathered::default();
    let mut items: Vec<Value> = Vec::new();
    for event in parsed(events) {
        // One stream, one answer.
        if told.done || told.failed.is_some() {
            break;
        }
        let kind = text(&event["type"]).to_owned();
        match kind.as_str() {
            "response.output_item.done" => items.push(event["item"].clone()),
            "response.completed" | "response.incomplete" => {
                told.done = true;
                told.answer = event["response"].clone();
            }
            "response.failed" => told.failed = Some(event["response"]["error"].clone()),
            "error" => {
                let nested = &event["error"];
                told.failed = Some(if nested.is_null() { event.clone() } else { nested.clone() });
            }
            _ => {}
        }
        told.types.push(kind);
    }
    // Some leave the last event's list empty.
    if list(&told.answer["output"]).is_empty() && !items.is_empty() {
        told.answer["output"] = json!(items);
    }
    told
}
