//! A whole answer, written.

use serde::Serialize;

use super::super::answer::{Answer, AnswerPart};
use super::super::conversation::{CallKind, Thought, ToolCall};
use super::super::{Asked, Occasion, written};
use super::usage::WrittenUsage;
use super::{custom, finish, usage};

#[derive(Debug, Serialize)]
struct Completion<'a> {
    id: String,
    object: &'static str,
    created: u64,
    model: &'a str,
    choices: [Choice<'a>; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<WrittenUsage>,
    #[serde(skip_serializing_if = "Option::is_none")]
    service_tier: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct Choice<'a> {
    index: u32,
    message: Message<'a>,
    logprobs: Option<()>,
    finish_reason: &'static str,
}

#[derive(Debug, Default, Serialize)]
struct Message<'a> {
    role: &'static str,
    content: Option<String>,
    refusal: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning_content: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_calls: Vec<Call<'a>>,
}

/// A call, whole.
#[derive(Debug, Serialize)]
pub(super) struct Call<'a> {
    id: &'a str,
    #[serde(flatten)]
    tool: Called<'a>,
}

#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Called<'a> {
    Function { function: Function<'a> },
    Custom { custom: Custom<'a> },
}

#[derive(Debug, Serialize)]
struct Function<'a> {
    name: &'a str,
    arguments: &'a str,
}

#[derive(Debug, Serialize)]
struct Custom<'a> {
    name: &'a str,
    input: String,
}

pub(in crate::llm::translate) fn write_answer(
    answer: &Answer,
    asked: &Asked,
    occasion: &Occasion,
) -> Vec<u8> {
    let completion = Completion {
        id: id(answer.id.as_deref(), occasion),
        object: "chat.completion",
        created: answer.created.unwrap_or(occasion.created),
        model: answer.model.as_deref().unwrap_or(&asked.model),
        choices: [Choice {
            index: 0,
            message: message(&answer.parts, asked),
            logprobs: None,
            finish_reason: finish::write(&answer.stop),
        }],
        usage: usage::write(&answer.usage),
        service_tier: answer.service_tier.as_deref().and_then(tier),
    };
    written::to_vec(&completion)
}

/// The upstream's id in this dialect's form.
pub(super) fn id(given: Option<&str>, occasion: &Occasion) -> String {
    match given {
        Some(id) if id.starts_with("chatcmpl-") => id.to_owned(),
        Some(id) if !id.is_empty() => format!("chatcmpl-{id}"),
        _ => format!("chatcmpl-{}", occasion.id),
    }
}

// === private parts ===

/// There is no content where there is a call or a refusal instead; else there is, if only empty.
fn message<'a>(parts: &'a [AnswerPart], asked: &Asked) -> Message<'a> {
    let mut message = Message { role: "assistant", ..Message::default() };
    for part in parts {
        match part {
            AnswerPart::Text(text) => push(&mut message.content, text),
            AnswerPart::Refusal(text) => push(&mut message.refusal, text),
            AnswerPart::Thinking(Thought::Plain(text) | Thought::Signed { text, .. }) => {
                push(&mut message.reasoning_content, text);
            }
            AnswerPart::Thinking(Thought::Redacted(_) | Thought::Item(_)) => {}
            AnswerPart::ToolCall(called) => message.tool_calls.push(call(called, asked)),
        }
    }
    if message.tool_calls.is_empty() && message.refusal.is_none() {
        message.content.get_or_insert_default();
    }
    message
}

fn push(all: &mut Option<String>, text: &str) {
    all.get_or_insert_default().push_str(text);
}

fn call<'a>(call: &'a ToolCall, asked: &Asked) -> Call<'a> {
    let name = call.name.as_str();
    let arguments = match call.arguments.trim() {
        "" => "{}",
        _ => call.arguments.as_str(),
    };
    let tool = match call.kind {
        CallKind::Custom => {
            Called::Custom { custom: Custom { name, input: call.arguments.clone() } }
        }
        CallKind::Function if asked.custom_tools.contains(&call.name) => {
            Called::Custom { custom: Custom { name, input: custom::input(arguments) } }
        }
        CallKind::Function => Called::Function { function: Function { name, arguments } },
    };
    Call { id: &call.id, tool }
}

/// What is not one of this dialect's words is not told.
fn tier(tier: &str) -> Option<&str> {
    match tier {
        "standard" => Some("default"),
        "auto" | "default" | "flex" | "scale" | "priority" | "fast" => Some(tier),
        _ => None,
    }
}
