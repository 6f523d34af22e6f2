//! What callers send and what the provider answers, byte for byte.
//!
//! The answers' shape is asked for in two headers that every proxy passes on, so that the provider
//! need not read bodies: `x-bench-events` (none: one JSON answer) and `x-bench-gap-us`.

use std::time::Duration;

use memchr::memmem;

/// The key that the provider demands, and that callers do not have.
pub(crate) const PROVIDER_KEY: &str = "sk-bench-of-the-provider";
const CALLER_KEY: &str = "of-the-caller";
/// The model that callers ask for.
pub(crate) const ALIAS: &str = "bench-alias";
/// The model that Pillion makes of it.
pub(crate) const MODEL: &str = "vendor/bench-model";
/// In a request that is a check: the model that the provider must find in the body.
pub(crate) const MODEL_HEADER: &str = "x-bench-model";
/// Events in a streamed answer.
pub(crate) const EVENTS: usize = 64;

/// How the provider answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// One JSON body of 0.8 KB.
    Whole,
    /// [`EVENTS`] events, each written by itself, this long after the one before.
    Streamed(Duration),
}

/// A whole request of a caller, with a body of about `size` bytes.
pub(crate) fn bytes(shape: Shape, size: usize) -> Vec<u8> {
    let body = body(shape, size);
    let asked = match shape {
        Shape::Whole => String::new(),
        Shape::Streamed(gap) => {
            format!("x-bench-events: {EVENTS}\r\nx-bench-gap-us: {}\r\n", gap.as_micros())
        }
    };
    let mut request = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\naccept: application/json\r\n\
         content-type: application/json\r\nuser-agent: OpenAI/Python 2.1.0\r\n\
         authorization: Bearer {CALLER_KEY}\r\n{asked}content-length: {}\r\n\r\n",
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

/// The provider's JSON answer.
pub(crate) fn answer() -> String {
    let content = "y".repeat(480);
    format!(
        "{{\"id\":\"chatcmpl-bench\",\"object\":\"chat.completion\",\"created\":1700000000,\
         \"model\":\"{MODEL}\",\"choices\":[{{\"index\":0,\"message\":{{\"role\":\"assistant\",\
         \"content\":\"{content}\",\"refusal\":null}},\"logprobs\":null,\
         \"finish_reason\":\"stop\"}}],\"usage\":{USAGE},\"system_fingerprint\":null}}"
    )
}

/// The provider's streamed answer: content, then usage, then the end.
pub(crate) fn events(count: usize) -> Vec<String> {
    (0..count)
        .map(|number| match count - number {
            1 => "data: [DONE]\n\n".to_owned(),
            2 => event(&format!("[],\"usage\":{USAGE}")),
            _ => event(
                "[{\"index\":0,\"delta\":{\"content\":\" lorem\"},\"logprobs\":null,\
                 \"finish_reason\":null}],\"usage\":null",
            ),
        })
        .collect()
}

const USAGE: &str = "{\"prompt_tokens\":250,\"completion_tokens\":120,\"total_tokens\":370}";

fn event(choices: &str) -> String {
    format!(
        "data: {{\"id\":\"chatcmpl-bench\",\"object\":\"chat.completion.chunk\",\
         \"created\":1700000000,\"model\":\"{MODEL}\",\"choices\":{choices}}}\n\n"
    )
}

/// The model stands first and the messages last, as SDKs write them.
fn body(shape: Shape, size: usize) -> String {
    let stream = match shape {
        Shape::Whole => "",
        Shape::Streamed(_) => "\"stream\":true,\"stream_options\":{\"include_usage\":true},",
    };
    let mut body = format!("{{\"model\":\"{ALIAS}\",{stream}\"messages\":[");
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
            let body = body(Shape::Whole, size);
            assert!(body.len().abs_diff(size) < 100, "{size}: {}", body.len());
        }
        check(1 << 10);
        check(100 << 10);
        check(2 << 20);
        assert!(answer().len().abs_diff(820) < 60, "{}", answer().len());
        assert_eq!(events(EVENTS).len(), EVENTS);
    }
}
