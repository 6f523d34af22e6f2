//! The response object: what a whole answer is, and what the first and last events of a stream
//! carry.

use serde_json::{Value, json};

use super::members::Members;
use super::output::Output;
use super::{ids, repeated};
use crate::llm::translate::answer::{Spent, Stop};
use crate::llm::translate::{Asked, Occasion};

/// What stays the same from the first event to the last.
#[derive(Debug)]
pub(super) struct Head {
    id: String,
    model: String,
    created: u64,
    asked: Asked,
}

/// How an answer ended, if it has.
#[derive(Debug)]
pub(super) enum Ending<'a> {
    InProgress,
    Stopped(&'a Stop),
    Failed { code: &'a str, message: &'a str },
}

// === impl Head ===

impl Head {
    /// The upstream's own id is kept within ours, so that an answer can be found in its logs.
    pub(super) fn new(
        (id, model): (Option<&str>, Option<&str>),
        created: Option<u64>,
        asked: Asked,
        occasion: &Occasion,
    ) -> Self {
        let id = id.filter(|id| !id.is_empty()).unwrap_or(&occasion.id);
        let id =
            if id.starts_with("resp_") { id.to_owned() } else { format!("resp_{}", ids::fit(id)) };
        let model = model.filter(|model| !model.is_empty()).unwrap_or(&asked.model).to_owned();
        Self { id, model, created: created.unwrap_or(occasion.created), asked }
    }

    /// The whole object.
    pub(super) fn write(
        &self,
        output: &Output,
        ending: &Ending<'_>,
        usage: &Spent,
        tier: Option<&str>,
    ) -> Vec<u8> {
        let mut response = Members::default();
        response.put("id", &self.id);
        response.put("object", &"response");
        response.put("created_at", &self.created);
        response.put("status", &ending.status());
        response.put("error", &ending.error());
        response.put("incomplete_details", &ending.incomplete());
        response.put("model", &self.model);
        response.put("output", &output.json());
        repeated::write(&self.asked, &mut response);
        response.put("service_tier", &tier.and_then(known_tier));
        response.put("usage", &ending.usage(usage));
        response.finish()
    }
}

// === impl Ending ===

impl Ending<'_> {
    /// The name of the last event, too.
    pub(super) fn status(&self) -> &'static str {
        match self {
            Self::InProgress => "in_progress",
            Self::Failed { .. } => "failed",
            Self::Stopped(_) if self.reason().is_some() => "incomplete",
            Self::Stopped(_) => "completed",
        }
    }

    fn reason(&self) -> Option<&'static str> {
        match self {
            Self::Stopped(Stop::MaxTokens | Stop::ContextWindow) => Some("max_output_tokens"),
            Self::Stopped(Stop::Refusal) => Some("content_filter"),
            Self::Stopped(Stop::EndTurn | Stop::Sequence(_) | Stop::ToolUse)
            | Self::InProgress
            | Self::Failed { .. } => None,
        }
    }

    fn incomplete(&self) -> Value {
        self.reason().map_or(Value::Null, |reason| json!({ "reason": reason }))
    }

    /// Nothing told counts as nothing at the end of an answer: some clients insist on numbers.
    fn usage(&self, spent: &Spent) -> Value {
        match self {
            Self::InProgress => Value::Null,
            Self::Failed { .. } if !spent.told => Value::Null,
            Self::Stopped(_) | Self::Failed { .. } => json!({
                "input_tokens": spent.prompt(),
                "input_tokens_details": {
                    "cached_tokens": spent.cache_read,
                    "cache_write_tokens": spent.cache_creation,
                },
                "output_tokens": spent.output,
                "output_tokens_details": { "reasoning_tokens": spent.reasoning.unwrap_or(0) },
                "total_tokens": spent.prompt().saturating_add(spent.output),
            }),
        }
    }

    fn error(&self) -> Value {
        match self {
            Self::Failed { code, message } => json!({ "code": code, "message": message }),
            Self::InProgress | Self::Stopped(_) => Value::Null,
        }
    }
}

/// Clients know these words only; Anthropic's word for the usual is another.
fn known_tier(tier: &str) -> Option<&str> {
    match tier {
        "standard" => Some("default"),
        "auto" | "default" | "flex" | "scale" | "priority" | "fast" | "ultrafast" => Some(tier),
        _ => None,
    }
}
