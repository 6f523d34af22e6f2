//! The tap against recorded traffic of real providers: what it reads must be what the recording's
//! index says was reported, however the bytes are split. The corpus is not part of this
//! repository; without it, these tests say so and pass.

pub(crate) mod corpus;

use std::fs;

use serde_json::Value;

use self::corpus::{Exchange, NOT_QUITE_JSON, Operation, corpus, recorded as everything};
use super::*;

/// Streams that generate nothing, or only blocks that come whole.
const WITHOUT_TOKEN: [&str; 6] = [
    "openai-chat-sse-03",
    "vercel-anthropic-refusal-sse",
    "vercel-anthropic-advisor-stop-reasons-sse",
    "vercel-openai-error_1-sse",
    "vercel-test-overloaded-first-event-sse",
    "anthropic-sdk-refusal_response",
];

fn kind(exchange: &Exchange) -> Option<Kind> {
    Some(match exchange.operation {
        Operation::Chat => Kind::ChatCompletions,
        Operation::Completions => Kind::Completions,
        Operation::Responses => Kind::Responses,
        Operation::Embeddings => Kind::Embeddings,
        Operation::Messages => Kind::Messages,
        Operation::CountTokens => Kind::CountTokens,
        Operation::GenerateContent if exchange.stream => Kind::StreamGenerateContent,
        Operation::GenerateContent => Kind::GenerateContent,
        Operation::Opaque => return None,
    })
}

fn recorded() -> Vec<Recorded> {
    let read = |exchange| Some(Recorded { kind: kind(&exchange)?, exchange });
    everything().into_iter().filter_map(read).collect()
}

/// An exchange whose usage is read.
struct Recorded {
    kind: Kind,
    exchange: Exchange,
}

impl std::ops::Deref for Recorded {
    type Target = Exchange;

    fn deref(&self) -> &Exchange {
        &self.exchange
    }
}

impl Recorded {
    fn observed<'a>(&self, chunks: impl IntoIterator<Item = &'a [u8]>) -> AnswerTap {
        let mut tap = AnswerTap::new(self.kind, &self.content_type, "");
        chunks.into_iter().for_each(|chunk| tap.observe(chunk));
        tap
    }

    /// The stream's events, as the bytes from one blank line to the next.
    fn events(&self) -> Vec<&[u8]> {
        let (mut reader, mut at, mut start) = (crate::llm::sse::Reader::default(), 0, 0);
        let mut events = Vec::new();
        while let Some(piece) = reader.next(&self.body, &mut at) {
            if piece == crate::llm::sse::Piece::EventEnd {
                events.push(&self.body[start..at]);
                start = at;
            }
        }
        events.push(&self.body[start..]);
        events
    }

    /// Is this event its dialect's last? Read from a tree, apart from the code under test.
    fn is_last(&self, event: &[u8]) -> bool {
        let text = String::from_utf8_lossy(event);
        let lines = text.lines().filter_map(|line| line.strip_prefix("data:"));
        let data = lines.map(str::trim).collect::<Vec<_>>().join("\n");
        let value: Value = serde_json::from_str(&data).unwrap_or_default();
        let any = |list: &str, name: &str| {
            let items = value[list].as_array().into_iter().flatten();
            items.into_iter().any(|item| item[name].is_string())
        };
        let last_types = [
            "message_stop",
            "error",
            "response.completed",
            "response.failed",
            "response.incomplete",
            "response.cancelled",
        ];
        !value["error"].is_null()
            || match self.kind {
                Kind::Messages => value["type"].as_str().is_some_and(|t| last_types.contains(&t)),
                Kind::Responses => {
                    data == "[DONE]"
                        || value["type"].as_str().is_some_and(|t| last_types.contains(&t))
                }
                Kind::StreamGenerateContent => {
                    any("candidates", "finishReason")
                        || value["promptFeedback"]["blockReason"].is_string()
                }
                _ => data == "[DONE]" || any("choices", "finish_reason"),
            }
    }
}

