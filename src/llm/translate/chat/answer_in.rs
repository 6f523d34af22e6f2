//! A whole answer, read: its first choice, in whatever form APIs of this kind give it.
//!
//! An error with status 200 is no answer, and neither is one that the upstream broke off: both are
//! [`Unreadable`], in the upstream's words.

use super::super::Unreadable;
use super::super::answer::{Answer, AnswerPart, Stop};
use super::super::conversation::{CallKind, Thought, ToolCall};
use super::super::document::{Kind, Marks, Node};
use super::finish::{self, Ending};
use super::pieces;
use super::told::{Told, text};

/// # Errors
/// [`Unreadable`]: no answer of this dialect, or an error.
pub(in crate::llm::translate) fn read_answer(body: &[u8]) -> Result<Answer, Unreadable> {
    let mut marks = Marks::default();
    let body = marks.read_unicode(body);
    let body = body.map_err(|why| Unreadable(format!("it is not JSON: {why}")))?;
    let told = Told::of(body);
    if let Some(failed) = told.failure(body) {
        return Err(Unreadable(format!("it is an error: {}", failed.message)));
    }
    let Some(choices) = told.choices.filter(|choices| choices.kind() == Kind::List) else {
        return Err(Unreadable("it has no `choices`".to_owned()));
    };
    let id = text(told.id);
    let choice = choices.items().next();
    let message = choice.and_then(|choice| choice.get("message"));
    let parts = message.map(|message| parts(message, id.as_deref())).unwrap_or_default();
    let calls = parts.iter().filter(|part| matches!(part, AnswerPart::ToolCall(_))).count();
    Ok(Answer {
        stop: finish::settled(choice.map_or(Ok(Stop::EndTurn), stop)?, calls),
        model: text(told.model),
        created: told.created.and_then(Node::count),
        usage: told.usage(),
        service_tier: text(told.service_tier),
        id,
        parts,
    })
}

/// The words that a stop sequence was found by, where the upstream tells.
pub(super) fn sequence(choice: Node<'_>, stop: Stop) -> Stop {
    match (stop, text(choice.get("stop_reason"))) {
        (Stop::EndTurn, Some(words)) => Stop::Sequence(Some(words)),
        (stop, _) => stop,
    }
}

/// The id of a call that was given none: no other answer's calls have it.
pub(super) fn made_up_id(answer: Option<&str>, call: usize) -> String {
    match answer {
        Some(answer) => format!("call_{answer}_{call}"),
        None => format!("call_{call}"),
    }
}

/// The arguments of a call as text, whatever they came as; empty for none.
pub(super) fn arguments(told: Option<Node<'_>>) -> String {
    let told = told.filter(|told| !told.is_null());
    let text = told.map(|told| told.text().unwrap_or_else(|| told.written().into()));
    text.unwrap_or_default().into_owned()
}

// === private parts ===

fn stop(choice: Node<'_>) -> Result<Stop, Unreadable> {
    match finish::read(&text(choice.get("finish_reason")).unwrap_or_default()) {
        Ending::Stopped(stop) => Ok(sequence(choice, stop)),
        Ending::Failed(failed) => Err(Unreadable(failed.message)),
    }
}

fn parts(message: Node<'_>, answer: Option<&str>) -> Vec<AnswerPart> {
    let mut parts = Vec::new();
    let thought = pieces::reasoning(message);
    if !thought.is_empty() {
        parts.push(AnswerPart::Thinking(Thought::Plain(thought)));
    }
    parts.extend(pieces::content(message.get("content")));
    parts.extend(text(message.get("refusal")).map(AnswerPart::Refusal));
    let calls = message.get("tool_calls").into_iter().flat_map(Node::items);
    for (at, call) in calls.enumerate() {
        parts.extend(tool_call(call, at, answer).map(AnswerPart::ToolCall));
    }
    if let Some(function) = message.get("function_call").filter(|call| call.is_object()) {
        let id = made_up_id(answer, 0);
        parts.extend(called(function, "arguments", id).map(AnswerPart::ToolCall));
    }
    parts
}

fn tool_call(call: Node<'_>, at: usize, answer: Option<&str>) -> Option<ToolCall> {
    let id = text(call.get("id")).unwrap_or_else(|| made_up_id(answer, at));
    match call.get("custom") {
        Some(custom) => {
            let call = called(custom, "input", id)?;
            Some(ToolCall { kind: CallKind::Custom, ..call })
        }
        None => called(call.get("function")?, "arguments", id),
    }
}

/// A call that names no tool cannot be made.
fn called(function: Node<'_>, input: &str, id: String) -> Option<ToolCall> {
    let name = text(function.get("name"))?;
    Some(ToolCall { id, name, arguments: arguments(function.get(input)), kind: CallKind::Function })
}
