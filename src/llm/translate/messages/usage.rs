//! What an answer cost and why it ended, in this dialect's words.

use serde::Deserialize;
use serde_json::{Value, json};

use super::tool_ids::CallIds;
use crate::llm::translate::answer::{Spent, Stop};

/// `usage`. In a stream it comes in pieces, each of which replaces what it names.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct UsageIn {
    input_tokens: Option<u64>,
    output_tokens: Option<u64>,
    cache_read_input_tokens: Option<u64>,
    cache_creation_input_tokens: Option<u64>,
    output_tokens_details: Option<Details>,
    pub(super) service_tier: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
struct Details {
    thinking_tokens: Option<u64>,
}

impl UsageIn {
    /// Replaces what is told here.
    pub(super) fn add_to(&self, spent: &mut Spent) {
        let told = [
            (self.input_tokens, &mut spent.input),
            (self.output_tokens, &mut spent.output),
            (self.cache_read_input_tokens, &mut spent.cache_read),
            (self.cache_creation_input_tokens, &mut spent.cache_creation),
        ];
        for (count, total) in told {
            if let Some(count) = count {
                *total = count;
                spent.told = true;
            }
        }
        let thinking = self.output_tokens_details.as_ref().and_then(|it| it.thinking_tokens);
        spent.reasoning = thinking.or(spent.reasoning);
    }
}

/// `usage`, written. Nothing told is written as nothing spent: the SDKs insist on numbers.
pub(super) fn usage(spent: &Spent) -> Value {
    let mut usage = json!({
        "input_tokens": spent.input,
        "cache_creation_input_tokens": spent.cache_creation,
        "cache_read_input_tokens": spent.cache_read,
        "output_tokens": spent.output,
    });
    if let Some(reasoning) = spent.reasoning {
        usage["output_tokens_details"] = json!({ "thinking_tokens": reasoning });
    }
    usage
}

/// Why it ended: `stop_reason` and `stop_sequence`. What is unknown is an end like any other.
pub(super) fn stop(reason: &str, sequence: Option<String>) -> Stop {
    match reason {
        "max_tokens" => Stop::MaxTokens,
        "stop_sequence" => Stop::Sequence(sequence),
        "tool_use" => Stop::ToolUse,
        "refusal" => Stop::Refusal,
        "model_context_window_exceeded" => Stop::ContextWindow,
        _ => Stop::EndTurn,
    }
}

/// Why an answer with these calls ended: careless servers say neither more nor less than `end_turn`.
pub(super) fn settled(stop: Stop, calls: &CallIds) -> Stop {
    match stop {
        Stop::EndTurn if calls.any() => Stop::ToolUse,
        Stop::ToolUse if !calls.any() => Stop::EndTurn,
        Stop::EndTurn
        | Stop::MaxTokens
        | Stop::Sequence(_)
        | Stop::ToolUse
        | Stop::Refusal
        | Stop::ContextWindow => stop,
    }
}

/// What an answer has in it that decides why it ended.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Contents {
    pub(super) tools: bool,
    pub(super) refusal: bool,
}

/// `stop_reason` and `stop_sequence`. Upstreams are careless about tools, and clients loop by this
/// word alone: tools are to be called if and only if there are any.
pub(super) fn stop_words(stop: &Stop, has: Contents) -> (&'static str, Option<&str>) {
    match stop {
        // Which sequence it was is not always told; without, it is an end like any other.
        Stop::EndTurn | Stop::ToolUse | Stop::Sequence(None) if has.refusal => ("refusal", None),
        Stop::EndTurn | Stop::ToolUse | Stop::Sequence(None) if has.tools => ("tool_use", None),
        Stop::EndTurn | Stop::ToolUse | Stop::Sequence(None) => ("end_turn", None),
        Stop::MaxTokens => ("max_tokens", None),
        Stop::Sequence(Some(sequence)) => ("stop_sequence", Some(sequence)),
        Stop::Refusal => ("refusal", None),
        Stop::ContextWindow => ("model_context_window_exceeded", None),
    }
}
