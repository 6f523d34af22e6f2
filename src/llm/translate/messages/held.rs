//! The blocks of a stream that is written: the one that the client is in, and those that wait.

use super::arguments::{self, Scanner};

/// The block that the client is in.
#[derive(Debug)]
pub(super) enum Open {
    Text,
    Thinking,
    Tool(Tool),
    /// All of it was told at its beginning.
    Whole,
}

/// A block that waits for those before it.
#[derive(Debug)]
pub(super) enum Waiting {
    Text(String),
    Thinking { text: String, signature: String },
    Redacted(String),
    Tool(Call),
}

/// A call that waits.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) slot: u32,
    pub(super) id: String,
    pub(super) name: String,
    pub(super) arguments: String,
    pub(super) ended: bool,
}

/// A call whose arguments are on their way to the client.
#[derive(Debug)]
pub(super) struct Tool {
    pub(super) slot: u32,
    scanner: Scanner,
    /// What was not handed on, as it may not be an object's.
    held: String,
    told: bool,
}

// === impl Open ===

impl Open {
    /// Must those that wait go on waiting?
    pub(super) fn is_incomplete(&self) -> bool {
        matches!(self, Self::Tool(tool) if tool.scanner != Scanner::Complete)
    }
}

// === impl Tool ===

impl Tool {
    pub(super) fn new(slot: u32) -> Self {
        Self { slot, scanner: Scanner::default(), held: String::new(), told: false }
    }

    /// What of it can be handed on: an object's text. What follows the object is no part of it.
    pub(super) fn read<'a>(&mut self, more: &'a str) -> Option<&'a str> {
        if self.scanner == Scanner::Complete {
            return None;
        }
        let more = self.scanner.read(more);
        if matches!(self.scanner, Scanner::Blank | Scanner::Other) {
            self.held.push_str(more);
            return None;
        }
        self.told = self.told || !more.is_empty();
        (!more.is_empty()).then_some(more)
    }

    /// What is to be handed on at its end: an object, if there was none.
    pub(super) fn rest(self) -> Option<String> {
        (!self.told).then(|| arguments::object(&self.held).get().to_owned())
    }
}
