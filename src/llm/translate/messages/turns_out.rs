//! `messages`, written: turns of user and assistant that alternate.

use serde::Serialize;

use super::blocks_out::{self, Block, Content};
use super::tool_ids::ToolIds;
use crate::llm::translate::Refused;
use crate::llm::translate::conversation::{Role, Turn};

/// A turn.
#[derive(Debug, Serialize)]
pub(super) struct TurnOut<'a> {
    role: &'static str,
    content: Content<'a>,
}

/// The turns, without the system's.
///
/// The API wants every result of an assistant's calls in the one user turn behind them, and there
/// before all else. So turns of one role become one, and results move to its front; turns in which
/// nothing is said are left out.
///
/// # Errors
/// [`Refused`]: what has no counterpart, and a request in which nobody but the system speaks.
pub(super) fn turns(said: &[Turn]) -> Result<Vec<TurnOut<'_>>, Refused> {
    let mut ids = ToolIds::default();
    let mut turns: Vec<(&'static str, Vec<Block<'_>>)> = Vec::new();
    for turn in said {
        let Some(role) = role(turn.role) else { continue };
        let blocks = blocks_out::all(&turn.parts, &mut ids)?;
        match turns.last_mut() {
            _ if blocks.is_empty() => {}
            Some((last, together)) if *last == role => together.extend(blocks),
            _ => turns.push((role, blocks)),
        }
    }
    if turns.is_empty() {
        return Err(Refused::new("messages", "nothing is said to the model; send a user message"));
    }
    trim_end(&mut turns);
    Ok(turns.into_iter().map(TurnOut::of).collect())
}

// === impl TurnOut ===

impl<'a> TurnOut<'a> {
    fn of((role, mut blocks): (&'static str, Vec<Block<'a>>)) -> Self {
        // Stable: results and the rest keep their order.
        blocks.sort_by_key(|block| !matches!(block, Block::ToolResult { .. }));
        Self { role, content: Content::of(blocks) }
    }

    /// Is it the user's?
    pub(super) fn is_the_users(&self) -> bool {
        self.role == "user"
    }

    /// Does it begin with a result of a tool?
    pub(super) fn brings_results(&self) -> bool {
        matches!(self.first(), Some(Block::ToolResult { .. }))
    }

    /// Does it begin with a thought?
    pub(super) fn begins_with_thought(&self) -> bool {
        matches!(self.first(), Some(Block::Thinking { .. } | Block::RedactedThinking { .. }))
    }

    fn first(&self) -> Option<&Block<'a>> {
        match &self.content {
            Content::Blocks(blocks) => blocks.first(),
            Content::Text(_) => None,
        }
    }
}

const fn role(role: Role) -> Option<&'static str> {
    match role {
        Role::User => Some("user"),
        Role::Assistant => Some("assistant"),
        Role::System | Role::Developer => None,
    }
}

/// The text that an answer is to go on from must not end in blanks.
fn trim_end(turns: &mut [(&'static str, Vec<Block<'_>>)]) {
    if let Some(("assistant", blocks)) = turns.last_mut()
        && let Some(Block::Text { text, .. }) = blocks.last_mut()
    {
        *text = text.trim_end();
    }
}
