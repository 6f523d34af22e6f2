//! `tools` and `tool_choice`, written.

use std::borrow::Cow;
use std::collections::HashSet;

use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::schema_out;
use crate::llm::translate::Refused;
use crate::llm::translate::conversation::{Conversation, Tool, ToolChoice};

/// A tool.
#[derive(Debug, Serialize)]
pub(super) struct ToolOut<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<Cow<'a, str>>,
    input_schema: Cow<'a, RawValue>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    strict: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    cache_control: Option<&'a RawValue>,
}

/// The tools that may be called.
///
/// What another provider would run is left out if it is only an offer beside others; a request that
/// has no others is about nothing else.
///
/// # Errors
/// [`Refused`]: a schema of something else than an object, and tools of another provider.
pub(super) fn tools(said: &Conversation) -> Result<Vec<ToolOut<'_>>, Refused> {
    let mut written = Vec::with_capacity(said.tools.len());
    let alone = said.tools.iter().all(|tool| matches!(tool, Tool::Hosted { .. }));
    let allowed = allowed(said);
    let is_out = |name: &str| allowed.as_ref().is_some_and(|names| !names.contains(name));
    for (at, tool) in said.tools.iter().enumerate() {
        match tool {
            Tool::Hosted { .. } if tool.is_an_offer() && !alone => {}
            Tool::Function { name, .. } | Tool::Custom { name, .. } if is_out(name) => {}
            Tool::Hosted { .. } | Tool::Function { .. } | Tool::Custom { .. } => {
                written.push(ToolOut::of(&format!("tools[{at}]"), tool)?);
            }
        }
    }
    Ok(written)
}

/// Whether and what must be called. Without tools there is no choice.
pub(super) fn tool_choice(said: &Conversation, tools: &[ToolOut<'_>]) -> Option<Value> {
    if tools.is_empty() {
        return None;
    }
    let one_at_a_time = said.parallel_tools == Some(false);
    let mut choice = match &said.tool_choice {
        None if one_at_a_time => json!({ "type": "auto" }),
        None => return None,
        Some(ToolChoice::None) => return Some(json!({ "type": "none" })),
        Some(ToolChoice::Auto | ToolChoice::Allowed { required: false, .. }) => {
            json!({ "type": "auto" })
        }
        Some(ToolChoice::Required | ToolChoice::Allowed { required: true, .. }) => {
            json!({ "type": "any" })
        }
        Some(ToolChoice::Tool(name)) => json!({ "type": "tool", "name": name }),
    };
    if one_at_a_time {
        choice["disable_parallel_tool_use"] = json!(true);
    }
    Some(choice)
}

// === impl ToolOut ===

impl<'a> ToolOut<'a> {
    fn of(path: &str, tool: &'a Tool) -> Result<Self, Refused> {
        match tool {
            Tool::Function { name, description, schema, strict, cache } => {
                let fitted = schema_out::input_schema(path, schema.as_deref())?;
                let description = described(description.as_deref(), fitted.lost);
                Ok(Self {
                    name,
                    description,
                    input_schema: fitted.schema,
                    strict: *strict == Some(true),
                    cache_control: cache.as_deref(),
                })
            }
            Tool::Custom { name, description, format } => {
                let format = format.as_ref().and_then(|format| grammar(format));
                Ok(Self {
                    name,
                    description: described(description.as_deref(), format),
                    input_schema: Cow::Owned(schema_out::of_text()),
                    strict: false,
                    cache_control: None,
                })
            }
            Tool::Hosted { kind, .. } => Err(Refused::new(
                format!("{path}.type"),
                format!("`{kind}` is run by another provider; send tools that you run yourself"),
            )),
        }
    }
}

/// `allowed_tools` takes the others away.
fn allowed(said: &Conversation) -> Option<HashSet<&str>> {
    match &said.tool_choice {
        Some(ToolChoice::Allowed { names, .. }) => Some(names.iter().map(String::as_str).collect()),
        _ => None,
    }
}

/// What the schema cannot say is said in words.
fn described(description: Option<&str>, more: Option<String>) -> Option<Cow<'_, str>> {
    match (description.filter(|description| !description.is_empty()), more) {
        (Some(description), Some(more)) => Some(format!("{description}\n\n{more}").into()),
        (None, Some(more)) => Some(more.into()),
        (description, None) => description.map(Cow::Borrowed),
    }
}

/// The grammar of a custom tool, in words; chat wraps it once more than responses does.
fn grammar(format: &RawValue) -> Option<String> {
    let format: Value = serde_json::from_str(format.get()).ok()?;
    let grammar = format.get("grammar").unwrap_or(&format);
    let definition = grammar.get("definition")?.as_str()?;
    let syntax = grammar.get("syntax").and_then(Value::as_str).unwrap_or("given");
    Some(format!("`input` must obey this grammar ({syntax}):\n{definition}"))
}
