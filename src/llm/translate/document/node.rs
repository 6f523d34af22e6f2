//! A value of a document.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde_json::Number;
use serde_json::value::RawValue;

use super::{Mark, What, text};

/// A value where it stands.
#[derive(Clone, Copy)]
pub(in crate::llm::translate) struct Node<'a> {
    document: &'a str,
    marks: &'a [Mark],
    at: usize,
}

/// What a value is.
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
        match self.mark().what {
            What::Null => Kind::Null,
            What::Flag => Kind::Flag,
            What::Number => Kind::Number,
            What::Text | What::Escaped => Kind::Text,
            What::List => Kind::List,
            What::Object => Kind::Object,
        }
    }

    /// As it stands there.
    pub(in crate::llm::translate) fn written(self) -> &'a str {
        let Mark { start, end, .. } = self.mark();
        self.document.get(start as usize..end as usize).unwrap_or_default()
    }

    /// As it stands there, to be kept.
    pub(in crate::llm::translate) fn raw(self) -> Box<RawValue> {
        Deserialize::deserialize(self).unwrap_or_else(|_| RawValue::NULL.to_owned())
    }

    pub(in crate::llm::translate) fn is_null(self) -> bool {
        self.kind() == Kind::Null
    }

    pub(in crate::llm::translate) fn is_object(self) -> bool {
        self.kind() == Kind::Object
    }

    /// What a text says; `None` for anything else, and for one that is no Unicode.
    pub(in crate::llm::translate) fn text(self) -> Option<Cow<'a, str>> {
        let Mark { start, end, what, .. } = self.mark();
        let inside = || self.document.get(start as usize + 1..end as usize - 1);
        match what {
            What::Text => inside().map(Cow::Borrowed),
            What::Escaped => text::read(inside()?).map(Cow::Owned),
            What::Null | What::Flag | What::Number | What::List | What::Object => None,
        }
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
        self.inside(What::List)
    }

    /// The members of an object, in order; none of anything else.
    pub(in crate::llm::translate) fn members(self) -> impl Iterator<Item = (Name<'a>, Self)> {
        let mut all = self.inside_of_object();
        std::iter::from_fn(move || Some((Name(all.next()?), all.next()?)))
    }

    /// A member of an object, the last one of this name.
    pub(in crate::llm::translate) fn get(self, name: &str) -> Option<Self> {
        let mut found = None;
        for (own, value) in self.members() {
            if own.is(name) {
                found = Some(value);
            }
        }
        found
    }

    /// Names and values by turns.
    pub(super) fn inside_of_object(self) -> Items<'a> {
        self.inside(What::Object)
    }

    /// What stands in a value of this kind.
    fn inside(self, what: What) -> Items<'a> {
        let mark = self.mark();
        let end = if mark.what == what { mark.next as usize } else { 0 };
        Items { next: Self { at: self.at + 1, ..self }, end }
    }

    fn mark(self) -> Mark {
        self.marks.get(self.at).copied().unwrap_or(Mark::NOTHING)
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
        let Mark { start, end, what, .. } = self.0.mark();
        match what {
            // Its quotes count.
            What::Text if (end - start) as usize != name.len() + 2 => false,
            _ => self.text() == name,
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
