//! Edits `stream_options` so that an OpenAI chat stream tells its usage (PROVIDERS 1.2).

use std::ops::Range;

use bytes::Bytes;

use super::members::{Members, Shape, Value, Visit};
use super::{BodyFacts, JsonFault, Splice, StreamOptions};

/// The splice that makes an OpenAI stream report its usage, or `None` if it already will, if it is
/// no stream, or if the client's `stream_options` cannot be edited.
pub fn ask_for_usage(facts: &BodyFacts) -> Option<Splice> {
    if !facts.stream {
        return None;
    }
    match &facts.stream_options {
        StreamOptions::Absent => {
            let member = r#""stream_options":{"include_usage":true}"#;
            Some(insert(facts.insert_at?, member, Contents::of(facts)))
        }
        StreamOptions::Present { span, text } if text == b"null" => Some(Splice {
            at: span.clone(),
            with: Bytes::from_static(br#"{"include_usage":true}"#),
        }),
        StreamOptions::Present { span, text } => edit(span.start, text),
        StreamOptions::Opaque => None,
    }
}

/// Does a member follow, so that a comma must?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Contents {
    Empty,
    Filled,
}

/// What `stream_options` says of `include_usage`.
#[derive(Debug, Default)]
enum IncludeUsage {
    #[default]
    Unsaid,
    /// `false` or `null`, at this place.
    No(Range<usize>),
    Yes,
    /// Something that the upstream must judge.
    Odd,
}

// === impl Contents ===

impl Contents {
    fn of(facts: &BodyFacts) -> Self {
        if facts.empty_object { Self::Empty } else { Self::Filled }
    }
}

// === impl IncludeUsage ===

impl Visit for IncludeUsage {
    fn key(&mut self, key: &[u8]) -> Result<usize, JsonFault> {
        match (key, &self) {
            (b"include_usage", Self::Unsaid) => Ok("false".len()),
            (b"include_usage", _) => Err(JsonFault::Duplicate("include_usage")),
            _ => Ok(0),
        }
    }

    fn value(&mut self, value: Value<'_>) -> Result<(), JsonFault> {
        *self = match value.text {
            Some(b"true") => Self::Yes,
            Some(b"false" | b"null") => Self::No(value.span),
            _ => Self::Odd,
        };
        Ok(())
    }
}

fn edit(start: usize, text: &[u8]) -> Option<Splice> {
    let mut members = Members::new(IncludeUsage::default());
    members.feed(text);
    let member = r#""include_usage":true"#;
    match members.finish().ok()? {
        (IncludeUsage::Unsaid, Shape::Empty(at)) => {
            Some(insert(start + at, member, Contents::Empty))
        }
        (IncludeUsage::Unsaid, Shape::Filled(at)) => {
            Some(insert(start + at, member, Contents::Filled))
        }
        (IncludeUsage::No(at), _) => {
            Some(Splice { at: start + at.start..start + at.end, with: Bytes::from_static(b"true") })
        }
        (IncludeUsage::Unsaid | IncludeUsage::Yes | IncludeUsage::Odd, _) => None,
    }
}

fn insert(at: usize, member: &'static str, contents: Contents) -> Splice {
    let with = match contents {
        Contents::Empty => Bytes::from_static(member.as_bytes()),
        Contents::Filled => Bytes::from(format!("{member},")),
    };
    Splice { at: at..at, with }
}
