//! Text and thoughts in the forms that APIs of this kind give them: a string, a list of parts, an
//! object with a `text`; in answers, in streams and, coming back, in histories.

use std::borrow::Cow;

use super::super::answer::AnswerPart;
use super::super::conversation::Thought;
use super::super::document::{Kind, Node};

/// The members in which a thought may stand, the best first. Some APIs fill several with the same
/// text.
pub(super) const REASONING: [&str; 3] = ["reasoning_content", "reasoning", "reasoning_details"];

/// The thought that a message or delta holds; empty if none.
pub(super) fn reasoning(message: Node<'_>) -> String {
    let told = REASONING.iter().filter_map(|name| message.get(name)).map(thought);
    told.into_iter().find(|thought| !thought.is_empty()).unwrap_or_default()
}

/// The text of a thought: of a string, of an object with a text or a summary, of a list of these.
pub(super) fn thought(value: Node<'_>) -> String {
    match value.kind() {
        Kind::Text => value.text().map(Cow::into_owned).unwrap_or_default(),
        Kind::List => value.items().map(thought).collect(),
        Kind::Object => {
            let names = ["text", "summary", "content", "thinking"];
            names.iter().find_map(|name| value.get(name)).map(thought).unwrap_or_default()
        }
        Kind::Null | Kind::Flag | Kind::Number => String::new(),
    }
}

/// The `content` of a message or delta. Nothing of it is empty.
pub(super) fn content(content: Option<Node<'_>>) -> impl Iterator<Item = AnswerPart> {
    let text = content.and_then(Node::text).map(|text| AnswerPart::Text(text.into_owned()));
    let parts = content.into_iter().flat_map(Node::items).filter_map(part);
    text.into_iter().chain(parts).filter(is_filled)
}

fn part(part: Node<'_>) -> Option<AnswerPart> {
    let text = |name: &str| part.get(name).and_then(Node::text).map(Cow::into_owned);
    match part.get("type").and_then(Node::text).as_deref() {
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
