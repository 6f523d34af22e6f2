//! What the vendors' clients and services insist on: the streams and answers that we write, and the
//! requests.

pub(super) mod chat;
pub(super) mod messages;
pub(super) mod responses;

use serde_json::Value;

use super::super::stream::State;
use super::{Speech, text};

/// Fails with the rule that was broken.
macro_rules! rule {
    ($holds:expr, $($why:tt)+) => {
        if !$holds {
            return Err(format!($($why)+));
        }
    };
}
use rule;

/// How a stream ended, as far as its form shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// With its dialect's last event.
    Whole,
    /// With an error.
    Failed,
    /// Before either.
    Cut,
}

/// What a client asked for, as far as its stream's form depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Usage {
    Asked,
    NotAsked,
}

impl From<&State> for Ending {
    fn from(state: &State) -> Self {
        match state {
            State::Whole => Self::Whole,
            State::Failed(_) => Self::Failed,
            State::Flowing | State::Broken(_) => Self::Cut,
        }
    }
}

/// Is this a stream as this dialect's clients demand it?
pub(super) fn stream(
    speech: Speech,
    stream: &[u8],
    ending: Ending,
    usage: Usage,
) -> Result<(), String> {
    match speech {
        Speech::Chat => chat::stream(stream, ending, usage),
        Speech::Messages => messages::stream(stream, ending),
        Speech::Responses => responses::stream(stream, ending),
    }
}

/// Is this a whole answer as this dialect's clients demand it?
pub(super) fn answer(speech: Speech, answer: &Value) -> Result<(), String> {
    match speech {
        Speech::Chat => chat::answer(answer),
        Speech::Messages => messages::answer(answer),
        Speech::Responses => responses::answer(answer),
    }
}

/// Is this a request as this dialect's services demand it?
pub(super) fn request(speech: Speech, request: &Value) -> Result<(), String> {
    rule!(!text(&request["model"]).is_empty(), "no model");
    match speech {
        Speech::Chat => chat::request(request),
        Speech::Messages => messages::request(request),
        Speech::Responses => responses::request(request),
    }
}

fn parse(data: &str) -> Result<Value, String> {
    serde_json::from_str(data).map_err(|error| format!("{error}: {data}"))
}

/// Tool arguments: a JSON object, or nothing.
fn arguments(written: &str) -> Result<(), String> {
    let read = if written.is_empty() { Ok(Value::Null) } else { parse(written) };
    read.map(|_| ())
}

/// Not a text that says something.
fn is_blank(value: &Value) -> bool {
    text(value).is_empty()
}

/// All of them are counts.
fn are_counts(object: &Value, names: &[&str]) -> bool {
    names.iter().all(|name| object[*name].is_u64())
}
