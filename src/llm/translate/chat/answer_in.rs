//! A whole answer, read: its first choice, in whatever form APIs of this kind give it.
//!
//! An error with status 200 is no answer, and neither is one that the upstream broke off: both are
//! [`Unreadable`], in the upstream's words.

use serde_json::Value;

use super::super::Unreadable;
use super::super::answer::{Answer, AnswerPart, Failed, Stop};
use super::super::conversation::{CallKind, Thought, ToolCall};
use super::finish::{self, Ending};
use super::{pieces, usage};

/// # Errors
/// [`Unreadable`]: no answer of this dialect, or an error.
pub(in crate::llm::translate) fn read_answer(body: &[u8]) -> Result<Answer, Unreadable> {
    let body: Value = serde_json::from_slice(body)
        .map_err(|error| Unreadable(format!("it is not JSON: {error}")))?;
    if let Some(failed) = failure(&body) {
        return Err(Unreadable(format!("it is an error: {}", failed.message)));
    }
    let Some(choices) = body.get("choices").and_then(Value::as_array) else {
        return Err(Unreadable("it has no `choices`".to_owned()));
    };
    let id = text(&body, "id");
    let choice = choices.first().unwrap_or(&Value::Null);
    let parts = parts(choice.get("message").unwrap_or(&Value::Null), id.as_deref());
    let calls = parts.iter().filter(|part| matches!(part, AnswerPart::ToolCall(_))).count();
    Ok(Answer {
        stop: finish::settled(stop(choice)?, calls),
        model: text(&body, "model"),
        created: body.get("created").and_then(Value::as_u64),
        usage: usage::find(&body),
        service_tier: text(&body, "service_tier"),
        id,
        parts,
    })
}

/// The error that a body or an event is, if it is one.
pub(super) fn failure(body: &Value) -> Option<Failed> {
    let is_error =
        |error: &&Value| error.is_object() || error.as_str().is_some_and(|it| !it.is_empty());
    let whole = || Some(body).filter(|body| text(body, "object").as_deref() == Some("error"));
    let error = body.get("error").filter(is_error).or_else(whole)?;
    let message = error.get("message").unwrap_or(error);
    let message = message.as_str().map_or_else(|| message.to_string(), str::to_owned);
    let kind = ["type", "code", "status"].iter().find_map(|name| text(error, name));
    Some(Failed { kind, message })
}

/// The words that a stop sequence was found by, where the upstream tells.
pub(super) fn sequence(choice: &Value, stop: Stop) -> Stop {
    match (stop, text(choice, "stop_reason")) {
        (Stop::EndTurn, Some(words)) => Stop::Sequence(Some(words)),
        (stop, _) => stop,
    }
}

/// A string that is not empty.
pub(super) fn text(of: &Value, name: &str) -> Option<String> {
    of.get(name).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned)
}

/// The id of a call that was given none: no other answer's calls have it.
pub(super) fn made_up_id(answer: Option<&str>, call: usize) -> String {
    match answer {
        Some(answer) => format!("call_{answer}_{call}"),
        None => format!("call_{call}"),
    }
}

/// The arguments of a call as text, whatever they came as; empty for none.
pub(super) fn arguments(of: &Value, name: &str) -> String {
    match of.get(name) {
        Some(Value::String(arguments)) => arguments.clone(),
        None | Some(Value::Null) => String::new(),
        Some(other) => other.to_string(),
    }
}

// === private parts ===

fn stop(choice: &Value) -> Result<Stop, Unreadable> {
    match finish::read(&text(choice, "finish_reason").unwrap_or_default()) {
        Ending::Stopped(stop) => Ok(sequence(choice, stop)),
        Ending::Failed(failed) => Err(Unreadable(failed.message)),
    }
}

fn parts(message: &Value, answer: Option<&str>) -> Vec<AnswerPart> {
    let mut parts = Vec::new();
    let thought = pieces::reasoning(message);
    if !thought.is_empty() {
        parts.push(AnswerPart::Thinking(Thought::Plain(thought)));
    }
    parts.extend(pieces::content(message.get("content")));
    parts.extend(text(message, "refusal").map(AnswerPart::Refusal));
    let calls = message.get("tool_calls").and_then(Value::as_array);
    for (at, call) in calls.into_iter().flatten().enumerate() {
        parts.extend(tool_call(call, at, answer).map(AnswerPart::ToolCall));
    }
    if let Some(function) = message.get("function_call").filter(|call| call.is_object()) {
        let id = made_up_id(answer, 0);
        parts.extend(called(function, "arguments", id).map(AnswerPart::ToolCall));
    }
    parts
}

fn tool_call(call: &Value, at: usize, answer: Option<&str>) -> Option<ToolCall> {
    let id = text(call, "id").unwrap_or_else(|| made_up_id(answer, at));
    match call.get("custom") {
        Some(custom) => {
            let call = called(custom, "input", id)?;
            Some(ToolCall { kind: CallKind::Custom, ..call })
        }
        None => called(call.get("function")?, "arguments", id),
    }
}

/// A call that names no tool cannot be made.
fn called(function: &Value, input: &str, id: String) -> Option<ToolCall> {
    let name = text(function, "name")?;
    Some(ToolCall { id, name, arguments: arguments(function, input), kind: CallKind::Function })
}
