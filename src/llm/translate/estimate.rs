//! A guess at the tokens of a prompt, where no upstream can be asked.
//!
//! Bytes of text by [`BYTES_PER_TOKEN`], rounded up, names and schemas of tools included; a
//! picture and a binary document as [`PICTURE`] and [`DOCUMENT_BYTES_PER_TOKEN`] say; some for each
//! message. Tokenizers find 3.5 to 4.5 bytes a token in English prose, and fewer in code and other
//! scripts; so it is no more than a guess, and what callers are told carries a marker.

use super::conversation::{Conversation, Part, Source, Thought, Tool};

/// Ten times the bytes of text that make one token.
const BYTES_PER_TOKEN: u64 = 35;
/// The most that Anthropic's models take for one.
const PICTURE: u64 = 1600;
/// Bytes of base64 for each token of a document: a page of 50 kB is about 2,000.
const DOCUMENT_BYTES_PER_TOKEN: u64 = 25;
/// For the frame around a message.
const TURN: u64 = 4;

/// Guesses the prompt's tokens.
pub(super) fn tokens(said: &Conversation) -> u64 {
    let turns = said.turns.iter().map(|turn| TURN + parts(&turn.parts));
    let tools = said.tools.iter().map(tool);
    turns.chain(tools).fold(0, u64::saturating_add)
}

fn parts(all: &[Part]) -> u64 {
    all.iter().map(part).fold(0, u64::saturating_add)
}

fn part(part: &Part) -> u64 {
    match part {
        Part::Text { text, .. } | Part::Refusal(text) => text_tokens(text),
        Part::Image { .. } => PICTURE,
        Part::Document { source, .. } => document(source),
        Part::Audio { data, .. } => bytes(data) / DOCUMENT_BYTES_PER_TOKEN,
        Part::ToolCall(call) => text_tokens(&call.name) + text_tokens(&call.arguments),
        Part::ToolResult { parts: inner, .. } => TURN + parts(inner),
        Part::Thinking(Thought::Plain(text) | Thought::Signed { text, .. }) => text_tokens(text),
        Part::Thinking(Thought::Redacted(_) | Thought::Item(_)) => 0,
    }
}

fn document(source: &Source) -> u64 {
    match source {
        Source::Text(text) => text_tokens(text),
        Source::Base64 { data, .. } => bytes(data) / DOCUMENT_BYTES_PER_TOKEN,
        Source::Url(_) | Source::File(_) => PICTURE,
    }
}

fn tool(tool: &Tool) -> u64 {
    match tool {
        Tool::Function { name, description, schema, .. } => {
            let schema = schema.as_ref().map_or("", |schema| schema.get());
            let described = description.as_deref().unwrap_or_default();
            text_tokens(name) + text_tokens(described) + text_tokens(schema)
        }
        Tool::Custom { name, description, .. } => {
            text_tokens(name) + text_tokens(description.as_deref().unwrap_or_default())
        }
        Tool::Hosted { raw, .. } => text_tokens(raw.get()),
    }
}

fn text_tokens(text: &str) -> u64 {
    (bytes(text) * 10).div_ceil(BYTES_PER_TOKEN)
}

fn bytes(text: &str) -> u64 {
    text.len() as u64
}
