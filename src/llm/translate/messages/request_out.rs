//! A request, written.

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use serde_json::value::RawValue;
use serde_json::{Number, Value, json};

use super::MAX_TOKENS;
use super::blocks_out::Content;
use super::system_out::system;
use super::thinking_out::{self, Thinks};
use super::tools_out::{self, ToolOut};
use super::turns_out::{self, TurnOut};
use crate::llm::translate::conversation::{Conversation, Delivery, Format};
use crate::llm::translate::{Refused, Wishes, written};

/// Writes a request.
///
/// # Errors
/// [`Refused`]: what has no counterpart and would change the answer.
pub(in crate::llm::translate) fn write_request(
    said: &Conversation,
    wishes: &Wishes,
) -> Result<Vec<u8>, Refused> {
    let messages = turns_out::turns(&said.turns)?;
    let max_tokens = said.max_tokens.or(wishes.max_tokens).unwrap_or(MAX_TOKENS);
    let thinks = thinking_out::thinks(said, wishes.thinking, max_tokens, &messages)?;
    let tools = tools_out::tools(said)?;
    let request = Request {
        model: wishes.model.as_deref().unwrap_or(&said.model),
        max_tokens,
        system: system(said)?,
        tool_choice: tools_out::tool_choice(said, &tools),
        tools,
        messages,
        temperature: temperature(said.temperature.as_ref())?,
        top_p: said.top_p.as_ref(),
        top_k: said.top_k.as_ref(),
        stop_sequences: stop_sequences(&said.stop),
        output_config: output_config(&said.format, &thinks),
        thinking: thinks.thinking,
        metadata: said.user.as_ref().map(|user| json!({ "user_id": user })),
        service_tier: said.service_tier.as_deref().and_then(service_tier),
        stream: matches!(said.delivery, Delivery::Stream(_)),
        others: Others(&said.others),
    };
    Ok(written::to_vec(&request))
}

/// In the order that a cache reads it: what changes least first.
#[derive(Serialize)]
struct Request<'a> {
    model: &'a str,
    max_tokens: u64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tools: Vec<ToolOut<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    system: Option<Content<'a>>,
    messages: Vec<TurnOut<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_choice: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<&'a Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_p: Option<&'a Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_k: Option<&'a Number>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    stop_sequences: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    thinking: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output_config: Option<OutputConfig<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    service_tier: Option<&'static str>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    stream: bool,
    #[serde(flatten)]
    others: Others<'a>,
}

#[derive(Serialize)]
struct OutputConfig<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    effort: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    format: Option<FormatOut<'a>>,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum FormatOut<'a> {
    JsonSchema { schema: &'a RawValue },
}

/// What is copied as it is.
struct Others<'a>(&'a [(String, Box<RawValue>)]);

impl Serialize for Others<'_> {
    fn serialize<S: Serializer>(&self, into: S) -> Result<S::Ok, S::Error> {
        let mut map = into.serialize_map(None)?;
        for (name, raw) in self.0 {
            map.serialize_entry(name, raw)?;
        }
        map.end()
    }
}

/// Half of OpenAI's scale is unknown here, and cutting it off would be another answer.
fn temperature(asked: Option<&Number>) -> Result<Option<&Number>, Refused> {
    if asked.and_then(Number::as_f64).is_some_and(|asked| asked > 1.0) {
        return Err(Refused::new("temperature", "the model takes 0 to 1; send 1 or less"));
    }
    Ok(asked)
}

/// The API refuses sequences of blanks only.
fn stop_sequences(stop: &[String]) -> Vec<&str> {
    stop.iter().map(String::as_str).filter(|stop| !stop.trim().is_empty()).collect()
}

fn output_config<'a>(format: &'a Format, thinks: &Thinks) -> Option<OutputConfig<'a>> {
    let format = match format {
        Format::JsonSchema { schema, .. } => Some(FormatOut::JsonSchema { schema }),
        Format::Text | Format::JsonObject => None,
    };
    let effort = thinks.effort;
    (effort.is_some() || format.is_some()).then_some(OutputConfig { effort, format })
}

/// OpenAI's `default` is what is not paid extra for; its other tiers are unknown here.
fn service_tier(tier: &str) -> Option<&'static str> {
    match tier {
        "auto" => Some("auto"),
        "default" | "standard_only" => Some("standard_only"),
        _ => None,
    }
}