#[test]
fn usage_is_what_was_reported() {
    let mut wrong = Vec::new();
    for exchange in recorded() {
        let tap = exchange.observed([&exchange.body[..]]);
        let [input, output, cache_read, cache_creation] = exchange.expected();
        let expected = Usage { input, output, cache_read, cache_creation };
        if tap.usage() != expected {
            wrong.push(format!("{}: {:?}, not {expected:?}", exchange.id, tap.usage()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_split_reads_the_same() {
    fastrand::seed(46);
    for exchange in recorded() {
        let body = &exchange.body[..];
        let seen = |tap: AnswerTap| (tap.usage(), tap.has_token(), tap.end(), tap.between_events());
        let whole = seen(exchange.observed([body]));
        for size in [1, 2, 3, 64, 1000] {
            assert_eq!(seen(exchange.observed(body.chunks(size))), whole, "{}", exchange.id);
        }
        assert_eq!(seen(exchange.observed(exchange.events())), whole, "{}", exchange.id);
        let all = body.len() <= 1500;
        let points = if all { body.len() } else { 8 };
        for point in 0..points {
            let at = if all { point } else { fastrand::usize(..body.len()) };
            let split = [&body[..at], &body[at..]];
            assert_eq!(seen(exchange.observed(split)), whole, "{} at {at}", exchange.id);
        }
    }
}

#[test]
fn a_stream_is_terminal_from_its_last_event_on() {
    for exchange in recorded().into_iter().filter(|exchange| exchange.stream) {
        let mut tap = exchange.observed([]);
        let mut expected = End::Open;
        for event in exchange.events() {
            assert_eq!(tap.end(), expected, "{}", exchange.id);
            tap.observe(event);
            if exchange.is_last(event)
                || tap.end() == End::Terminal && exchange.id == NOT_QUITE_JSON
            {
                expected = End::Terminal;
            }
        }
        assert_eq!(tap.end(), expected, "{}", exchange.id);
        assert!(exchange.status != 200 || expected == End::Terminal, "{}", exchange.id);
        assert!(tap.is_event_stream());
    }
}

#[test]
fn every_answered_stream_has_a_first_token() {
    let silent: Vec<_> = recorded()
        .into_iter()
        .filter(|exchange| exchange.stream && exchange.status == 200)
        .filter(|exchange| !exchange.observed([&exchange.body[..]]).has_token())
        .map(|exchange| exchange.id.clone())
        .collect();
    assert!(silent.is_empty() && corpus().is_none() || silent == WITHOUT_TOKEN, "{silent:?}");
}

/// What another gateway read from these answers. It does not always cut cached tokens off the
/// prompt, so prompts are compared only where no cache is involved; and where it translates, it
/// makes up an answer's count from a total that is larger than its parts, so those are left out.
#[test]
fn a_second_reading_agrees() {
    let Some(folder) = corpus().map(|corpus| corpus.join("agentgateway")) else {
        return;
    };
    let index = fs::read_to_string(folder.join("index.jsonl")).unwrap();
    let mut compared = 0;
    for record in index.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()) {
        let kind = match record["upstream_api"].as_str().unwrap() {
            "openai-chat" => Kind::ChatCompletions,
            "openai-responses" => Kind::Responses,
            "anthropic-messages" => Kind::Messages,
            "gemini" | "vertex-gemini" => Kind::StreamGenerateContent,
            _ => continue,
        };
        let case = fs::read(folder.join(record["file"].as_str().unwrap())).unwrap();
        let case: Value = serde_json::from_slice(&case).unwrap();
        let read = |name: &str| case["expected_parsed"][name].as_u64();
        let made_up = record["id"].as_str().unwrap().contains("/completions/gemini_");
        if read("output_tokens").is_none() || made_up {
            continue;
        }
        compared += 1;
        let mut tap = match case["input_sse"].as_str() {
            Some(_) => AnswerTap::new(kind, "text/event-stream", ""),
            None => AnswerTap::new(kind, "application/json", ""),
        };
        let json = case["input"].to_string();
        tap.observe(case["input_sse"].as_str().unwrap_or(&json).as_bytes());
        let usage = tap.usage();
        assert_eq!(usage.output.unwrap_or(0), read("output_tokens").unwrap(), "{record}");
        let cached = usage.cache_read.unwrap_or(0);
        assert_eq!(cached, read("cached_input_tokens").unwrap_or(0), "{record}");
        if cached == 0 || kind == Kind::Messages {
            assert_eq!(usage.input, read("input_tokens"), "{record}");
        }
    }
    assert!(compared > 60, "the corpus has shrunk to {compared}");
}
