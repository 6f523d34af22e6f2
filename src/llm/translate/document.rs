//! JSON documents, read in one pass and looked into where they stand.
//!
//! Owns the grammar (RFC 8259) and where each value begins and ends: a [`Marks`] is filled by one
//! look at every byte, and its [`Node`]s hand out members, items and texts without building a tree.
//! A stream fills the same one for each of its events.
//!
//! Invariants: no input panics; values stand at most [`DEEPEST`] deep in one another; a mark is 16
//! bytes, each value and each name has one, and there are at most [`scan::MOST`]. What is taken for
//! JSON is what `serde_json` takes for it, whose words for what is wrong are used. Does not know
//! what a value means.

mod deserialize;
mod node;
mod scan;
#[cfg(test)]
mod tests;
pub(super) mod text;
mod why;

use scan::{Fault, Letters};
use why::why;

pub(super) use node::{Items, Kind, Name, Node};

/// How deep arrays and objects may stand in one another: what parsers of JSON usually allow.
pub(super) const DEEPEST: usize = 127;

/// By this name raw JSON (`RawValue`) gives itself to whoever reads or writes it.
pub(super) const RAW: &str = "$serde_json::private::RawValue";

/// Where the values of a document stand.
#[derive(Debug, Default)]
pub(super) struct Marks(Vec<Mark>);

/// Where one value stands, or the name of a member.
#[derive(Debug, Clone, Copy)]
struct Mark {
    start: u32,
    /// Behind its last byte.
    end: u32,
    /// The mark behind those of all that is in it.
    next: u32,
    what: What,
}

/// What stands there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    Null,
    Flag,
    Number,
    /// A text that says what is written.
    Text,
    /// A text with escapes.
    Escaped,
    List,
    Object,
}

// === impl Mark ===

impl Mark {
    const NOTHING: Self = Self { start: 0, end: 2, next: u32::MAX, what: What::Null };
}

// === impl Marks ===

impl Marks {
    /// Reads a document, in which texts may be no Unicode: whoever asks for one of those gets none.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn read<'a>(&'a mut self, text: &'a str) -> Result<Node<'a>, String> {
        self.scan(text).map(|(node, _)| node)
    }

    /// Reads a document of which every text is Unicode.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn read_unicode<'a>(&'a mut self, bytes: &'a [u8]) -> Result<Node<'a>, String> {
        let text = std::str::from_utf8(bytes).map_err(|error| error.to_string())?;
        match self.scan(text)? {
            (node, Letters::Whole) => Ok(node),
            (_, Letters::Halves) => Err(why(text)),
        }
    }

    fn scan<'a>(&'a mut self, text: &'a str) -> Result<(Node<'a>, Letters), String> {
        self.0.clear();
        match scan::scan(text.as_bytes(), &mut self.0) {
            Ok(letters) => Ok((Node::first(text, &self.0), letters)),
            Err(Fault::NoJson) => Err(why(text)),
            Err(Fault::TooDeep) => {
                Err(format!("arrays and objects stand in one another more than {DEEPEST} deep"))
            }
            Err(Fault::TooMuch) => Err(format!("it has more than {} values", scan::MOST)),
        }
    }
}
