//! The arguments of a tool: JSON text elsewhere, always an object here.

use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value, json};

use crate::llm::translate::conversation::{CallKind, ToolCall};
use crate::llm::translate::depth::is_too_deep;

/// Where text ends up that is no object: a custom tool's as it should be; a function refuses it by
/// this name, and its model sees what it wrote.
const NO_OBJECT: &str = "input";

/// The input of a call.
pub(super) fn input(call: &ToolCall) -> Box<RawValue> {
    match call.kind {
        CallKind::Function => object(&call.arguments),
        CallKind::Custom => raw(&json!({ NO_OBJECT: call.arguments })),
    }
}

/// Arguments as an object: byte for byte if they are one. Nothing is `{}`; an object that was
/// written as text is taken out of it; one that is too deep for parsers stays text.
pub(super) fn object(arguments: &str) -> Box<RawValue> {
    let text = arguments.trim();
    if text.is_empty() || text == "null" {
        return raw(&Value::Object(Map::new()));
    }
    if is_too_deep(text.as_bytes()) {
        return raw(&json!({ NO_OBJECT: arguments }));
    }
    if text.starts_with('{')
        && let Ok(object) = RawValue::from_string(text.to_owned())
    {
        return object;
    }
    if let Ok(inner) = serde_json::from_str::<String>(text)
        && let Ok(Value::Object(_)) = serde_json::from_str(&inner)
        && let Ok(object) = RawValue::from_string(inner)
    {
        return object;
    }
    raw(&json!({ NO_OBJECT: arguments }))
}

fn raw(value: &Value) -> Box<RawValue> {
    to_raw_value(value).unwrap_or_else(|_| RawValue::NULL.to_owned())
}

/// Tells, piece by piece, whether the text of an object is complete.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Scanner {
    /// Nothing but blanks so far.
    #[default]
    Blank,
    /// Within the object.
    Open { depth: u32, text: Text },
    /// It is complete; what follows does not belong to it.
    Complete,
    /// It is no object.
    Other,
}

/// Within an object: is it within a text?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Text {
    Outside,
    Inside,
    /// After a backslash.
    Escape,
}

// === impl Scanner ===

impl Scanner {
    /// Reads on, and returns how much of `more` belongs to the object.
    pub(super) fn read<'a>(&mut self, more: &'a str) -> &'a str {
        for (at, byte) in more.bytes().enumerate() {
            *self = self.after(byte);
            if *self == Self::Complete {
                return more.get(..=at).unwrap_or(more);
            }
        }
        more
    }

    fn after(self, byte: u8) -> Self {
        match (self, byte) {
            (Self::Blank, b' ' | b'\t' | b'\r' | b'\n') => self,
            (Self::Blank, b'{') => Self::Open { depth: 1, text: Text::Outside },
            (Self::Blank, _) => Self::Other,
            (Self::Open { depth, text }, _) => text.after(depth, byte),
            (Self::Complete | Self::Other, _) => self,
        }
    }
}

// === impl Text ===

impl Text {
    fn after(self, depth: u32, byte: u8) -> Scanner {
        let (depth, text) = match (self, byte) {
            (Self::Outside, b'{' | b'[') => (depth.saturating_add(1), self),
            (Self::Outside, b'}' | b']') => (depth.saturating_sub(1), self),
            (Self::Outside, b'"') | (Self::Escape, _) => (depth, Self::Inside),
            (Self::Inside, b'"') => (depth, Self::Outside),
            (Self::Inside, b'\\') => (depth, Self::Escape),
            (Self::Outside | Self::Inside, _) => (depth, self),
        };
        if depth == 0 { Scanner::Complete } else { Scanner::Open { depth, text } }
    }
}
