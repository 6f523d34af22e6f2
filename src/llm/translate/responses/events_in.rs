//! Reads the events of a stream.
//!
//! Text is handed on as its deltas come. What comes whole later (`…done`, the finished item, the
//! finished response) only fills what was not said yet: some servers send no deltas, or not all.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Display;

use serde::Deserialize;

use super::items_told::{Item, Slots, Voice};
use super::told;
use crate::llm::translate::Unreadable;
use crate::llm::translate::answer::Event;
use crate::llm::translate::document::{Marks, Node};

/// Reads the events of a stream.
#[derive(Debug, Default)]
pub(in crate::llm::translate) struct EventReader {
    state: State,
    items: BTreeMap<u64, Item>,
    slots: Slots,
    marks: Marks,
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
    delta: Option<Text<'a>>,
    text: Option<Text<'a>>,
    refusal: Option<Text<'a>>,
    arguments: Option<Text<'a>>,
    input: Option<Text<'a>>,
}

#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

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
        let mut marks = std::mem::take(&mut self.marks);
        let read = match marks.read_unicode(data) {
            Ok(event) => self.told(event, out),
            Err(why) => Err(unfit(&why)),
        };
        self.marks = marks;
        read
    }

    fn told(&mut self, event: Node<'_>, out: &mut Vec<Event>) -> Result<(), Unreadable> {
        let told = match Told::deserialize(event) {
            Ok(told) => told,
            Err(mismatch) if matters(event) => return Err(unfit(&mismatch)),
            Err(_) => return Ok(()),
        };
        if told.kind == "error" || told.kind.is_empty() && member(event, "error").is_some() {
            self.failed(event, out);
            return Ok(());
        }
        match told.kind.strip_prefix("response.") {
            Some(name) => self.event(name, (&told, event), out),
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
        (told, event): (&Told<'_>, Node<'_>),
        out: &mut Vec<Event>,
    ) -> Result<(), Unreadable> {
        match name {
            "created" | "in_progress" | "queued" => self.start(member(event, "response"), out),
            "completed" | "incomplete" | "failed" | "cancelled" | "done" => {
                return self.ended(name, member(event, "response"), out);
            }
            "output_item.added" | "output_item.done" => {
                self.start(None, out);
                let item = member(event, "item");
                self.item(told.output_index, item, name.ends_with("done"), out)?;
            }
            _ => self.piece(name, told, out),
        }
        Ok(())
    }

    fn start(&mut self, response: Option<Node<'_>>, out: &mut Vec<Event>) {
        if self.state == State::Before {
            self.state = State::Open;
            out.push(Event::Start {
                id: response.and_then(|response| told::some_text(response, "id")),
                model: response.and_then(|response| told::some_text(response, "model")),
                usage: response.map(told::spent).unwrap_or_default(),
            });
        }
    }

    fn item(
        &mut self,
        index: Option<u64>,
        item: Option<Node<'_>>,
        done: bool,
        out: &mut Vec<Event>,
    ) -> Result<(), Unreadable> {
        let index = index.unwrap_or_else(|| self.last());
        let known = self.items.entry(index).or_default();
        if let Some(item) = item {
            known.told(item, &mut self.slots, out);
        }
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
            let more = told.delta.as_ref().map_or("", |delta| &*delta.0);
            return item.more((voice, part), more, out);
        }
        let whole = [&told.text, &told.refusal, &told.arguments, &told.input];
        if let (true, Some(whole)) = (name.ends_with(".done"), whole.into_iter().flatten().next()) {
            item.whole((voice, part), &whole.0, out);
        }
    }

    fn ended(
        &mut self,
        name: &str,
        response: Option<Node<'_>>,
        out: &mut Vec<Event>,
    ) -> Result<(), Unreadable> {
        self.start(response, out);
        // Not at any time: places in the output need not be the indexes of the events.
        if self.items.is_empty() {
            let output = response.into_iter().flat_map(|response| told::list(response, "output"));
            for (index, item) in (0..).zip(output) {
                self.item(Some(index), Some(item), true, out)?;
            }
        }
        for (index, item) in &mut self.items {
            item.done(*index, &mut self.slots, out)?;
        }
        self.state = State::Over;
        match told::stop(response, name, self.slots.count()) {
            Ok(stop) => {
                let usage = response.map(told::spent).unwrap_or_default();
                out.extend([Event::Stop(stop), Event::Usage(usage), Event::End]);
            }
            Err(failed) => out.push(Event::Failed(failed)),
        }
        Ok(())
    }

    fn failed(&mut self, event: Node<'_>, out: &mut Vec<Event>) {
        self.state = State::Over;
        let status = told::text(event, "status");
        out.push(Event::Failed(told::failure(Some(event), &status)));
    }
}

/// Is it read? Members of events that are not may have any form.
fn matters(event: Node<'_>) -> bool {
    let kind = told::text(event, "type");
    kind.is_empty() || READ.iter().any(|known| kind.contains(known))
}

fn unfit(why: &dyn Display) -> Unreadable {
    Unreadable(format!("an event is not what it should be: {why}"))
}

/// A member that is not null.
fn member<'a>(event: Node<'a>, name: &str) -> Option<Node<'a>> {
    event.get(name).filter(|value| !value.is_null())
}
