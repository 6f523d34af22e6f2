//! A request, written.
//!
//! Left out, because it changes no answer or has no counterpart: `cache_control`, `top_k`, a
//! thought that only another provider can read, whether a summary of thoughts is wanted.

use std::borrow::Cow;

use serde::Serialize;
use serde::ser::Serializer;
use serde_json::value::RawValue;
use serde_json::{Number, Value};

use super::super::conversation::{Conversation, Delivery};
use super::super::{LimitName, Refused, StreamUsage, Wishes, written};
use super::format_out::{self, WrittenFormat};
use super::messages_out::{self, Message};
use super::tools_out::{self, WrittenTool};
use super::{effort, shorten};

#[derive(Debug, Serialize)]
struct Body<'a> {
    model: &'a str,
    messages: Vec<Message<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tools: Vec<WrittenTool<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_choice: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parallel_tool_calls: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_completion_tokens: Option<u64>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    stop: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<&'a Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_p: Option<&'a Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning_effort: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_format: Option<WrittenFormat<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    verbosity: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    service_tier: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stream: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stream_options: Option<StreamOptions>,
    #[serde(flatten)]
    others: Others<'a>,
}

#[derive(Debug, Serialize)]
struct StreamOptions {
    include_usage: bool,
}

#[derive(Debug)]
struct Others<'a>(&'a [(String, Box<RawValue>)]);

/// # Errors
/// [`Refused`]: what cannot be said in this dialect and would change the answer.
pub(in crate::llm::translate) fn write_request(
    said: &Conversation,
    wishes: &Wishes,
) -> Result<Vec<u8>, Refused> {
    body(said, wishes).map(|body| written::to_vec(&body))
}

// === private parts ===

fn body<'a>(said: &'a Conversation, wishes: &'a Wishes) -> Result<Body<'a>, Refused> {
    let tools = tools_out::write(&said.tools, said.tool_choice.as_ref())?;
    let limit = said.max_tokens.or(wishes.max_tokens);
    let limit_as = |name: LimitName| limit.filter(|_| wishes.limit_name == name);
    let streams = matches!(said.delivery, Delivery::Stream(_));
    Ok(Body {
        model: wishes.model.as_deref().unwrap_or(&said.model),
        messages: messages_out::write(&said.turns)?,
        tool_choice: tools_out::write_choice(said.tool_choice.as_ref(), &tools),
        // Several at once is the default everywhere.
        parallel_tool_calls: said.parallel_tools.filter(|several| !several && !tools.is_empty()),
        tools,
        max_tokens: limit_as(LimitName::MaxTokens),
        max_completion_tokens: limit_as(LimitName::MaxCompletionTokens),
        stop: &said.stop,
        temperature: said.temperature.as_ref(),
        top_p: said.top_p.as_ref(),
        reasoning_effort: effort::of(&said.reasoning),
        response_format: format_out::write(&said.format),
        verbosity: said.verbosity.as_deref(),
        user: said.user.as_deref().map(shorten::user),
        service_tier: said.service_tier.as_deref().and_then(tier),
        stream: streams.then_some(true),
        stream_options: (streams && wishes.stream_usage == StreamUsage::Ask)
            .then_some(StreamOptions { include_usage: true }),
        others: Others(&said.others),
    })
}

/// OpenAI's words, and Anthropic's one that means the same as one of them.
fn tier(tier: &str) -> Option<&str> {
    match tier {
        "standard_only" => Some("default"),
        "auto" | "default" | "flex" | "scale" | "priority" | "fast" => Some(tier),
        _ => None,
    }
}

impl Serialize for Others<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}
