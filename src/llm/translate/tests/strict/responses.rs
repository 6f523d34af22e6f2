//! OpenAI responses: events counted from 0, items one after the other or interleaved but each added
//! once and done once, texts and arguments told whole at their ends, and the same in the last event.

use std::collections::BTreeSet;

use serde_json::Value;

use super::super::wire::{Wire, strict};
use super::super::{list, text};
use super::{Ending, are_counts, is_blank, parse, rule};

const COUNTS: [&str; 3] = ["input_tokens", "output_tokens", "total_tokens"];

#[derive(Debug, Default)]
struct Stream {
    events: u64,
    response: Option<String>,
    items: Vec<Item>,
    last: Option<Ending>,
}

/// An item that was added.
#[derive(Debug, Default)]
struct Item {
    id: String,
    kind: String,
    /// What its deltas of this part said: `(kind, part)`.
    parts: Vec<Part>,
    done: Option<Value>,
}

#[derive(Debug)]
struct Part {
    /// `content` or `summary`
    list: &'static str,
    said: String,
    /// Told whole?
    told: bool,
    /// Ended?
    ended: bool,
}

pub(crate) fn stream(stream: &[u8], ending: Ending) -> Result<(), String> {
    let mut told = Stream::default();
    for event in strict(stream)? {
        told.take(&event).map_err(|why| format!("{why}: {}", event.data))?;
    }
    let last = told.last.unwrap_or(Ending::Cut);
    rule!(last == ending, "{ending:?}, but {last:?}");
    Ok(())
}

impl Stream {
    fn take(&mut self, event: &Wire) -> Result<(), String> {
        let data = parse(&event.data)?;
        let kind = text(&data["type"]);
        rule!(event.name.as_deref() == Some(kind), "named {:?}", event.name);
        rule!(self.last.is_none(), "after the last event");
        rule!(data["sequence_number"] == self.events, "not the event {}", self.events);
        self.events += 1;
        rule!(
            (self.response.is_some()) != (kind == "response.created") || kind == "error",
            "order"
        );
        match kind {
            "response.created" | "response.in_progress" => self.begin(&data["response"]),
            "response.completed" | "response.incomplete" => {
                self.last = Some(Ending::Whole);
                rule!(kind.ends_with(text(&data["response"]["status"])), "another status");
                self.end(&data["response"])
            }
            "response.failed" => {
                self.last = Some(Ending::Failed);
                rule!(!is_blank(&data["response"]["error"]["message"]), "an error without words");
                rule!(data["response"]["status"] == "failed", "another status");
                Ok(())
            }
            "error" => {
                self.last = Some(Ending::Failed);
                rule!(!is_blank(&data["message"]), "an error without words");
                Ok(())
            }
            "response.output_item.added" => self.add(&data),
            _ => self.within(kind, &data),
        }
    }

    fn begin(&mut self, response: &Value) -> Result<(), String> {
        let id = text(&response["id"]).to_owned();
        rule!(!id.is_empty() && !is_blank(&response["model"]), "no id or model");
        rule!(response["status"] == "in_progress", "another status");
        rule!(response["object"] == "response", "another object");
        rule!(response["output"].is_array() && list(&response["output"]).is_empty(), "output");
        rule!(*self.response.get_or_insert_with(|| id.clone()) == id, "another id");
        Ok(())
    }

    fn add(&mut self, data: &Value) -> Result<(), String> {
        rule!(data["output_index"] == self.items.len() as u64, "not item {}", self.items.len());
        let item = &data["item"];
        let id = text(&item["id"]).to_owned();
        rule!(!id.is_empty(), "an item without an id");
        rule!(self.items.iter().all(|other| other.id != id), "the id {id} twice");
        if text(&item["type"]).ends_with("_call") {
            rule!(!is_blank(&item["call_id"]) && !is_blank(&item["name"]), "a call of nothing");
        }
        let kind = text(&item["type"]).to_owned();
        self.items.push(Item { id, kind, ..Item::default() });
        Ok(())
    }

    fn within(&mut self, kind: &str, data: &Value) -> Result<(), String> {
        let index = data["output_index"].as_u64().and_then(|index| usize::try_from(index).ok());
        let Some(item) = index.and_then(|index| self.items.get_mut(index)) else {
            return Err("of no item".to_owned());
        };
        rule!(item.done.is_none(), "the item is done");
        if kind == "response.output_item.done" {
            rule!(data["item"]["id"] == item.id, "another item");
            return item.end(&data["item"]);
        }
        rule!(data["item_id"] == item.id, "of another item");
        item.take(kind, data)
    }

