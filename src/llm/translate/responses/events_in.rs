//! Reads the events of a stream.
//!
//! Text is handed on as its deltas come. What comes whole later (`…done`, the finished item, the
//! finished response) only fills what was not said yet: some servers send no deltas, or not all.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::items_told::{Item, Slots, Voice};
use super::told;
use crate::llm::translate::Unreadable;
use crate::llm::translate::answer::Event;

/// Reads the events of a stream.
#[derive(Debug, Default)]
pub(in crate::llm::translate) struct EventReader {
    state: State,
    items: BTreeMap<u64, Item>,
    slots: Slots,
}

#[derive(Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Before,
    Open,
    Over,
}

/// Parts of the names of events that are read.
const READ: &[&str] = &[
    "error",
    "created",
    "output_item",
    "output_text.",
    "refusal",
    "reasoning",
    "function_call_arguments",
    "custom_tool_call_input",
    "completed",
    "incomplete",
    "failed",
];

/// An event, as much of it as matters. One without a type is an error, or nothing.
#[derive(Deserialize)]
struct Told<'a> {
    #[serde(rename = "type", borrow, default)]
    kind: Cow<'a, str>,
    output_index: Option<u64>,
    content_index: Option<u64>,
    summary_index: Option<u64>,
    #[serde(borrow)]
    delta: Option<Cow<'a, str>>,
    text: Option<String>,
    refusal: Option<String>,
    arguments: Option<String>,
    input: Option<String>,
    item: Option<Value>,
    response: Option<Value>,
    error: Option<Value>,
}

// === impl EventReader ===

impl EventReader {
    pub(in crate::llm::translate) fn read(
        &mut self,
        data: &[u8],
        out: &mut Vec<Event>,
    ) -> Result<(), Unreadable> {
        if self.state == State::Over || data.trim_ascii() == b"[DONE]" {
            return Ok(());
        }
        let told = match serde_json::from_slice::<Told<'_>>(data) {
            Ok(told) => told,
            Err(error) => return unfit(data, &error),
        };
        if told.kind == "error" || told.kind.is_empty() && told.error.is_some() {
            return self.failed(data, out);
        }
        match told.kind.strip_prefix("response.") {
            Some(name) => self.event(name, &told, out),
            None => {
                // `keepalive`, and whatever may come: nothing that changes the answer.
                out.push(Event::Ping);
                Ok(())
            }
        }
    }

    /// The body has ended. Whoever has not said so has been cut.
    pub(in crate::llm::translate) fn finish(&mut self, _out: &mut Vec<Event>) {}

    fn event(
        &mut self,
        name: &str,
        told: &Told<'_>,
        out: &mut Vec<Event>,
    ) -> Result<(), Unreadable> {
        match name {
            "created" | "in_progress" | "queued" => self.start(told.response.as_ref(), out),
            "completed" | "incomplete" | "failed" | "cancelled" | "done" => {
                return self.ended(name, told, out);
            }
            "output_item.added" | "output_item.done" => {
                let item = told.item.as_ref().unwrap_or(&Value::Null);
                self.start(None, out);
                self.item(told.output_index, item, name.ends_with("done"), out)?;
            }
            _ => self.piece(name, told, out),
        }
        Ok(())
    }

    fn start(&mut self, response: Option<&Value>, out: &mut Vec<Event>) {
        if self.state == State::Before {
            self.state = State::Open;
            let response = response.unwrap_or(&Value::Null);
            out.push(Event::Start {
                id: told::some_text(response, "id"),
                model: told::some_text(response, "model"),
                usage: told::spent(response),
            });
        }
    }

    fn item(
        &mut self,
        index: Option<u64>,
        item: &Value,
        done: bool,
        out: &mut Vec<Event>,
    ) -> Result<(), Unreadable> {
        let index = index.unwrap_or_else(|| self.last());
        let known = self.items.entry(index).or_default();
        known.told(item, &mut self.slots, out);
        if done { known.done(index, &mut self.slots, out) } else { Ok(()) }
    }

    /// Events without an index belong to the item that came last.
    fn last(&self) -> u64 {
        self.items.last_key_value().map_or(0, |(index, _)| *index)
    }

    /// A delta, or the whole of what the deltas made.
    fn piece(&mut self, name: &str, told: &Told<'_>, out: &mut Vec<Event>) {
        let (voice, part) = match name.rsplit_once('.').map_or(name, |(what, _)| what) {
            "output_text" => (Voice::Text, told.content_index),
            "refusal" => (Voice::Refusal, told.content_index),
            "reasoning_summary_text" | "reasoning_summary" => (Voice::Summary, told.summary_index),
            "reasoning_text" | "reasoning" => (Voice::Reasoning, told.content_index),
            "function_call_arguments" | "custom_tool_call_input" => (Voice::Arguments, None),
            _ => return,
        };
        self.start(None, out);
        let index = told.output_index.unwrap_or_else(|| self.last());
        let item = self.items.entry(index).or_default();
        let part = part.unwrap_or(0);
        if name.ends_with(".delta") {
            let more = told.delta.as_deref().unwrap_or_default();
            return item.more((voice, part), more, out);
        }
        let whole = [&told.text, &told.refusal, &told.arguments, &told.input];
        if let (true, Some(whole)) = (name.ends_with(".done"), whole.into_iter().flatten().next()) {
            item.whole((voice, part), whole, out);
        }
    }

    fn ended(
        &mut self,
        name: &str,
        told: &Told<'_>,
        out: &mut Vec<Event>,
    ) -> Result<(), Unreadable> {
        let response = told.response.as_ref().unwrap_or(&Value::Null);
        self.start(Some(response), out);
        // Not at any time: places in the output need not be the indexes of the events.
        if self.items.is_empty() {
            for (index, item) in (0..).zip(told::list(response, "output")) {
                self.item(Some(index), item, true, out)?;
            }
        }
        for (index, item) in &mut self.items {
            item.done(*index, &mut self.slots, out)?;
        }
        self.state = State::Over;
        match told::stop(&named(response, name), self.slots.count()) {
            Ok(stop) => {
                let usage = told::spent(response);
                out.extend([Event::Stop(stop), Event::Usage(usage), Event::End]);
            }
            Err(failed) => out.push(Event::Failed(failed)),
        }
        Ok(())
    }

    fn failed(&mut self, data: &[u8], out: &mut Vec<Event>) -> Result<(), Unreadable> {
        let told: Value =
            serde_json::from_slice(data).map_err(|error| Unreadable(error.to_string()))?;
        self.state = State::Over;
        out.push(Event::Failed(told::failure(&told)));
        Ok(())
    }
}

/// Members of events that are not read here may have any form.
fn unfit(data: &[u8], error: &serde_json::Error) -> Result<(), Unreadable> {
    let kind = serde_json::from_slice::<Value>(data).ok();
    let kind = kind.as_ref().map_or("", |event| told::text(event, "type"));
    if kind.is_empty() || READ.iter().any(|known| kind.contains(known)) {
        return Err(Unreadable(format!("an event is not what it should be: {error}")));
    }
    Ok(())
}

/// The event's name is a status too, for responses that have none.
fn named(response: &Value, name: &str) -> Value {
    let mut known = serde_json::Map::new();
    known.insert("status".to_owned(), Value::from(name));
    for member in ["status", "incomplete_details", "error"] {
        if let Some(value) = response.get(member).filter(|value| !value.is_null()) {
            known.insert(member.to_owned(), value.clone());
        }
    }
    Value::Object(known)
}
