//! A request, read: everything but its messages and tools.

use std::borrow::Cow;

use super::super::Refused;
use super::super::conversation::{Conversation, Delivery, Format, Reasoning, Thinking, Usage};
use super::super::document::{Kind, Marks};
use super::members::Members;
use super::{messages_in, tools_in};

/// Strict about the types of what it knows; what it does not know is kept as it stands.
///
/// # Errors
/// [`Refused`]: no request of this dialect.
pub(in crate::llm::translate) fn read_request(body: &[u8]) -> Result<Conversation, Refused> {
    let mut marks = Marks::default();
    let mut members = Members::of_body(body, &mut marks)?;
    let mut said = Conversation {
        model: members.required_text("model")?,
        turns: messages_in::read(&mut members)?,
        tools: tools_in::read(&mut members)?,
        tool_choice: tools_in::read_choice(&mut members)?,
        parallel_tools: members.flag("parallel_tool_calls")?,
        max_tokens: limit(&mut members)?,
        stop: stop(&mut members)?,
        temperature: members.number("temperature")?,
        top_p: members.number("top_p")?,
        top_k: members.number("top_k")?,
        reasoning: reasoning(&mut members)?,
        format: format(&mut members)?,
        verbosity: members.text("verbosity")?,
        delivery: delivery(&mut members)?,
        user: user(&mut members)?,
        service_tier: members.text("service_tier")?,
        ..Conversation::default()
    };
    said.others = members.rest();
    Ok(said)
}

/// The newer name counts where both are given.
fn limit(members: &mut Members<'_>) -> Result<Option<u64>, Refused> {
    let old = members.count("max_tokens")?;
    Ok(members.count("max_completion_tokens")?.or(old))
}

/// The newer name counts where both are given.
fn user(members: &mut Members<'_>) -> Result<Option<String>, Refused> {
    let old = members.text("user")?;
    Ok(members.text("safety_identifier")?.or(old))
}

fn stop(members: &mut Members<'_>) -> Result<Vec<String>, Refused> {
    let Some(stop) = members.take("stop")? else {
        return Ok(Vec::new());
    };
    let texts = match stop.kind() {
        Kind::List => stop.items().map(|stop| stop.text().map(Cow::into_owned)).collect(),
        _ => stop.text().map(|stop| vec![stop.into_owned()]),
    };
    texts.ok_or_else(|| members.refuse("stop", "it must be a string or a list of strings"))
}

fn delivery(members: &mut Members<'_>) -> Result<Delivery, Refused> {
    let stream = members.flag("stream")?.unwrap_or(false);
    let options = members.object("stream_options")?;
    let usage = options.map(|mut options| options.flag("include_usage")).transpose()?.flatten();
    Ok(match (stream, usage) {
        (false, _) => Delivery::Whole,
        (true, Some(true)) => Delivery::Stream(Usage::Told),
        (true, Some(false) | None) => Delivery::Stream(Usage::Untold),
    })
}

/// `reasoning_effort`, and what other APIs of this kind have instead: `thinking` as Anthropic's,
/// `reasoning` with an effort or a number of tokens.
fn reasoning(members: &mut Members<'_>) -> Result<Reasoning, Refused> {
    let thinking = members.object("thinking")?.map(thinking).transpose()?;
    let effort = members.text("reasoning_effort")?;
    let Some(mut reasoning) = members.object("reasoning")? else {
        return Ok(Reasoning { thinking, effort, summary: None });
    };
    let budget = reasoning.count("max_tokens")?.map(Thinking::Budget);
    let switched_off = reasoning.flag("enabled")? == Some(false);
    let other = switched_off.then(|| "none".to_owned());
    Ok(Reasoning {
        thinking: thinking.or(budget),
        effort: effort.or(reasoning.text("effort")?).or(other),
        summary: reasoning.text("summary")?,
    })
}

fn thinking(mut thinking: Members<'_>) -> Result<Thinking, Refused> {
    let budget = thinking.count("budget_tokens")?;
    match thinking.required_text("type")?.as_str() {
        "disabled" => Ok(Thinking::Disabled),
        "enabled" | "adaptive" => Ok(budget.map_or(Thinking::Adaptive, Thinking::Budget)),
        _ => Err(thinking.refuse("type", "it must be `enabled`, `adaptive` or `disabled`")),
    }
}

fn format(members: &mut Members<'_>) -> Result<Format, Refused> {
    let Some(mut format) = members.object("response_format")? else {
        return Ok(Format::Text);
    };
    match format.required_text("type")?.as_str() {
        "text" => Ok(Format::Text),
        "json_object" => Ok(Format::JsonObject),
        "json_schema" => schema(format.required_object("json_schema")?),
        _ => Err(format.refuse("type", "it must be `text`, `json_object` or `json_schema`")),
    }
}

fn schema(mut format: Members<'_>) -> Result<Format, Refused> {
    let Some(schema) = format.raw("schema")? else {
        return Err(format.refuse("schema", "it is missing; give the JSON schema of the answer"));
    };
    Ok(Format::JsonSchema {
        name: format.text("name")?,
        description: format.text("description")?,
        schema,
        strict: format.flag("strict")?,
    })
}
