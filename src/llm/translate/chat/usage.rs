//! What an answer cost, in this dialect's counts: the prompt's include what caches served.

use serde::Serialize;

use super::super::answer::Spent;
use super::super::document::Node;
use crate::llm::usage::{Count, Report};

/// `usage`, for a client.
#[derive(Debug, Clone, Serialize)]
pub(super) struct WrittenUsage {
    prompt_tokens: u64,
    completion_tokens: u64,
    total_tokens: u64,
    prompt_tokens_details: PromptDetails,
    completion_tokens_details: CompletionDetails,
}

#[derive(Debug, Clone, Serialize)]
struct PromptDetails {
    cached_tokens: u64,
    cache_write_tokens: u64,
}

#[derive(Debug, Clone, Serialize)]
struct CompletionDetails {
    reasoning_tokens: u64,
}

/// What an upstream's `usage` says.
pub(super) fn read(usage: Node<'_>) -> Spent {
    let mut report = Report::default();
    set(&mut report, usage, Count::named);
    let details = ["prompt_tokens_details", "completion_tokens_details"];
    for details in details.iter().filter_map(|name| usage.get(name)) {
        set(&mut report, details, Count::named_in_details);
    }
    let reasoning =
        usage.get("completion_tokens_details").and_then(|it| it.get("reasoning_tokens"));
    let usage = report.openai();
    Spent {
        told: usage.is_reported(),
        input: usage.input.unwrap_or(0),
        cache_read: usage.cache_read.unwrap_or(0),
        cache_creation: usage.cache_creation.unwrap_or(0),
        output: usage.output.unwrap_or(0),
        reasoning: reasoning.and_then(Node::count),
    }
}

/// Takes over a later report. Some APIs send zeros in every chunk but one.
pub(super) fn replace(known: &mut Spent, later: Spent) {
    let is_positive = |spent: &Spent| spent.prompt() > 0 || spent.output > 0;
    if later.told && (is_positive(&later) || !is_positive(known)) {
        *known = later;
    }
}

/// For a client; `None` if nothing is known.
pub(super) fn write(spent: &Spent) -> Option<WrittenUsage> {
    spent.told.then(|| WrittenUsage {
        prompt_tokens: spent.prompt(),
        completion_tokens: spent.output,
        total_tokens: spent.prompt().saturating_add(spent.output),
        prompt_tokens_details: PromptDetails {
            cached_tokens: spent.cache_read,
            cache_write_tokens: spent.cache_creation,
        },
        completion_tokens_details: CompletionDetails {
            reasoning_tokens: spent.reasoning.unwrap_or(0),
        },
    })
}

fn set(report: &mut Report, counts: Node<'_>, named: fn(&[u8]) -> Option<Count>) {
    for (name, value) in counts.members() {
        if let (Some(count), Some(tokens)) = (named(name.text().as_bytes()), value.count()) {
            report.set(count, tokens);
        }
    }
}
