//! Skips a JSON object or array that nobody reads, in whatever pieces it comes.

use memchr::memchr3;

use crate::llm::json::skip::InString;

/// The kinds of brackets that open a subtree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Brackets {
    /// Of an object.
    Curly,
    /// Of an array.
    Square,
}

/// How far a subtree has come.
#[derive(Debug, Clone, Copy)]
pub(super) struct Subtree {
    brackets: Brackets,
    depth: u32,
    string: InString,
}

// === impl Subtree ===

impl Subtree {
    /// A subtree of which the opening bracket has been read.
    pub(super) fn opened_by(brackets: Brackets) -> Self {
        Self { brackets, depth: 1, string: InString::Outside }
    }

    /// How many bytes belong to it, its closing bracket included.
    pub(super) fn skip(&mut self, bytes: &[u8]) -> usize {
        let mut at = 0;
        while at < bytes.len() && !self.is_closed() {
            at += match self.string {
                InString::Outside => self.between(&bytes[at..]),
                InString::Plain | InString::Escape => self.string.skip(&bytes[at..]),
            };
        }
        at
    }

    /// Has its closing bracket been read?
    pub(super) fn is_closed(&self) -> bool {
        self.depth == 0
    }

    /// Only brackets of the subtree's own kind are counted: in valid JSON the others pair up
    /// between them.
    fn between(&mut self, bytes: &[u8]) -> usize {
        let (open, close) = self.brackets.bytes();
        let Some(end) = memchr3(b'"', open, close, bytes) else {
            return bytes.len();
        };
        match bytes[end] {
            b'"' => self.string = InString::Plain,
            byte if byte == open => self.depth = self.depth.saturating_add(1),
            _ => self.depth -= 1,
        }
        end + 1
    }
}

// === impl Brackets ===

impl Brackets {
    fn bytes(self) -> (u8, u8) {
        match self {
            Self::Curly => (b'{', b'}'),
            Self::Square => (b'[', b']'),
        }
    }
}