    fn end(&mut self, response: &Value) -> Result<(), String> {
        rule!(Some(text(&response["id"])) == self.response.as_deref(), "another id");
        let done: Vec<&Value> = self.items.iter().filter_map(|item| item.done.as_ref()).collect();
        rule!(done.len() == self.items.len(), "items that are not done");
        let output: Vec<&Value> = list(&response["output"]).iter().collect();
        rule!(done == output, "the output differs from the items");
        answer(response)
    }
}

impl Item {
    fn take(&mut self, kind: &str, data: &Value) -> Result<(), String> {
        match kind {
            "response.content_part.added" => self.open("content", &data["content_index"])?,
            "response.reasoning_summary_part.added" => {
                self.open("summary", &data["summary_index"])?
            }
            "response.output_text.delta" | "response.refusal.delta" => {
                self.more("content", &data["content_index"], data)?
            }
            "response.reasoning_text.delta" => {
                self.more("content", &data["content_index"], data)?
            }
            "response.reasoning_summary_text.delta" => {
                self.more("summary", &data["summary_index"], data)?
            }
            "response.output_text.done" | "response.reasoning_text.done" => {
                self.told("content", &data["content_index"], &data["text"])?
            }
            "response.refusal.done" => {
                self.told("content", &data["content_index"], &data["refusal"])?
            }
            "response.reasoning_summary_text.done" => {
                self.told("summary", &data["summary_index"], &data["text"])?
            }
            "response.content_part.done" => {
                self.close("content", &data["content_index"], &data["part"])?
            }
            "response.reasoning_summary_part.done" => {
                self.close("summary", &data["summary_index"], &data["part"])?
            }
            "response.function_call_arguments.delta" | "response.custom_tool_call_input.delta" => {
                self.argument(data)?
            }
            "response.function_call_arguments.done" => {
                self.told("arguments", &Value::from(0), &data["arguments"])?
            }
            "response.custom_tool_call_input.done" => {
                self.told("arguments", &Value::from(0), &data["input"])?
            }
            other => return Err(format!("no such event: {other}")),
        }
        let expected = match self.kind.as_str() {
            "message" => {
                kind.contains("content_part")
                    || kind.contains("output_text")
                    || kind.contains("refusal")
            }
            "reasoning" => kind.contains("reasoning") || kind.contains("content_part"),
            "function_call" => kind.contains("function_call_arguments"),
            "custom_tool_call" => kind.contains("custom_tool_call_input"),
            _ => false,
        };
        rule!(expected, "{kind} in an item of {}", self.kind);
        Ok(())
    }

    fn open(&mut self, list: &'static str, index: &Value) -> Result<(), String> {
        let before = self.parts.iter().filter(|part| part.list == list).count();
        rule!(*index == before as u64, "part {index} is not {before}");
        self.parts.push(Part { list, said: String::new(), told: false, ended: false });
        Ok(())
    }

    fn part(&mut self, list: &'static str, index: &Value) -> Result<&mut Part, String> {
        let at = index.as_u64().and_then(|at| usize::try_from(at).ok());
        let found = self.parts.iter_mut().filter(|part| part.list == list);
        let mut found = found.skip(at.unwrap_or(usize::MAX));
        found.next().ok_or(format!("no part {index} of {list} was opened"))
    }

    fn more(&mut self, list: &'static str, index: &Value, data: &Value) -> Result<(), String> {
        let part = self.part(list, index)?;
        rule!(!part.told && !part.ended, "more of what was told");
        rule!(data["delta"].is_string(), "no delta");
        part.said += text(&data["delta"]);
        Ok(())
    }

    fn argument(&mut self, data: &Value) -> Result<(), String> {
        if self.parts.is_empty() {
            self.open("arguments", &Value::from(0))?;
        }
        self.more("arguments", &Value::from(0), data)
    }

    fn told(&mut self, list: &'static str, index: &Value, whole: &Value) -> Result<(), String> {
        if list == "arguments" && self.parts.is_empty() {
            self.open("arguments", &Value::from(0))?;
        }
        let part = self.part(list, index)?;
        // No arguments at all are told as an empty object.
        let same = text(whole) == part.said || part.said.is_empty() && *whole == "{}";
        rule!(!part.told && same, "told as {whole}, said as {}", part.said);
        part.told = true;
        text(whole).clone_into(&mut part.said);
        Ok(())
    }

