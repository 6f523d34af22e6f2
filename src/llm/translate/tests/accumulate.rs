//! What a client library has at the end of a stream: the answer as if it had come whole.
//!
//! Lenient, as it reads the streams of every vendor, too.

mod chat;
mod messages;
mod responses;

use serde_json::Value;

use super::Speech;
use super::wire::{Wire, events};

/// A stream, gathered.
#[derive(Debug, Clone, Default)]
pub(super) struct Gathered {
    /// As if it had come whole.
    pub(super) answer: Value,
    /// The types of its events, in order; pings are left out.
    pub(super) types: Vec<String>,
    /// The index of each block, in the order of their starts.
    pub(super) indices: Vec<u64>,
    /// Did its last word come: `message_stop`, `[DONE]`, `response.completed`?
    pub(super) done: bool,
    /// The error that it told.
    pub(super) failed: Option<Value>,
    /// Tool arguments that were no JSON.
    pub(super) bad_json: u64,
}

/// Gathers a stream of this dialect.
pub(super) fn gather(speech: Speech, stream: &[u8]) -> Gathered {
    let events = events(stream);
    match speech {
        Speech::Chat => chat::gather(&events),
        Speech::Messages => messages::gather(&events),
        Speech::Responses => responses::gather(&events),
    }
}

/// The JSON of each event; what is none is left out.
fn parsed(events: &[Wire]) -> impl Iterator<Item = Value> + '_ {
    events.iter().filter_map(|event| serde_json::from_str(&event.data).ok())
}

/// More of a text member.
pub(super) fn append(object: &mut Value, name: &str, more: &str) {
    let before = object[name].as_str().unwrap_or_default();
    object[name] = format!("{before}{more}").into();
}

/// Members that are not null replace those of the same name.
pub(super) fn merge(into: &mut Value, from: &Value) {
    for (name, value) in from.as_object().into_iter().flatten() {
        if !value.is_null() {
            into[name] = value.clone();
        }
    }
}
