//! Streams that are broken in a way that a gateway may mend or tell: which outcomes are right.
//!
//! That they follow the rules of their dialect has been checked before.

use super::super::accumulate::Gathered;
use super::super::{State, list, text};

/// What is wrong with the outcome.
pub(super) fn failures(id: &str, gathered: &Gathered, state: &State) -> Vec<String> {
    let blocks = list(&gathered.answer["content"]);
    let is_error = *state != State::Whole;
    let named = blocks.iter().all(|block| !matches!(text(&block["name"]), "" if calls(block)));
    let right = match id.rsplit('/').next().unwrap() {
        // Skipped, or an error.
        "malformed-chunk-skipped" => is_error || text(&blocks[0]["text"]) == "ab",
        "reasoning-object-form" => true,
        // Never a clean end.
        "malformed-message_start" | "malformed-content_block_start" | "malformed-error" => {
            is_error && !gathered.done
        }
        // A made up name, or an error, but no empty name.
        "empty-name-throughout" | "non-string-name" => is_error || named,
        "late-id-after-finish" => blocks.iter().filter(|block| calls(block)).count() <= 1,
        other => panic!("what is tolerated of {other}?"),
    };
    if right { Vec::new() } else { vec![format!("{state:?}: {}", gathered.answer)] }
}

fn calls(block: &serde_json::Value) -> bool {
    block["type"] == "tool_use"
}
