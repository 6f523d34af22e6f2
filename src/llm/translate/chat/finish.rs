//! Why an answer ended: `finish_reason`, in OpenAI's words and in others'.

use super::super::answer::{Failed, Stop};

/// How an answer ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ending {
    /// It is whole, or as long as it may be.
    Stopped(Stop),
    /// The upstream broke off: what came is no answer.
    Failed(Failed),
}

/// What a `finish_reason` says. A word that nobody knows ends an answer like any other.
pub(super) fn read(reason: &str) -> Ending {
    Ending::Stopped(match reason.to_ascii_lowercase().as_str() {
        "length" | "max_tokens" => Stop::MaxTokens,
        "tool_calls" | "function_call" | "tool_use" => Stop::ToolUse,
        "content_filter" | "sensitive" | "refusal" => Stop::Refusal,
        "model_length" | "model_context_window_exceeded" => Stop::ContextWindow,
        "stop_sequence" => Stop::Sequence(None),
        "error" | "network_error" | "insufficient_system_resource" => return failed(reason),
        _ => Stop::EndTurn,
    })
}

/// Some say `stop` although tools are to be called, and some the reverse.
pub(super) fn settled(stop: Stop, calls: usize) -> Stop {
    match (stop, calls) {
        (Stop::EndTurn, 1..) => Stop::ToolUse,
        (Stop::ToolUse, 0) => Stop::EndTurn,
        (stop, _) => stop,
    }
}

/// For a client.
pub(super) const fn write(stop: &Stop) -> &'static str {
    match stop {
        Stop::EndTurn | Stop::Sequence(_) => "stop",
        Stop::MaxTokens | Stop::ContextWindow => "length",
        Stop::ToolUse => "tool_calls",
        Stop::Refusal => "content_filter",
    }
}

fn failed(reason: &str) -> Ending {
    let message = format!("the upstream broke the answer off: {reason}");
    Ending::Failed(Failed { kind: None, message })
}
