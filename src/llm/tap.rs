//! Watches an answer as it passes: usage, first token, event boundaries, how the stream ended.
//! Never changes, holds or delays a byte.
//!
//! Invariants: no input is an error; the same bytes give the same result however they are split
//! (but for compressed ones that are malformed: how much of them is read depends on it); memory is
//! constant (a compressed answer adds its decoder's), so an event or a body of any size is read to
//! its end (FAULTS 48). An event counts once its JSON is complete, even if the stream
//! ends without the last blank line.
//!
//! Approximations, on purpose: with several choices in one chat stream, the first `finish_reason`
//! makes it `Terminal`; the first token is the first chat delta with any member but `role` that is
//! not empty, the first `*_delta` or `.delta` event of the other streams, the first Gemini chunk
//! with parts, and the first byte of an answer that is no event stream.
//!
//! Deliberately does not know statuses, providers, or what is done about a stream that was cut.

mod node;
pub(in crate::llm) mod quiet;
mod skim;
mod subtree;
mod text;
mod watcher;

use super::decode::{Coding, Decoder};
use super::operation::Kind;
use super::usage::Usage;
use watcher::Watcher;

/// How far a stream has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// No terminal event seen yet, though this kind of stream has one.
    Open,
    /// The terminal event (or an error event) of its dialect has passed.
    Terminal,
    /// The answer is no stream, or of a kind whose end is not marked: only its framing tells.
    Unmarked,
}

/// The watcher of one answer.
#[derive(Debug)]
pub struct AnswerTap {
    body: Body,
    event_stream: bool,
}

// === impl AnswerTap ===

impl AnswerTap {
    /// A watcher for an answer to `kind` with these `content-type` and `content-encoding`.
    pub fn new(kind: Kind, content_type: &str, content_encoding: &str) -> Self {
        let watcher = Watcher::new(kind, content_type);
        Self {
            event_stream: watcher.reads_events(),
            body: match Coding::named(content_encoding) {
                Some(Coding::Identity) => Body::Plain(watcher),
                Some(coding) => Body::Coded { decoder: Decoder::new(coding), watcher },
                None => Body::Opaque { seen: false },
            },
        }
    }

    /// Sees the next bytes, as they are on the wire.
    pub fn observe(&mut self, chunk: &[u8]) {
        match &mut self.body {
            Body::Plain(watcher) => watcher.observe(chunk),
            Body::Coded { decoder, watcher } => {
                // A fault shows in `may_lag`; the client's bytes are not our business.
                decoder.decode(chunk, &mut |piece| watcher.observe(piece)).unwrap_or_default();
            }
            Body::Opaque { seen } => *seen |= !chunk.is_empty(),
        }
    }

    /// What has been reported so far.
    pub fn usage(&self) -> Usage {
        self.watcher().map(Watcher::usage).unwrap_or_default()
    }

    /// Has any generated content (text, reasoning, tool arguments) passed?
    pub fn has_token(&self) -> bool {
        match &self.body {
            Body::Opaque { seen } => *seen,
            Body::Plain(watcher) | Body::Coded { watcher, .. } => watcher.has_token(),
        }
    }

    /// Is this an event stream?
    pub fn is_event_stream(&self) -> bool {
        self.event_stream
    }

    /// Do the bytes seen so far end between two events (or is nothing sent yet), so that a comment
    /// or an error event may be inserted? False for compressed streams.
    pub fn between_events(&self) -> bool {
        matches!(&self.body, Body::Plain(watcher) if watcher.between_events())
    }

    /// How far the stream has come.
    pub fn end(&self) -> End {
        match &self.body {
            Body::Plain(watcher) => watcher.end(),
            Body::Coded { decoder, watcher } => match watcher.end() {
                End::Open if decoder.may_lag() => End::Unmarked,
                end => end,
            },
            Body::Opaque { .. } => End::Unmarked,
        }
    }

    fn watcher(&self) -> Option<&Watcher> {
        match &self.body {
            Body::Plain(watcher) | Body::Coded { watcher, .. } => Some(watcher),
            Body::Opaque { .. } => None,
        }
    }
}

// === private parts ===

/// The answer's bytes, as far as they can be read.
#[derive(Debug)]
enum Body {
    Plain(Watcher),
    Coded {
        decoder: Decoder,
        watcher: Watcher,
    },
    /// In a coding that nobody here decodes.
    Opaque {
        seen: bool,
    },
}

#[cfg(test)]
pub(super) mod recorded;
#[cfg(test)]
mod tests;
