//! Writes a request: everything but its items and tools.
//!
//! Nothing is kept by the service (`store: false`), as the callers of the other dialects keep
//! their histories themselves.

use serde::Serialize;
use serde_json::value::RawValue;

use super::members::Members;
use super::{ids, items_out, tools_out};
use crate::llm::translate::conversation::{
    Conversation, Delivery, Format, Reasoning, Thinking, budget_as_effort,
};
use crate::llm::translate::{Refused, Wishes};

/// The service refuses less.
const LEAST_TOKENS: u64 = 16;

pub(super) fn write(said: &Conversation, wishes: &Wishes) -> Result<Vec<u8>, Refused> {
    if !said.stop.is_empty() {
        return Err(Refused::new(
            "stop",
            "the responses API has no stop sequences: leave them out and cut the answer yourself",
        ));
    }
    let (instructions, items) = items_out::items(&said.turns)?;
    let mut body = Members::default();
    body.put("model", wishes.model.as_ref().unwrap_or(&said.model));
    body.put_some("instructions", instructions.as_ref());
    body.put("input", &items);
    tools_out::write(said, &mut body)?;
    body.put_some("max_output_tokens", said.max_tokens.map(|it| it.max(LEAST_TOKENS)).as_ref());
    body.put_some("temperature", said.temperature.as_ref());
    body.put_some("top_p", said.top_p.as_ref());
    body.put_some("reasoning", reasoning(&said.reasoning).as_ref());
    body.put_some("text", text(said).as_ref());
    body.put_some("user", said.user.as_deref().map(ids::shorten).as_ref());
    body.put_some("service_tier", said.service_tier.as_deref().and_then(tier).as_ref());
    if let Delivery::Stream(_) = said.delivery {
        body.put("stream", &true);
    }
    body.put("store", &false);
    for (name, value) in &said.others {
        body.raw(name, value.get().as_bytes());
    }
    Ok(body.finish())
}

#[derive(Serialize)]
struct ReasoningOut<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    effort: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    summary: Option<&'a str>,
}

/// Whoever asks for thoughts gets summaries, which is all that the service shows of them. Thinking
/// that is off leaves the effort to the model: not every one knows `none`.
fn reasoning(wanted: &Reasoning) -> Option<ReasoningOut<'_>> {
    let told = wanted.effort.as_deref();
    let (effort, summary) = match wanted.thinking {
        Some(Thinking::Budget(tokens)) => (told.or(Some(budget_as_effort(tokens))), Some("auto")),
        Some(Thinking::Adaptive) => (told, Some("auto")),
        Some(Thinking::Disabled) => (None, None),
        None => (told, None),
    };
    let summary = wanted.summary.as_deref().or(summary);
    (effort.is_some() || summary.is_some()).then_some(ReasoningOut { effort, summary })
}

#[derive(Serialize)]
struct Text<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    format: Option<FormatOut<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    verbosity: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum FormatOut<'a> {
    JsonObject,
    JsonSchema {
        name: std::borrow::Cow<'a, str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        description: Option<&'a str>,
        schema: &'a RawValue,
        #[serde(skip_serializing_if = "Option::is_none")]
        strict: Option<bool>,
    },
}

fn text(said: &Conversation) -> Option<Text<'_>> {
    let format = match &said.format {
        Format::Text => None,
        Format::JsonObject => Some(FormatOut::JsonObject),
        Format::JsonSchema { name, description, schema, strict } => Some(FormatOut::JsonSchema {
            // The service insists on one.
            name: ids::fit(name.as_deref().unwrap_or("answer")),
            description: description.as_deref(),
            schema,
            strict: *strict,
        }),
    };
    let verbosity = said.verbosity.as_deref();
    (format.is_some() || verbosity.is_some()).then_some(Text { format, verbosity })
}

/// The service's words, and Anthropic's one that means the same as one of them.
fn tier(tier: &str) -> Option<&str> {
    match tier {
        "standard_only" => Some("default"),
        "auto" | "default" | "flex" | "scale" | "priority" | "fast" | "ultrafast" => Some(tier),
        _ => None,
    }
}
