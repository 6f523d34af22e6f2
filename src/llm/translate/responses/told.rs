//! What a response object and its items tell, whole or at the end of a stream.

use std::borrow::Cow;

use crate::llm::translate::answer::{Failed, Spent, Stop};
use crate::llm::translate::document::Node;

/// The text of a member; empty if there is none.
pub(super) fn text<'a>(value: Node<'a>, name: &str) -> Cow<'a, str> {
    value.get(name).and_then(Node::text).unwrap_or_default()
}

/// The text of a member, if it has one.
pub(super) fn some_text(value: Node<'_>, name: &str) -> Option<String> {
    Some(text(value, name)).filter(|text| !text.is_empty()).map(Cow::into_owned)
}

/// The values of a list; none if there is no list.
pub(super) fn list<'a>(value: Node<'a>, name: &str) -> impl Iterator<Item = Node<'a>> {
    value.get(name).map(Node::items).into_iter().flatten()
}

/// What a reasoning item shows: its summary, or else the reasoning itself.
pub(super) fn thought(item: Node<'_>) -> String {
    let shown = |name| list(item, name).map(|part| text(part, "text"));
    let text = shown("summary").collect::<Vec<_>>().join("\n\n");
    if text.is_empty() { shown("content").collect() } else { text }
}

/// What it cost; cached tokens are part of `input_tokens`.
pub(super) fn spent(response: Node<'_>) -> Spent {
    let Some(usage) = response.get("usage").filter(|usage| usage.is_object()) else {
        return Spent::default();
    };
    let count = |of: Option<Node<'_>>, name: &str| of?.get(name).and_then(Node::count);
    let of_input = usage.get("input_tokens_details");
    let of_output = usage.get("output_tokens_details");
    let usage = Some(usage);
    let cache_read = count(of_input, "cached_tokens").unwrap_or(0);
    let cache_creation = count(of_input, "cache_write_tokens").unwrap_or(0);
    let input = count(usage, "input_tokens").unwrap_or(0);
    Spent {
        told: true,
        input: input.saturating_sub(cache_read).saturating_sub(cache_creation),
        cache_read,
        cache_creation,
        output: count(usage, "output_tokens").unwrap_or(0),
        reasoning: count(of_output, "reasoning_tokens"),
    }
}

/// Why it ended, or what went wrong. A refusal in words is an answer like any other. The name of
/// the last event stands in for a status that is not told.
pub(super) fn stop(response: Option<Node<'_>>, name: &str, calls: usize) -> Result<Stop, Failed> {
    let told = response.map(|response| text(response, "status")).unwrap_or_default();
    let status = if told.is_empty() { name } else { &*told };
    let details = response.and_then(|response| response.get("incomplete_details"));
    let reason = details.map(|details| text(details, "reason")).unwrap_or_default();
    match status {
        "failed" | "cancelled" | "queued" | "in_progress" => Err(failure(response, status)),
        "incomplete" if reason == "content_filter" => Ok(Stop::Refusal),
        "incomplete" if reason == "max_output_tokens" || reason.is_empty() => Ok(Stop::MaxTokens),
        _ if calls > 0 => Ok(Stop::ToolUse),
        _ => Ok(Stop::EndTurn),
    }
}

/// The error of a response with this status, or of an event: in an `error` member, or there itself.
pub(super) fn failure(told: Option<Node<'_>>, status: &str) -> Failed {
    let own = told.and_then(|told| told.get("error")).filter(|error| !error.is_null());
    let error = own.or(told);
    let of_error = |name: &str| error.and_then(|error| some_text(error, name));
    let kind = of_error("code").or_else(|| of_error("type"));
    let itself = || error.and_then(Node::text).map(Cow::into_owned);
    let message = of_error("message").or_else(itself);
    Failed {
        kind: kind.filter(|kind| kind != "error"),
        message: message.unwrap_or_else(|| format!("the response is {status} without a reason")),
    }
}
