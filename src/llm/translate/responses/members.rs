//! Writes an object member by member, raw JSON included.

use serde::Serialize;

/// An object that is being written.
#[derive(Debug, Default)]
pub(super) struct Members(String);

// === impl Members ===

impl Members {
    /// A member whose value is JSON already.
    pub(super) fn raw(&mut self, name: &str, json: &str) {
        self.0.push(if self.0.is_empty() { '{' } else { ',' });
        // Names may be the caller's, so they are quoted like any text.
        self.0.push_str(&serde_json::Value::from(name).to_string());
        self.0.push(':');
        self.0.push_str(json);
    }

    pub(super) fn put(&mut self, name: &str, value: &impl Serialize) {
        // Only maps with keys other than text fail, and there are none.
        if let Ok(json) = serde_json::to_string(value) {
            self.raw(name, &json);
        }
    }

    pub(super) fn put_some(&mut self, name: &str, value: Option<&impl Serialize>) {
        if let Some(value) = value {
            self.put(name, value);
        }
    }

    pub(super) fn finish(mut self) -> String {
        self.0.push_str(if self.0.is_empty() { "{}" } else { "}" });
        self.0
    }
}
