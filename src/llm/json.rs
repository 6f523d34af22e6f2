//! Finds the top-level members of a JSON body that routing needs, chunk by chunk, without building
//! a tree; and splices new bytes into a body held as chunks, without copying the rest.
//!
//! Reading order: this file (which members matter), `members` (the walk over them), `skip`
//! (over what lies between), `text` (what escapes stand for), `splice`, `include_usage`.
//!
//! Invariants: bytes outside a splice are never touched, whatever they are (FAULTS 21 to 24); a
//! body on whose model two parsers could disagree is refused (FAULTS 23); memory does not grow with
//! the body, nor with its depth.

mod include_usage;
mod members;
pub(super) mod skip;
mod splice;
#[cfg(test)]
mod tests;
pub(super) mod text;

use std::ops::Range;

use thiserror::Error;

use self::members::{Members, Shape, Value, Visit};
use self::text::TextError;

pub use self::include_usage::ask_for_usage;
pub use self::splice::{Splice, quoted, splice};

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
    /// There, an object or `null`, and this is its value's span with its bytes (at most 4 KiB;
    /// longer ones are `Opaque`).
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
#[derive(Debug)]
pub struct BodyScanner {
    members: Members<Reader>,
}

const MODEL_LIMIT: usize = 1024;
const STREAM_OPTIONS_LIMIT: usize = 4096;

/// Every byte of a model name may be written as `\u0000`, and quotes stand around it.
const RAW_MODEL_LIMIT: usize = MODEL_LIMIT * 6 + 2;

/// Gathers the facts from the members that matter.
#[derive(Debug, Default)]
struct Reader {
    facts: BodyFacts,
    /// The member whose value comes next.
    current: Member,
    /// Which members have come already, by `Member as usize`.
    seen: [bool; 4],
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Member {
    #[default]
    Other,
    Model,
    Stream,
    StreamOptions,
}

// === impl BodyScanner ===

impl BodyScanner {
    /// Scans the next bytes of the body. A fault is kept and told by `finish`.
    pub fn feed(&mut self, chunk: &[u8]) {
        self.members.feed(chunk);
    }

    /// The facts, once the body is whole. An empty body has no facts and no fault.
    ///
    /// # Errors
    /// The first [`JsonFault`] met.
    pub fn finish(self) -> Result<BodyFacts, JsonFault> {
        let (reader, shape) = self.members.finish()?;
        let (insert_at, empty_object) = match shape {
            Shape::Blank => (None, false),
            Shape::Empty(inside) => (Some(inside), true),
            Shape::Filled(inside) => (Some(inside), false),
        };
        Ok(BodyFacts { insert_at, empty_object, ..reader.facts })
    }
}

impl Default for BodyScanner {
    fn default() -> Self {
        Self { members: Members::new(Reader::default()) }
    }
}

// === impl Reader ===

impl Visit for Reader {
    fn key(&mut self, key: &[u8]) -> Result<usize, JsonFault> {
        let (member, wanted) = match key {
            b"model" => (Member::Model, RAW_MODEL_LIMIT),
            b"stream" => (Member::Stream, "true".len()),
            b"stream_options" => (Member::StreamOptions, STREAM_OPTIONS_LIMIT),
            // Some parsers (Go's) match names without regard to case: to them this one counts, too.
            _ if key.eq_ignore_ascii_case(b"model") => (Member::Model, 0),
            _ => (Member::Other, 0),
        };
        let seen = &mut self.seen[member as usize];
        if *seen && member != Member::Other {
            return Err(JsonFault::Duplicate(member.name()));
        }
        *seen = true;
        self.current = member;
        Ok(wanted)
    }

    fn value(&mut self, value: Value<'_>) -> Result<(), JsonFault> {
        match self.current {
            Member::Model => self.facts.model = Some(model(value)?),
            Member::Stream => self.facts.stream = value.text == Some(b"true"),
            Member::StreamOptions => self.facts.stream_options = stream_options(value),
            Member::Other => {}
        }
        Ok(())
    }
}

// === impl Member ===

impl Member {
    const fn name(self) -> &'static str {
        match self {
            Self::Other => "",
            Self::Model => "model",
            Self::Stream => "stream",
            Self::StreamOptions => "stream_options",
        }
    }
}

fn model(value: Value<'_>) -> Result<ModelMember, JsonFault> {
    let raw = match (value.first, value.text) {
        (b'"', Some([_, raw @ .., _])) => raw,
        (b'"', _) => return Err(JsonFault::ModelTooLong),
        _ => return Err(JsonFault::ModelNotAString),
    };
    let name = text::decode(raw).map_err(|error| match error {
        TextError::Syntax(at) | TextError::NotUnicode(at) => {
            JsonFault::Syntax(value.span.start + 1 + at)
        }
    })?;
    if name.len() > MODEL_LIMIT {
        return Err(JsonFault::ModelTooLong);
    }
    Ok(ModelMember { span: value.span, name: name.into_owned() })
}

fn stream_options(value: Value<'_>) -> StreamOptions {
    match (value.first, value.text) {
        (b'{' | b'n', Some(text)) => {
            StreamOptions::Present { span: value.span, text: text.to_vec() }
        }
        _ => StreamOptions::Opaque,
    }
}
