//! The ids of tool calls in the alphabet that this dialect allows: `^[a-zA-Z0-9_-]+$`.
//!
//! An id that is fit stays. Any other is spelt with `_`, the same way for the call and its result;
//! two ids never become one. What an id becomes depends on what was said before it only, so that a
//! longer history begins as the shorter one did, and the provider's cache still serves it.

use std::collections::{HashMap, HashSet};

/// What became of the ids of one conversation.
#[derive(Debug, Default)]
pub(super) struct ToolIds {
    spelt: HashMap<String, String>,
    taken: HashSet<String>,
}

// === impl ToolIds ===

impl ToolIds {
    /// The id as it is written.
    pub(super) fn spell(&mut self, id: &str) -> String {
        if let Some(spelt) = self.spelt.get(id) {
            return spelt.clone();
        }
        let plain = in_alphabet(id);
        let mut spelt = plain.clone();
        let mut number = 2_u32;
        while !self.taken.insert(spelt.clone()) {
            spelt = format!("{plain}_{number}");
            number = number.saturating_add(1);
        }
        self.spelt.insert(id.to_owned(), spelt.clone());
        spelt
    }
}

fn in_alphabet(id: &str) -> String {
    let fit = |letter: char| letter.is_ascii_alphanumeric() || letter == '_' || letter == '-';
    let spelt: String = id.chars().map(|letter| if fit(letter) { letter } else { '_' }).collect();
    if spelt.is_empty() { "call".to_owned() } else { spelt }
}
