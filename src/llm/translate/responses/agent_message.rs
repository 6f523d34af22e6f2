//! Reads what agents of one team tell each other: Codex's `agent_message`.
//!
//! In `encrypted_content` stands what a model wrote as the message of its call. OpenAI's models
//! write ciphertext there, which only their service reads; a model that is served here knows
//! nothing of that, and wrote plain text (openai/codex, pull requests 26210 and 35845).

use super::content_in;
use super::node::{Kind, Node, Object};
use crate::llm::translate::Refused;
use crate::llm::translate::conversation::{Part, Role, Turn};

/// How the service's ciphertext begins: a Fernet token's version and the zeros of its date.
const CIPHERTEXT: &str = "gAAAA";

/// A user's turn, where anything is said.
pub(super) fn read(item: &Object<'_>) -> Result<Option<Turn>, Refused> {
    let Some(content) = item.get("content") else { return Ok(None) };
    let parts = match content.kind() {
        Kind::List => content.list()?.iter().map(part).collect::<Result<Vec<_>, _>>()?,
        Kind::Text | Kind::Object | Kind::Other => content_in::read(&content)?,
    };
    Ok((!parts.is_empty()).then_some(Turn { role: Role::User, parts }))
}

fn part(node: &Node<'_>) -> Result<Part, Refused> {
    let part = node.object()?;
    if part.need("type")?.text()? != "encrypted_content" {
        return content_in::part(node);
    }
    let text = part.need("encrypted_content")?.text()?;
    if text.starts_with(CIPHERTEXT) {
        let why = "only the service that made it can read it: have that model's agents served \
                   where it is, or begin a new conversation";
        return Err(part.refused("encrypted_content", why));
    }
    Ok(Part::Text { text, cache: None })
}
