//! Writes turns as items.
//!
//! System and developer messages at the beginning are the `instructions`, where every server looks
//! for them; later ones stay in their places, so that what came before them stays the same and is
//! found in the prompt cache.

use std::borrow::Cow;
use std::collections::HashSet;

use serde::Serialize;
use serde_json::value::RawValue;

use super::content_out::{self, Content};
use super::ids;
use crate::llm::translate::Refused;
use crate::llm::translate::conversation::{CallKind, Part, Role, Thought, ToolCall, Turn};

/// An item of the input.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Item<'a> {
    Message {
        role: &'static str,
        content: Vec<Content<'a>>,
    },
    FunctionCall {
        call_id: Cow<'a, str>,
        name: &'a str,
        arguments: &'a str,
    },
    CustomToolCall {
        call_id: Cow<'a, str>,
        name: &'a str,
        input: &'a str,
    },
    FunctionCallOutput {
        call_id: Cow<'a, str>,
        output: Output<'a>,
    },
    CustomToolCallOutput {
        call_id: Cow<'a, str>,
        output: Output<'a>,
    },
    /// One that was this service's before.
    #[serde(untagged)]
    Whole(&'a RawValue),
}

/// What a tool brought.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Output<'a> {
    Text(Cow<'a, str>),
    Parts(Vec<Content<'a>>),
}

/// The instructions and the items. Where nothing else is said, instructions are messages too: the
/// service wants an input.
pub(super) fn items(turns: &[Turn]) -> Result<(Option<String>, Vec<Item<'_>>), Refused> {
    let first = turns.iter().position(|turn| !is_instruction(turn)).unwrap_or(0);
    let (leading, rest) = turns.split_at(first);
    let texts: Vec<&str> = leading.iter().flat_map(|turn| &turn.parts).filter_map(text).collect();
    let instructions = (!texts.is_empty()).then(|| texts.join("\n\n"));
    let mut writer = Writer::default();
    rest.iter().try_for_each(|turn| writer.turn(turn))?;
    Ok((instructions, writer.items))
}

/// Of text alone; a picture among the system's words stays a message.
fn is_instruction(turn: &Turn) -> bool {
    matches!(turn.role, Role::System | Role::Developer)
        && turn.parts.iter().all(|part| matches!(part, Part::Text { .. }))
}

fn text(part: &Part) -> Option<&str> {
    match part {
        Part::Text { text, .. } if !text.is_empty() => Some(text),
        _ => None,
    }
}

/// Items so far, and the message that may still grow.
#[derive(Default)]
struct Writer<'a> {
    items: Vec<Item<'a>>,
    content: Vec<Content<'a>>,
    custom: HashSet<&'a str>,
}

// === impl Writer ===

impl<'a> Writer<'a> {
    fn turn(&mut self, turn: &'a Turn) -> Result<(), Refused> {
        let role = match turn.role {
            Role::System => "system",
            Role::Developer => "developer",
            Role::User => "user",
            Role::Assistant => "assistant",
        };
        for part in &turn.parts {
            self.part(role, turn.role, part)?;
        }
        self.message(role);
        Ok(())
    }

    fn part(&mut self, word: &'static str, role: Role, part: &'a Part) -> Result<(), Refused> {
        let item = match part {
            Part::ToolCall(call) => Some(self.call(call)),
            Part::ToolResult { id, parts, .. } => Some(self.output(id, parts)?),
            Part::Thinking(thought) => thinking(thought),
            Part::Text { .. }
            | Part::Image { .. }
            | Part::Document { .. }
            | Part::Audio { .. }
            | Part::Refusal(_) => {
                self.content.extend(content_out::content(role, part)?);
                return Ok(());
            }
        };
        if let Some(item) = item {
            self.message(word);
            self.items.push(item);
        }
        Ok(())
    }

    /// Ends the message that is being gathered, if there is one.
    fn message(&mut self, role: &'static str) {
        let content = std::mem::take(&mut self.content);
        if !content.is_empty() {
            self.items.push(Item::Message { role, content });
        }
    }

    fn call(&mut self, call: &'a ToolCall) -> Item<'a> {
        let (call_id, name) = (ids::fit(&call.id), call.name.as_str());
        match call.kind {
            CallKind::Custom => {
                self.custom.insert(&call.id);
                Item::CustomToolCall { call_id, name, input: &call.arguments }
            }
            CallKind::Function => {
                let empty = call.arguments.trim().is_empty();
                let arguments = if empty { "{}" } else { call.arguments.as_str() };
                Item::FunctionCall { call_id, name, arguments }
            }
        }
    }

    /// An output has the kind of its call.
    fn output(&self, id: &'a str, parts: &'a [Part]) -> Result<Item<'a>, Refused> {
        let (call_id, output) = (ids::fit(id), output(parts)?);
        Ok(match self.custom.contains(id) {
            true => Item::CustomToolCallOutput { call_id, output },
            false => Item::FunctionCallOutput { call_id, output },
        })
    }
}

/// Text alone is a string, which every server takes. A failure is told by the text.
fn output(parts: &[Part]) -> Result<Output<'_>, Refused> {
    let texts: Vec<&str> = parts.iter().filter_map(text).collect();
    if parts.iter().all(|part| matches!(part, Part::Text { .. })) {
        return Ok(Output::Text(match texts.as_slice() {
            [text] => Cow::Borrowed(*text),
            texts => Cow::Owned(texts.join("\n")),
        }));
    }
    let mut content = Vec::new();
    for part in parts {
        content.extend(content_out::content(Role::User, part)?);
    }
    Ok(Output::Parts(content))
}

/// Thoughts of other services are worth nothing to this one.
fn thinking(thought: &Thought) -> Option<Item<'_>> {
    match thought {
        Thought::Item(raw) => serde_json::from_str(raw).ok().map(Item::Whole),
        Thought::Plain(_) | Thought::Signed { .. } | Thought::Redacted(_) => None,
    }
}
