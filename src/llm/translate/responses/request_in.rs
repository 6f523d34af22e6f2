//! Reads a request: everything but its items and tools.

use super::items_in::{self, Items};
use super::node::{Kind, Node, Object};
use super::repeated;
use super::tools_in::{self, Tools};
use crate::llm::translate::Refused;
use crate::llm::translate::conversation::{
    Conversation, Delivery, Format, Part, Reasoning, Role, Turn, Usage,
};

/// The members that have a place in a conversation.
const PLACED: &[&str] = &[
    "model",
    "instructions",
    "input",
    "tools",
    "tool_choice",
    "parallel_tool_calls",
    "max_output_tokens",
    "temperature",
    "top_p",
    "reasoning",
    "text",
    "stream",
    "user",
    "safety_identifier",
    "service_tier",
];

pub(super) fn read(body: &[u8]) -> Result<Conversation, Refused> {
    let request = Object::of_body(body)?;
    let Items { turns, tools, additional } = items(&request)?;
    let tools = tools.into_list();
    let tool_choice = tools_in::choice(&request, &tools)?;
    // Some servers refuse it where there are no tools.
    let parallel_tools = request.boolean("parallel_tool_calls")?.filter(|_| !tools.is_empty());
    Ok(Conversation {
        model: request.need("model")?.text()?,
        turns,
        tools,
        tool_choice,
        parallel_tools,
        max_tokens: request.count("max_output_tokens")?,
        temperature: request.number("temperature")?,
        top_p: request.number("top_p")?,
        reasoning: reasoning(&request)?,
        format: format(&request)?,
        verbosity: verbosity(&request)?,
        delivery: delivery(&request)?,
        user: user(&request)?,
        service_tier: request.text("service_tier")?,
        others: others(&request),
        repeated: repeated::collect(&request, additional),
        ..Conversation::default()
    })
}

/// `instructions` come first, as a system message.
fn items(request: &Object<'_>) -> Result<Items, Refused> {
    let mut items = Items { tools: Tools::of(request)?, ..Items::default() };
    if let Some(text) = request.text("instructions")?.filter(|text| !text.is_empty()) {
        items
            .turns
            .push(Turn { role: Role::System, parts: vec![Part::Text { text, cache: None }] });
    }
    // What lives on the server is refused by the table, which says what to do about it; without
    // `input` beside it there is nothing to read.
    let elsewhere = ["previous_response_id", "conversation", "prompt"];
    match request.get("input") {
        Some(input) => items_in::read(&input, &mut items)?,
        None if elsewhere.iter().any(|name| request.get(name).is_some()) => {}
        None => return Err(request.refused("input", "is missing")),
    }
    Ok(items)
}

fn reasoning(request: &Object<'_>) -> Result<Reasoning, Refused> {
    let Some(reasoning) = request.get("reasoning") else { return Ok(Reasoning::default()) };
    let reasoning = reasoning.object()?;
    let summary = reasoning.text("summary")?;
    let summary = summary.map_or_else(|| reasoning.text("generate_summary"), |it| Ok(Some(it)))?;
    Ok(Reasoning { thinking: None, effort: reasoning.text("effort")?, summary })
}

fn verbosity(request: &Object<'_>) -> Result<Option<String>, Refused> {
    request.get("text").map_or(Ok(None), |text| text.object()?.text("verbosity"))
}

fn format(request: &Object<'_>) -> Result<Format, Refused> {
    let text = request.get("text").map(|text| text.object()).transpose()?;
    let Some(format) = text.and_then(|text| text.get("format")) else { return Ok(Format::Text) };
    let format = format.object()?;
    match format.need("type")?.text()?.as_str() {
        "text" => Ok(Format::Text),
        "json_object" => Ok(Format::JsonObject),
        "json_schema" => Ok(Format::JsonSchema {
            name: format.text("name")?,
            description: format.text("description")?,
            schema: object_of(&format.need("schema")?)?,
            strict: format.boolean("strict")?,
        }),
        _ => Err(format.refused("type", "must be text, json_object or json_schema")),
    }
}

fn object_of(node: &Node<'_>) -> Result<Box<serde_json::value::RawValue>, Refused> {
    match node.kind() {
        Kind::Object => Ok(node.raw()),
        Kind::Text | Kind::List | Kind::Other => Err(node.refused("must be an object")),
    }
}

fn delivery(request: &Object<'_>) -> Result<Delivery, Refused> {
    let streamed = request.boolean("stream")?.unwrap_or(false);
    Ok(if streamed { Delivery::Stream(Usage::Told) } else { Delivery::Whole })
}

/// `safety_identifier` replaces `user`.
fn user(request: &Object<'_>) -> Result<Option<String>, Refused> {
    let user = request.text("user")?;
    Ok(request.text("safety_identifier")?.or(user))
}

fn others(request: &Object<'_>) -> Vec<(String, Box<serde_json::value::RawValue>)> {
    let others = request.members().filter(|(name, _)| !PLACED.contains(name));
    others.map(|(name, raw)| (name.to_owned(), raw.to_owned())).collect()
}
