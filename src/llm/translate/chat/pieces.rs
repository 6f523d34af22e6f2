//! Text and thoughts in the forms that APIs of this kind give them: a string, a list of parts, an
//! object with a `text`; in answers, in streams and, coming back, in histories.

use serde_json::Value;

use super::super::answer::AnswerPart;
use super::super::conversation::Thought;

/// The members in which a thought may stand, the best first. Some APIs fill several with the same
/// text.
pub(super) const REASONING: [&str; 3] = ["reasoning_content", "reasoning", "reasoning_details"];

/// The thought that a message or delta holds; empty if none.
pub(super) fn reasoning(message: &Value) -> String {
    let told = REASONING.iter().filter_map(|name| message.get(name)).map(thought);
    told.into_iter().find(|thought| !thought.is_empty()).unwrap_or_default()
}

/// The text of a thought: of a string, of an object with a text or a summary, of a list of these.
pub(super) fn thought(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(thought).collect(),
        Value::Object(object) => {
            let names = ["text", "summary", "content", "thinking"];
            names.iter().find_map(|name| object.get(*name)).map(thought).unwrap_or_default()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => String::new(),
    }
}

/// The `content` of a message or delta. Nothing of it is empty.
pub(super) fn content(content: Option<&Value>) -> Vec<AnswerPart> {
    let parts = match content {
        Some(Value::String(text)) => vec![AnswerPart::Text(text.clone())],
        Some(Value::Array(parts)) => parts.iter().filter_map(part).collect(),
        _ => Vec::new(),
    };
    parts.into_iter().filter(is_filled).collect()
}

fn part(part: &Value) -> Option<AnswerPart> {
    let text = |name: &str| part.get(name).and_then(Value::as_str).map(str::to_owned);
    match part.get("type").and_then(Value::as_str) {
        Some("thinking" | "reasoning") => {
            let of = part.get("thinking").unwrap_or(part);
            Some(AnswerPart::Thinking(Thought::Plain(thought(of))))
        }
        Some("refusal") => text("refusal").map(AnswerPart::Refusal),
        _ => text("text").map(AnswerPart::Text),
    }
}

fn is_filled(part: &AnswerPart) -> bool {
    match part {
        AnswerPart::Text(text)
        | AnswerPart::Refusal(text)
        | AnswerPart::Thinking(Thought::Plain(text)) => !text.is_empty(),
        AnswerPart::Thinking(_) | AnswerPart::ToolCall(_) => true,
    }
}
