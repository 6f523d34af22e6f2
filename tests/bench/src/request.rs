//! What callers send, byte for byte.
//!
//! The answers' shape is asked for in two headers that every proxy passes on, so that the provider
//! need not read bodies: `x-bench-events` (none: one JSON answer) and `x-bench-gap-us`.

use std::time::Duration;

use memchr::memmem;

use crate::answer::EVENTS;
use crate::dialect::Pair;

/// The key that the provider demands, and that callers do not have.
pub(crate) const PROVIDER_KEY: &str = "sk-bench-of-the-provider";
const CALLER_KEY: &str = "of-the-caller";
/// In a request that is a check: the model that the provider must find in the body.
pub(crate) const MODEL_HEADER: &str = "x-bench-model";

/// How the provider answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// One JSON body of 0.8 KB.
    Whole,
    /// [`EVENTS`] events, each written by itself, this long after the one before.
    Streamed(Duration),
}

/// A whole request of a caller, with a body of about `size` bytes.
pub(crate) fn bytes(pair: Pair, shape: Shape, size: usize) -> Vec<u8> {
    let body = body(pair, shape, size);
    let asked = match shape {
        Shape::Whole => String::new(),
        Shape::Streamed(gap) => {
            format!("x-bench-events: {EVENTS}\r\nx-bench-gap-us: {}\r\n", gap.as_micros())
        }
    };
    let (path, headers) = (pair.caller().path(), pair.caller().headers());
    let mut request = format!(
        "POST {path} HTTP/1.1\r\nhost: localhost\r\naccept: application/json\r\n\
         content-type: application/json\r\n{headers}{CALLER_KEY}\r\n{asked}\
         content-length: {}\r\n\r\n",
        body.len()
    );
    request.push_str(&body);
    request.into_bytes()
}

/// The same request as a proxy would send it: for the harness alone.
pub(crate) fn with_key(request: &[u8]) -> Vec<u8> {
    let head = request.len().min(1 << 10);
    let Some(at) = memmem::find(&request[..head], CALLER_KEY.as_bytes()) else {
        return request.to_vec();
    };
    let (before, after) = (&request[..at], &request[at + CALLER_KEY.len()..]);
    [before, PROVIDER_KEY.as_bytes(), after].concat()
}

/// The model stands first and the messages last, as SDKs write them.
fn body(pair: Pair, shape: Shape, size: usize) -> String {
    let parameters = match shape {
        Shape::Whole => pair.caller().parameters(),
        Shape::Streamed(_) => pair.caller().stream_parameters(),
    };
    let mut body = format!("{{\"model\":\"{}\",{parameters}\"messages\":[", pair.alias());
    let mut role = "user";
    while body.len() + 70 < size {
        let text = (size - body.len() - 70).min(4000);
        let text: String =
            "The quick brown fox said \\\"no\\\".\\n".chars().cycle().take(text).collect();
        let text = text.trim_end_matches('\\');
        body.push_str(&format!("{{\"role\":\"{role}\",\"content\":\"{text}\"}},"));
        role = if role == "user" { "assistant" } else { "user" };
    }
    body.push_str("{\"role\":\"user\",\"content\":\"Go on.\"}]}");
    body
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        fn check(size: usize) {
            let body = body(Pair::Same, Shape::Whole, size);
            assert!(body.len().abs_diff(size) < 100, "{size}: {}", body.len());
        }
        check(1 << 10);
        check(100 << 10);
        check(2 << 20);
    }
}
