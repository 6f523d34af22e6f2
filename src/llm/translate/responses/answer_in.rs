//! Reads a whole answer.

use super::told;
use crate::llm::translate::Unreadable;
use crate::llm::translate::answer::{Answer, AnswerPart};
use crate::llm::translate::conversation::{CallKind, Thought, ToolCall};
use crate::llm::translate::document::{Kind, Marks, Node};

pub(super) fn read(body: &[u8]) -> Result<Answer, Unreadable> {
    let mut marks = Marks::default();
    let response = marks.read_unicode(body).map_err(Unreadable)?;
    if response.get("error").is_some_and(|error| !error.is_null()) {
        let status = told::text(response, "status");
        return Err(Unreadable(told::failure(Some(response), &status).message));
    }
    if !response.get("output").is_some_and(|output| output.kind() == Kind::List) {
        return Err(Unreadable("it has no output".to_owned()));
    }
    let mut parts = Vec::new();
    for (index, item) in told::list(response, "output").enumerate() {
        read_item(index, item, &mut parts)?;
    }
    let calls = parts.iter().filter(|part| matches!(part, AnswerPart::ToolCall(_))).count();
    Ok(Answer {
        id: told::some_text(response, "id"),
        model: told::some_text(response, "model"),
        created: created(response),
        parts,
        stop: told::stop(Some(response), "", calls).map_err(|failed| Unreadable(failed.message))?,
        usage: told::spent(response),
        service_tier: told::some_text(response, "service_tier"),
    })
}

/// Some servers write it with a fraction.
fn created(response: Node<'_>) -> Option<u64> {
    response.get("created_at")?.written().split('.').next()?.parse().ok()
}

/// Items of tools that the service ran itself are left out.
fn read_item(index: usize, item: Node<'_>, parts: &mut Vec<AnswerPart>) -> Result<(), Unreadable> {
    match &*told::text(item, "type") {
        "message" => parts.extend(told::list(item, "content").filter_map(content)),
        "reasoning" => {
            let thought = told::thought(item);
            if !thought.is_empty() {
                parts.push(AnswerPart::Thinking(Thought::Plain(thought)));
            }
        }
        "function_call" => parts.push(call(index, item, CallKind::Function)?),
        "custom_tool_call" => parts.push(call(index, item, CallKind::Custom)?),
        _ => {}
    }
    Ok(())
}

fn content(part: Node<'_>) -> Option<AnswerPart> {
    match &*told::text(part, "type") {
        "output_text" => told::some_text(part, "text").map(AnswerPart::Text),
        "refusal" => told::some_text(part, "refusal").map(AnswerPart::Refusal),
        _ => None,
    }
}

fn call(index: usize, item: Node<'_>, kind: CallKind) -> Result<AnswerPart, Unreadable> {
    let arguments = match kind {
        CallKind::Function => "arguments",
        CallKind::Custom => "input",
    };
    let nameless = || Unreadable(format!("output[{index}] is a call without a name"));
    Ok(AnswerPart::ToolCall(ToolCall {
        id: told::some_text(item, "call_id").unwrap_or_else(|| format!("call_{index}")),
        name: told::some_text(item, "name").ok_or_else(nameless)?,
        arguments: told::text(item, arguments).into_owned(),
        kind,
    }))
}
