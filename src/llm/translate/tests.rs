//! The dialects together: the corpus' cases and recordings, the rules of each dialect's clients and
//! upstreams, arbitrary input, and the tables of fields.
//!
//! What judges here shares no code with what is judged: its own reading of events ([`wire`]), its
//! own accumulation ([`accumulate`]) and its own rules ([`strict`]).

mod accumulate;
mod asserts;
mod cases;
mod fields;
mod goldens;
mod heard;
mod hostile;
mod properties;
mod recorded;
mod strict;
mod substance;
mod wire;

use serde_json::Value;

use super::stream::State;
use super::{Asked, Occasion, Pair, Speech};
use crate::llm::tap::recorded::corpus;

/// The pair of a client and an upstream.
fn pair(client: Speech, upstream: Speech) -> Pair {
    Pair::of(client.api(), upstream.api()).unwrap()
}

fn occasion() -> Occasion {
    Occasion { id: "0a1b2c3d".to_owned(), created: 1_800_000_000 }
}

/// What a client gets of a stream that comes in these chunks, and how it ended.
fn stream<'a>(
    pair: Pair,
    asked: &Asked,
    chunks: impl IntoIterator<Item = &'a [u8]>,
) -> (Vec<u8>, State) {
    let mut translator = pair.stream(asked.clone(), occasion());
    let mut out = Vec::new();
    for chunk in chunks {
        out.extend_from_slice(&translator.push(chunk));
    }
    out.extend_from_slice(&translator.finish());
    (out, translator.state().clone())
}

/// A text, or nothing.
fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// A list, or an empty one.
fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}
