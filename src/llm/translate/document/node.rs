//! A value of a document.

use std::borrow::Cow;
use std::fmt;

use serde_json::Number;
use serde_json::value::RawValue;

use super::{Mark, text};

/// A value where it stands.
#[derive(Clone, Copy)]
pub(in crate::llm::translate) struct Node<'a> {
    document: &'a str,
    marks: &'a [Mark],
    at: usize,
}

/// What a value is, by its first byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::llm::translate) enum Kind {
    Null,
    Flag,
    Number,
    Text,
    List,
    Object,
}

// === impl Node ===

impl<'a> Node<'a> {
    pub(super) fn first(document: &'a str, marks: &'a [Mark]) -> Self {
        Self { document, marks, at: 0 }
    }

    pub(in crate::llm::translate) fn kind(self) -> Kind {
        match self.written().as_bytes().first() {
            Some(b'"') => Kind::Text,
            Some(b'{') => Kind::Object,
            Some(b'[') => Kind::List,
            Some(b't' | b'f') => Kind::Flag,
            Some(b'n') | None => Kind::Null,
            Some(_) => Kind::Number,
        }
    }

    /// As it stands there.
    pub(in crate::llm::translate) fn written(self) -> &'a str {
        let Mark { start, end, .. } = self.mark();
        self.document.get(start as usize..end as usize).unwrap_or_default()
    }

    /// As it stands there, to be kept.
    pub(in crate::llm::translate) fn raw(self) -> Box<RawValue> {
        RawValue::from_string(self.written().to_owned())
            .unwrap_or_else(|_| RawValue::NULL.to_owned())
    }

    pub(in crate::llm::translate) fn is_null(self) -> bool {
        self.kind() == Kind::Null
    }

    pub(in crate::llm::translate) fn is_object(self) -> bool {
        self.kind() == Kind::Object
    }

    /// What a text says; `None` for anything else, and for one that is no Unicode.
    pub(in crate::llm::translate) fn text(self) -> Option<Cow<'a, str>> {
        let written = self.written().strip_prefix('"')?;
        text::read(written.strip_suffix('"')?)
    }

    pub(in crate::llm::translate) fn flag(self) -> Option<bool> {
        match self.written() {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        }
    }

    /// A whole number, zero or more.
    pub(in crate::llm::translate) fn count(self) -> Option<u64> {
        self.written().parse().ok()
    }

    /// A number that floating point can hold.
    pub(in crate::llm::translate) fn number(self) -> Option<Number> {
        serde_json::from_str(self.written()).ok()
    }

    /// The items of a list; none of anything else.
    pub(in crate::llm::translate) fn items(self) -> Items<'a> {
        let inside = self.kind() == Kind::List;
        let end = if inside { self.mark().next as usize } else { self.at };
        Items { next: Self { at: self.at + 1, ..self }, end }
    }

    /// The members of an object, in order; none of anything else.
    pub(in crate::llm::translate) fn members(self) -> impl Iterator<Item = (Name<'a>, Self)> {
        let end = if self.is_object() { self.mark().next as usize } else { self.at };
        let mut all = Items { next: Self { at: self.at + 1, ..self }, end };
        std::iter::from_fn(move || Some((Name(all.next()?), all.next()?)))
    }

    /// A member of an object, the last one of this name.
    pub(in crate::llm::translate) fn get(self, name: &str) -> Option<Self> {
        self.members().filter(|(own, _)| own.is(name)).map(|(_, value)| value).last()
    }

    fn mark(self) -> Mark {
        self.marks.get(self.at).copied().unwrap_or(Mark { start: 0, end: 0, next: u32::MAX })
    }
}

impl fmt::Debug for Node<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.written())
    }
}

/// The name of a member.
#[derive(Debug, Clone, Copy)]
pub(in crate::llm::translate) struct Name<'a>(Node<'a>);

// === impl Name ===

impl<'a> Name<'a> {
    /// Is it this one?
    pub(in crate::llm::translate) fn is(self, name: &str) -> bool {
        let written = self.0.written().as_bytes();
        match written.get(1..written.len().saturating_sub(1)) {
            Some(same) if same == name.as_bytes() => true,
            // It may be the same with escapes, which make it longer.
            Some(other) => other.len() > name.len() && self.text() == name,
            None => false,
        }
    }

    /// What it says; nothing if that is no Unicode.
    pub(in crate::llm::translate) fn text(self) -> Cow<'a, str> {
        self.0.text().unwrap_or_default()
    }
}

/// Values that stand next to each other.
pub(in crate::llm::translate) struct Items<'a> {
    next: Node<'a>,
    end: usize,
}

// === impl Items ===

impl<'a> Iterator for Items<'a> {
    type Item = Node<'a>;

    fn next(&mut self) -> Option<Node<'a>> {
        let node = self.next;
        if node.at >= self.end {
            return None;
        }
        self.next.at = node.mark().next as usize;
        Some(node)
    }
}