    fn close(&mut self, list: &'static str, index: &Value, whole: &Value) -> Result<(), String> {
        let part = self.part(list, index)?;
        let named = if whole["type"] == "refusal" { "refusal" } else { "text" };
        rule!(part.told && !part.ended, "closed before it was told, or twice");
        rule!(whole[named] == part.said, "closed as {whole}, said as {}", part.said);
        part.ended = true;
        Ok(())
    }

    fn end(&mut self, whole: &Value) -> Result<(), String> {
        rule!(whole["type"] == self.kind, "of another type");
        for name in ["content", "summary"] {
            let said: Vec<&Part> = self.parts.iter().filter(|part| part.list == name).collect();
            rule!(said.iter().all(|part| part.told && part.ended), "parts that are not done");
            let told = list(&whole[name]);
            // A thought that came whole has no events of its own.
            rule!(said.len() == told.len() || said.is_empty(), "{} parts of {name}", told.len());
            for (part, whole) in said.iter().zip(told) {
                let named = if whole["type"] == "refusal" { "refusal" } else { "text" };
                rule!(whole[named] == part.said, "done as {whole}, said as {}", part.said);
            }
        }
        if self.kind.ends_with("_call") {
            let named = if self.kind == "function_call" { "arguments" } else { "input" };
            let Some(part) = self.parts.first() else { return Err("no arguments".to_owned()) };
            rule!(part.told, "arguments that were not told whole");
            rule!(whole[named] == part.said, "done as {whole}, said as {}", part.said);
        }
        self.done = Some(whole.clone());
        Ok(())
    }
}

pub(crate) fn answer(answer: &Value) -> Result<(), String> {
    rule!(answer["object"] == "response", "another object");
    rule!(!is_blank(&answer["id"]) && !is_blank(&answer["model"]), "no id or model");
    rule!(answer["created_at"].is_number(), "no created_at");
    let status = text(&answer["status"]);
    rule!(["completed", "incomplete"].contains(&status), "the status {status}");
    let why = text(&answer["incomplete_details"]["reason"]);
    rule!((status == "incomplete") != why.is_empty(), "{status}, because {why}");
    usage(&answer["usage"])?;
    let mut ids = BTreeSet::new();
    for item in list(&answer["output"]) {
        rule!(ids.insert(text(&item["id"])) && !is_blank(&item["id"]), "an id twice or none");
        self::item(item)?;
    }
    Ok(())
}

/// Null where the upstream told none.
fn usage(usage: &Value) -> Result<(), String> {
    if usage.is_null() {
        return Ok(());
    }
    rule!(are_counts(usage, &COUNTS), "no usage: {usage}");
    let [prompt, said, total] = COUNTS.map(|name| usage[name].as_u64().unwrap_or(0));
    rule!(prompt.saturating_add(said) == total, "{prompt} and {said} are not {total}");
    rule!(are_counts(&usage["input_tokens_details"], &["cached_tokens"]), "no cached_tokens");
    rule!(are_counts(&usage["output_tokens_details"], &["reasoning_tokens"]), "no reasoning");
    Ok(())
}

fn item(item: &Value) -> Result<(), String> {
    match text(&item["type"]) {
        "message" => {
            rule!(item["role"] == "assistant" && item["content"].is_array(), "not a message");
            for part in list(&item["content"]) {
                let kind = text(&part["type"]);
                let said = match kind {
                    "output_text" => &part["text"],
                    "refusal" => &part["refusal"],
                    other => return Err(format!("no such part: {other}")),
                };
                rule!(said.is_string(), "a part without text");
                rule!(kind == "refusal" || part["annotations"].is_array(), "no annotations");
            }
        }
        "reasoning" => rule!(item["summary"].is_array(), "no summary"),
        "function_call" => {
            rule!(!is_blank(&item["call_id"]) && !is_blank(&item["name"]), "a call of nothing");
            rule!(!is_blank(&item["arguments"]), "no arguments");
        }
        "custom_tool_call" => {
            rule!(!is_blank(&item["call_id"]) && !is_blank(&item["name"]), "a call of nothing");
            rule!(item["input"].is_string(), "no input");
        }
        other => return Err(format!("no such item: {other}")),
    }
    Ok(())
}

