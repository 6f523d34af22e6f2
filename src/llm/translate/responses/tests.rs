//! Requests, answers and streams of the responses API, read and written.

mod answers;
mod events_in;
mod events_out;
mod fates;
mod properties;
mod request_in;
mod request_out;

use serde_json::Value;

use super::super::{Asked, Occasion};

fn json(text: &[u8]) -> Value {
    serde_json::from_slice(text).unwrap()
}

fn occasion() -> Occasion {
    Occasion { id: "abc".to_owned(), created: 1_700_000_000 }
}

/// What is kept of a request.
fn asked(request: &Value) -> Asked {
    super::read_request(request.to_string().as_bytes()).unwrap().into_asked()
}
