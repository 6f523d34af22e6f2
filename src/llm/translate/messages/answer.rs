//! Whole answers, read and written.

use std::borrow::Cow;
use std::fmt::Display;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::arguments;
use super::blocks_out::Block;
use super::tool_ids::CallIds;
use super::usage::{self, Contents, UsageIn};
use crate::llm::translate::answer::{Answer, AnswerPart, Spent, Stop};
use crate::llm::translate::conversation::{CallKind, Thought, ToolCall};
use crate::llm::translate::document::{Marks, Node};
use crate::llm::translate::{Asked, Occasion, Unreadable, written};

/// Reads an answer.
///
/// # Errors
/// [`Unreadable`]: it is no message.
pub(in crate::llm::translate) fn read_answer(body: &[u8]) -> Result<Answer, Unreadable> {
    let mut marks = Marks::default();
    let told = marks.read_unicode(body).map_err(|why| no_message(None, &why))?;
    let message = Message::deserialize(told).map_err(|why| no_message(Some(told), &why))?;
    let mut spent = Spent::default();
    let told = message.usage.unwrap_or_default();
    told.add_to(&mut spent);
    let mut calls = CallIds::default();
    let mut parts = Vec::with_capacity(message.content.len());
    for block in message.content {
        parts.extend(block.read(&mut calls)?);
    }
    let reason = message.stop_reason.unwrap_or_default();
    let stop = usage::settled(usage::stop(&reason, message.stop_sequence), &calls);
    if stop == Stop::Refusal && parts.is_empty() {
        let why = message.stop_details.and_then(|details| details.explanation);
        parts.extend(why.map(AnswerPart::Refusal));
    }
    Ok(Answer {
        id: message.id,
        model: message.model,
        created: None,
        parts,
        stop,
        usage: spent,
        service_tier: told.service_tier,
    })
}

/// Writes an answer.
pub(in crate::llm::translate) fn write_answer(
    answer: &Answer,
    asked: &Asked,
    occasion: &Occasion,
) -> Vec<u8> {
    let mut has = Contents::default();
    let content = answer.parts.iter().filter_map(|part| block(part, &mut has)).collect();
    let (stop_reason, stop_sequence) = usage::stop_words(&answer.stop, has);
    let mut usage = usage::usage(&answer.usage);
    if let Some(tier) = answer.service_tier.as_deref().and_then(tier) {
        usage["service_tier"] = json!(tier);
    }
    let message = MessageOut {
        id: message_id(answer.id.as_deref(), occasion),
        kind: "message",
        role: "assistant",
        model: answer.model.as_deref().unwrap_or(&asked.model),
        content,
        stop_reason,
        stop_sequence,
        usage,
    };
    written::to_vec(&message)
}

/// The id of a message: another dialect's would not look like one.
pub(super) fn message_id(given: Option<&str>, occasion: &Occasion) -> String {
    match given {
        Some(id) if id.starts_with("msg_") => id.to_owned(),
        _ => format!("msg_{}", occasion.id),
    }
}

#[derive(Deserialize)]
struct Message<'a> {
    id: Option<String>,
    model: Option<String>,
    #[serde(borrow)]
    content: Vec<BlockIn<'a>>,
    stop_reason: Option<String>,
    stop_sequence: Option<String>,
    stop_details: Option<StopDetails>,
    usage: Option<UsageIn>,
}

/// Why it would not.
#[derive(Deserialize)]
pub(super) struct StopDetails {
    pub(super) explanation: Option<String>,
}

/// A block of content, whole or as it begins.
#[derive(Deserialize)]
pub(super) struct BlockIn<'a> {
    #[serde(rename = "type", borrow)]
    pub(super) kind: Cow<'a, str>,
    pub(super) text: Option<String>,
    pub(super) thinking: Option<String>,
    pub(super) signature: Option<String>,
    pub(super) data: Option<String>,
    pub(super) id: Option<String>,
    pub(super) name: Option<String>,
    pub(super) input: Option<Box<RawValue>>,
}

#[derive(Serialize)]
struct MessageOut<'a> {
    id: String,
    #[serde(rename = "type")]
    kind: &'static str,
    role: &'static str,
    model: &'a str,
    content: Vec<Block<'a>>,
    stop_reason: &'static str,
    stop_sequence: Option<&'a str>,
    usage: Value,
}

impl BlockIn<'_> {
    /// What the provider's own tools did is left out; what was said of it is text.
    fn read(self, calls: &mut CallIds) -> Result<Option<AnswerPart>, Unreadable> {
        Ok(match &*self.kind {
            "text" => self.text.filter(|text| !text.is_empty()).map(AnswerPart::Text),
            "thinking" => {
                let text = self.thinking.unwrap_or_default();
                let signature = self.signature.filter(|signature| !signature.is_empty());
                Some(AnswerPart::Thinking(match signature {
                    Some(signature) => Thought::Signed { text, signature },
                    None => Thought::Plain(text),
                }))
            }
            "redacted_thinking" => {
                self.data.map(|data| AnswerPart::Thinking(Thought::Redacted(data)))
            }
            "tool_use" => Some(AnswerPart::ToolCall(ToolCall {
                id: calls.next(self.id).1,
                name: self.name.filter(|name| !name.is_empty()).ok_or_else(nameless)?,
                arguments: self.input.map_or_else(|| "{}".to_owned(), |raw| raw.get().to_owned()),
                kind: CallKind::Function,
            })),
            _ => None,
        })
    }
}

fn block<'a>(part: &'a AnswerPart, has: &mut Contents) -> Option<Block<'a>> {
    match part {
        AnswerPart::Text(text) => Block::text(text),
        AnswerPart::Refusal(text) => {
            has.refusal = true;
            Block::text(text)
        }
        AnswerPart::Thinking(thought) => Block::answered(thought),
        AnswerPart::ToolCall(call) => {
            has.tools = true;
            let input = arguments::input(call);
            Some(Block::ToolUse { id: call.id.as_str().into(), name: &call.name, input })
        }
    }
}

/// The tier in this dialect's words.
fn tier(theirs: &str) -> Option<&'static str> {
    match theirs {
        "default" | "standard" => Some("standard"),
        "priority" => Some("priority"),
        "batch" => Some("batch"),
        _ => None,
    }
}

fn nameless() -> Unreadable {
    Unreadable("a tool is called without its name".to_owned())
}

/// Says what came instead of a message: some servers send errors with status 200.
fn no_message(told: Option<Node<'_>>, why: &dyn Display) -> Unreadable {
    let message = told.and_then(|told| told.get("error")?.get("message")?.text());
    Unreadable(match message {
        Some(message) => format!("it is an error: {message}"),
        None => format!("it is no message: {why}"),
    })
}