pub(crate) fn request(request: &Value) -> Result<(), String> {
    for tool in list(&request["tools"]) {
        let named = ["function", "custom"].contains(&text(&tool["type"]));
        rule!(!named || !is_blank(&tool["name"]), "a tool without a name: {tool}");
    }
    let input = &request["input"];
    rule!(!is_blank(input) || !list(input).is_empty(), "no input");
    let mut calls: BTreeSet<&str> = BTreeSet::new();
    let mut answered: BTreeSet<&str> = BTreeSet::new();
    for (index, item) in list(input).iter().enumerate() {
        let id = text(&item["call_id"]);
        match text(&item["type"]) {
            "" | "message" => message(item).map_err(|why| format!("item {index}: {why}"))?,
            "reasoning" => rule!(item["summary"].is_array(), "item {index}: no summary"),
            "function_call" | "custom_tool_call" => {
                rule!(!id.is_empty() && calls.insert(id), "item {index}: the call {id} twice");
                rule!(!is_blank(&item["name"]), "item {index}: a call of nothing");
            }
            "function_call_output" | "custom_tool_call_output" => {
                rule!(calls.contains(id), "item {index} answers no call: {id}");
                rule!(answered.insert(id), "item {index} answers {id} again");
                let output = &item["output"];
                rule!(output.is_string() || output.is_array(), "item {index}: no output");
            }
            other => return Err(format!("item {index}: {other}")),
        }
    }
    // A history may end with calls: whoever sent it knows why.
    let ends_with_calls =
        list(input).last().is_some_and(|item| text(&item["type"]).ends_with("_call"));
    rule!(calls == answered || ends_with_calls, "calls {calls:?}, answers {answered:?}");
    Ok(())
}

fn message(item: &Value) -> Result<(), String> {
    let role = text(&item["role"]);
    let kinds: &[&str] = match role {
        "assistant" => &["output_text", "refusal"],
        "user" | "system" | "developer" => &["input_text", "input_image", "input_file"],
        other => return Err(format!("the role {other}")),
    };
    let fits = |part: &Value| kinds.contains(&text(&part["type"]));
    let content = &item["content"];
    let parts = list(content);
    rule!(content.is_string() || !parts.is_empty() && parts.iter().all(fits), "{content}");
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn events() -> Vec<Value> {
        let response = |status: &str, output: &Value, usage: &Value| {
            json!({
                "id": "r", "object": "response", "created_at": 1, "model": "m", "status": status,
                "output": output, "usage": usage,
            })
        };
        let part = json!({ "type": "output_text", "text": "hi", "annotations": [] });
        let item = json!({
            "id": "i", "type": "message", "role": "assistant", "status": "completed",
            "content": [part],
        });
        let usage = json!({
            "input_tokens": 1, "output_tokens": 2, "total_tokens": 3,
            "input_tokens_details": { "cached_tokens": 0 },
            "output_tokens_details": { "reasoning_tokens": 0 },
        });
        let at = |kind: &str, more: &Value| {
            let mut event = json!({
                "type": kind, "item_id": "i", "output_index": 0, "content_index": 0,
            });
            super::super::super::accumulate::merge(&mut event, more);
            event
        };
        vec![
            json!({
                "type": "response.created",
                "response": response("in_progress", &json!([]), &Value::Null),
            }),
            at("response.output_item.added", &json!({ "item": { "id": "i", "type": "message" } })),
            at("response.content_part.added", &json!({})),
            at("response.output_text.delta", &json!({ "delta": "hi" })),
            at("response.output_text.done", &json!({ "text": "hi" })),
            at("response.content_part.done", &json!({ "part": part })),
            at("response.output_item.done", &json!({ "item": item })),
            json!({
                "type": "response.completed",
                "response": response("completed", &json!([item]), &usage),
            }),
        ]
    }

    fn check(events: &[Value]) -> Result<(), String> {
        let mut written = String::new();
        for (number, event) in events.iter().enumerate() {
            let mut event = event.clone();
            event["sequence_number"] = number.into();
            written += &format!("event: {}\ndata: {event}\n\n", text(&event["type"]));
        }
        stream(written.as_bytes(), Ending::Whole)
    }

    #[test]
    fn a_right_stream_passes_and_wrong_ones_do_not() {
        let right = events();
        check(&right).unwrap();
        for at in 0..right.len() {
            let (mut missing, mut twice) = (right.clone(), right.clone());
            missing.remove(at);
            assert!(check(&missing).is_err(), "without {at}");
            twice.insert(at, right[at].clone());
            // Created and in progress look the same.
            assert!(check(&twice).is_err() || at == 0, "{at} twice");
        }
    }
}
