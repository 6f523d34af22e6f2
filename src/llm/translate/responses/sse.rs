//! Writes events as they stand on the wire: names, sequence numbers and places.

use serde::Serialize;
use serde_json::Value;

use super::members::Members;
use super::output::Output;
use crate::llm::translate::written;

/// Numbers the events.
#[derive(Debug, Default)]
pub(super) struct Sink {
    next: u64,
}

/// Where in the output something is said.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Place<'a> {
    item_id: &'a str,
    output_index: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    content_index: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    summary_index: Option<usize>,
}

/// The events of which there are many, in the order of their members.
#[derive(Serialize)]
struct Delta<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    sequence_number: u64,
    #[serde(flatten)]
    place: Place<'a>,
    delta: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    logprobs: Option<[(); 0]>,
}

// === impl Place ===

impl<'a> Place<'a> {
    pub(super) const fn content(item_id: &'a str, output_index: usize, part: usize) -> Self {
        Self { item_id, output_index, content_index: Some(part), summary_index: None }
    }

    /// There is one part of a summary.
    pub(super) const fn summary(item_id: &'a str, output_index: usize) -> Self {
        Self { item_id, output_index, content_index: None, summary_index: Some(0) }
    }

    pub(super) const fn item(item_id: &'a str, output_index: usize) -> Self {
        Self { item_id, output_index, content_index: None, summary_index: None }
    }
}

// === impl Sink ===

impl Sink {
    /// `response.created` and its kin; `response` is JSON.
    pub(super) fn response(&mut self, name: &str, response: &[u8], out: &mut Vec<u8>) {
        let mut event = self.begin(name);
        event.raw("response", response);
        write(&format!("response.{name}"), &event.finish(), out);
    }

    pub(super) fn item(&mut self, name: &str, output: &Output, index: usize, out: &mut Vec<u8>) {
        if let Some(item) = output.items.get(index) {
            let mut event = self.begin(name);
            event.put("output_index", &index);
            event.put("item", &item.json());
            write(&format!("response.{name}"), &event.finish(), out);
        }
    }

    pub(super) fn event(
        &mut self,
        name: &str,
        place: Option<Place<'_>>,
        members: &[(&str, Value)],
        out: &mut Vec<u8>,
    ) {
        let mut event = self.begin(name);
        if let Some(place) = place {
            event.put("item_id", &place.item_id);
            event.put("output_index", &place.output_index);
            event.put_some("content_index", place.content_index.as_ref());
            event.put_some("summary_index", place.summary_index.as_ref());
        }
        members.iter().for_each(|(member, value)| event.put(member, value));
        write(&format!("response.{name}"), &event.finish(), out);
    }

    pub(super) fn text_delta(&mut self, place: Place<'_>, delta: &str, out: &mut Vec<u8>) {
        self.more("output_text", place, (delta, Some([])), out);
    }

    pub(super) fn delta(&mut self, what: &str, place: Place<'_>, delta: &str, out: &mut Vec<u8>) {
        self.more(what, place, (delta, None), out);
    }

    fn more(
        &mut self,
        what: &str,
        place: Place<'_>,
        (delta, logprobs): (&str, Option<[(); 0]>),
        out: &mut Vec<u8>,
    ) {
        let kind = format!("response.{what}.delta");
        let sequence_number = self.number();
        let delta = Delta { kind: &kind, sequence_number, place, delta, logprobs };
        for part in ["event: ", &kind, "\ndata: "] {
            out.extend_from_slice(part.as_bytes());
        }
        written::append(&delta, out);
        out.extend_from_slice(b"\n\n");
    }

    fn begin(&mut self, name: &str) -> Members {
        let mut event = Members::default();
        event.put("type", &format!("response.{name}"));
        event.put("sequence_number", &self.number());
        event
    }

    fn number(&mut self) -> u64 {
        let number = self.next;
        self.next = number.saturating_add(1);
        number
    }
}

fn write(kind: &str, data: &[u8], out: &mut Vec<u8>) {
    for part in [b"event: ", kind.as_bytes(), b"\ndata: ", data, b"\n\n"] {
        out.extend_from_slice(part);
    }
}
