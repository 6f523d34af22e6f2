//! What a response object and its items tell, whole or at the end of a stream.

use serde_json::Value;

use crate::llm::translate::answer::{Failed, Spent, Stop};

/// The text of a member; empty if there is none.
pub(super) fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// The text of a member, if it has one.
pub(super) fn some_text(value: &Value, name: &str) -> Option<String> {
    Some(text(value, name)).filter(|text| !text.is_empty()).map(str::to_owned)
}

/// The values of a list; none if there is no list.
pub(super) fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// What a reasoning item shows: its summary, or else the reasoning itself.
pub(super) fn thought(item: &Value) -> String {
    let shown = |name| list(item, name).iter().map(|part| text(part, "text"));
    let text = shown("summary").collect::<Vec<_>>().join("\n\n");
    if text.is_empty() { shown("content").collect() } else { text }
}

/// What it cost; cached tokens are part of `input_tokens`.
pub(super) fn spent(response: &Value) -> Spent {
    let Some(usage) = response.get("usage").filter(|usage| usage.is_object()) else {
        return Spent::default();
    };
    let count = |of: &Value, name: &str| of.get(name).and_then(Value::as_u64);
    let of_input = usage.get("input_tokens_details").unwrap_or(&Value::Null);
    let of_output = usage.get("output_tokens_details").unwrap_or(&Value::Null);
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

/// Why it ended, or what went wrong. A refusal in words is an answer like any other.
pub(super) fn stop(response: &Value, calls: usize) -> Result<Stop, Failed> {
    let reason = response.get("incomplete_details").map_or("", |details| text(details, "reason"));
    match text(response, "status") {
        "failed" | "cancelled" | "queued" | "in_progress" => Err(failure(response)),
        "incomplete" if reason == "content_filter" => Ok(Stop::Refusal),
        "incomplete" if reason == "max_output_tokens" || reason.is_empty() => Ok(Stop::MaxTokens),
        _ if calls > 0 => Ok(Stop::ToolUse),
        _ => Ok(Stop::EndTurn),
    }
}

/// The error of a response, or of an event: in an `error` member, or there itself.
pub(super) fn failure(told: &Value) -> Failed {
    let error = told.get("error").filter(|error| !error.is_null()).unwrap_or(told);
    let kind = some_text(error, "code").or_else(|| some_text(error, "type"));
    let message = some_text(error, "message").or_else(|| error.as_str().map(str::to_owned));
    let status = text(told, "status");
    Failed {
        kind: kind.filter(|kind| kind != "error"),
        message: message.unwrap_or_else(|| format!("the response is {status} without a reason")),
    }
}
