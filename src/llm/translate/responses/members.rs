//! Writes an object member by member, raw JSON included.

use serde::Serialize;

use crate::llm::translate::written;

/// An object that is being written.
#[derive(Debug, Default)]
pub(super) struct Members(Vec<u8>);

// === impl Members ===

impl Members {
    /// A member whose value is JSON already.
    pub(super) fn raw(&mut self, name: &str, json: &[u8]) {
        self.name(name);
        self.0.extend_from_slice(json);
    }

    pub(super) fn put(&mut self, name: &str, value: &impl Serialize) {
        self.name(name);
        written::append(value, &mut self.0);
    }

    pub(super) fn put_some(&mut self, name: &str, value: Option<&impl Serialize>) {
        if let Some(value) = value {
            self.put(name, value);
        }
    }

    pub(super) fn finish(mut self) -> Vec<u8> {
        self.0.extend_from_slice(if self.0.is_empty() { b"{}" } else { b"}" });
        self.0
    }

    fn name(&mut self, name: &str) {
        self.0.push(if self.0.is_empty() { b'{' } else { b',' });
        // Names may be the caller's, so they are quoted like any text.
        written::quote(name, &mut self.0);
        self.0.push(b':');
    }
}
