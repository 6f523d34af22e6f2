//! Watches an answer as it passes: usage, first token, event boundaries, how the stream ended.
//! Never changes, holds or delays a byte.

use super::operation::Kind;
use super::usage::Usage;

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
pub struct AnswerTap {}

impl AnswerTap {
    /// A watcher for an answer to `kind` with these `content-type` and `content-encoding`.
    pub fn new(kind: Kind, content_type: &str, content_encoding: &str) -> Self {
        let _ = (kind, content_type, content_encoding);
        Self {}
    }

    /// Sees the next bytes, as they are on the wire.
    pub fn observe(&mut self, chunk: &[u8]) {
        let _ = chunk;
    }

    /// What has been reported so far.
    pub fn usage(&self) -> Usage {
        Usage::default()
    }

    /// Has any generated content (text, reasoning, tool arguments) passed?
    pub fn has_token(&self) -> bool {
        false
    }

    /// Is this an event stream?
    pub fn is_event_stream(&self) -> bool {
        false
    }

    /// Do the bytes seen so far end between two events (or is nothing sent yet), so that a comment
    /// or an error event may be inserted? False for compressed streams.
    pub fn between_events(&self) -> bool {
        false
    }

    /// How far the stream has come.
    pub fn end(&self) -> End {
        End::Unmarked
    }
}
