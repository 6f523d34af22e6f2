//! The ids of tool calls, by which results find them.
//!
//! Written, they are in the alphabet that this dialect allows: `^[a-zA-Z0-9_-]+$`. An id that is
//! fit stays. Any other is spelt with `_`, the same way for the call and its result; two ids never
//! become one. What an id becomes depends on what was said before it only, so that a longer history
//! begins as the shorter one did, and the provider's cache still serves it.

use std::collections::{HashMap, HashSet};

/// What became of the ids of one conversation.
#[derive(Debug, Default)]
pub(super) struct ToolIds {
    spelt: HashMap<String, String>,
    taken: HashSet<String>,
    /// The last number behind a name that several ids would have.
    numbers: HashMap<String, u32>,
}

/// The ids of the calls of one answer, read: each has one, and no two the same.
#[derive(Debug, Default)]
pub(super) struct CallIds {
    count: u32,
    taken: HashSet<String>,
}

// === impl CallIds ===

impl CallIds {
    /// The next call's place, and its id: made up if it has none of its own.
    pub(super) fn next(&mut self, given: Option<String>) -> (u32, String) {
        let slot = self.count;
        self.count = slot.saturating_add(1);
        let own = given.filter(|id| !id.is_empty() && !self.taken.contains(id));
        let id = own.unwrap_or_else(|| format!("call_{slot}"));
        self.taken.insert(id.clone());
        (slot, id)
    }

    /// Has there been any?
    pub(super) fn any(&self) -> bool {
        self.count > 0
    }
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
        while !self.taken.insert(spelt.clone()) {
            let number = self.numbers.entry(plain.clone()).or_insert(1);
            *number = number.saturating_add(1);
            spelt = format!("{plain}_{number}");
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
