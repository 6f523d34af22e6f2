//! `system`, written: what system and developer messages say, wherever they stand.

use super::blocks_out::{Block, Content};
use crate::llm::translate::Refused;
use crate::llm::translate::conversation::{Conversation, Format, Part, Role};

/// Stands in for `json_object`, which has no counterpart. OpenAI insists that such a request asks
/// for JSON in its own words too.
const JSON_OBJECT: &str = "Answer with one JSON object and nothing else: no other text, no fences.";

/// All system text, in order; `None` if there is none.
///
/// # Errors
/// [`Refused`]: it must be text.
pub(super) fn system(said: &Conversation) -> Result<Option<Content<'_>>, Refused> {
    let mut blocks = Vec::new();
    let is_system = |role| matches!(role, Role::System | Role::Developer);
    for part in said.turns.iter().filter(|turn| is_system(turn.role)).flat_map(|turn| &turn.parts) {
        let Part::Text { text, cache } = part else {
            let why = "a system message must be text; send the rest in a user message";
            return Err(Refused::new("messages[].content", why));
        };
        if !text.trim().is_empty() {
            blocks.push(Block::Text { text, cache_control: cache.as_deref() });
        }
    }
    if matches!(said.format, Format::JsonObject) {
        blocks.push(Block::Text { text: JSON_OBJECT, cache_control: None });
    }
    Ok((!blocks.is_empty()).then(|| Content::of(blocks)))
}
