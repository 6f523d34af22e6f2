//! Writes the tools, and which of them must be called.

use std::borrow::Cow;
use std::collections::HashSet;

use serde::Serialize;
use serde::de::IgnoredAny;
use serde_json::Value;
use serde_json::value::RawValue;

use super::members::Members;
use crate::llm::translate::Refused;
use crate::llm::translate::conversation::{Conversation, Tool, ToolChoice};

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum ToolOut<'a> {
    Function {
        name: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        description: Option<&'a str>,
        parameters: Cow<'a, RawValue>,
        strict: bool,
    },
    Custom {
        name: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        description: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        format: Option<Value>,
    },
}

/// A choice of one tool, or one of the allowed.
#[derive(Serialize)]
struct Chosen<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    name: &'a str,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Choice<'a> {
    Word(&'static str),
    One(Chosen<'a>),
    Some {
        #[serde(rename = "type")]
        kind: &'static str,
        mode: &'static str,
        tools: Vec<Chosen<'a>>,
    },
}

/// Nothing without tools: the service refuses a choice among none.
pub(super) fn write(said: &Conversation, body: &mut Members) -> Result<(), Refused> {
    if said.tools.is_empty() {
        return Ok(());
    }
    // An offer of another provider is left out if there are others to call.
    let alone = said.tools.iter().all(Tool::is_an_offer);
    let offered = said.tools.iter().filter(|tool| alone || !tool.is_an_offer());
    let tools: Result<Vec<_>, _> = offered.map(tool).collect();
    body.put("tools", &tools?);
    let choice = said.tool_choice.as_ref().map(|choice| self::choice(choice, &said.tools));
    body.put_some("tool_choice", choice.as_ref());
    body.put_some("parallel_tool_calls", said.parallel_tools.as_ref());
    Ok(())
}

/// `strict` is always said: here a tool is strict unless it is not, and a schema that was not made
/// for that is refused.
fn tool(tool: &Tool) -> Result<ToolOut<'_>, Refused> {
    match tool {
        Tool::Function { name, description, schema, strict, .. } => Ok(ToolOut::Function {
            name,
            description: description.as_deref(),
            parameters: parameters(schema.as_deref())?,
            strict: strict.unwrap_or(false),
        }),
        Tool::Custom { name, description, format } => Ok(ToolOut::Custom {
            name,
            description: description.as_deref(),
            format: format.as_deref().map(flat_format),
        }),
        Tool::Hosted { kind, .. } => Err(Refused::new(
            "tools[].type",
            format!("{kind} is run by another service than this model's: offer a function tool"),
        )),
    }
}

/// The service wants `type` and `properties` of an object; the rest stays byte for byte.
fn parameters(schema: Option<&RawValue>) -> Result<Cow<'_, RawValue>, Refused> {
    #[derive(serde::Deserialize)]
    struct Known {
        #[serde(rename = "type")]
        kind: Option<IgnoredAny>,
        properties: Option<IgnoredAny>,
    }
    let refused = || Refused::new("tools[].parameters", "must be an object, a JSON schema");
    let text = schema.map_or("{}", RawValue::get);
    let known: Known = serde_json::from_str(text).map_err(|_| refused())?;
    let rest = text.trim_start_matches('{');
    let mut added = String::new();
    if known.kind.is_none() {
        added.push_str(r#""type":"object","#);
    }
    if known.properties.is_none() {
        added.push_str(r#""properties":{},"#);
    }
    match schema {
        Some(schema) if added.is_empty() => Ok(Cow::Borrowed(schema)),
        Some(_) | None => {
            if rest.trim_start() == "}" {
                added.pop();
            }
            let whole = RawValue::from_string(format!("{{{added}{rest}"));
            whole.map(Cow::Owned).map_err(|_| refused())
        }
    }
}

/// Chat completions put the grammar one level deeper.
fn flat_format(format: &RawValue) -> Value {
    let mut format: Value = serde_json::from_str(format.get()).unwrap_or_default();
    let grammar = format.as_object_mut().and_then(|format| format.remove("grammar"));
    if let (Some(Value::Object(grammar)), Some(format)) = (grammar, format.as_object_mut()) {
        format.extend(grammar);
    }
    format
}

fn choice<'a>(choice: &'a ToolChoice, tools: &[Tool]) -> Choice<'a> {
    match choice {
        ToolChoice::Auto => Choice::Word("auto"),
        ToolChoice::Required => Choice::Word("required"),
        ToolChoice::None => Choice::Word("none"),
        ToolChoice::Tool(name) => Choice::One(chosen(name, &customs(tools))),
        ToolChoice::Allowed { names, required } => Choice::Some {
            kind: "allowed_tools",
            mode: if *required { "required" } else { "auto" },
            tools: {
                let customs = customs(tools);
                names.iter().map(|name| chosen(name, &customs)).collect()
            },
        },
    }
}

fn customs(tools: &[Tool]) -> HashSet<&str> {
    let custom = tools.iter().filter_map(|tool| match tool {
        Tool::Custom { name, .. } => Some(name.as_str()),
        Tool::Function { .. } | Tool::Hosted { .. } => None,
    });
    custom.collect()
}

fn chosen<'a>(name: &'a str, customs: &HashSet<&str>) -> Chosen<'a> {
    let kind = if customs.contains(name) { "custom" } else { "function" };
    Chosen { kind, name }
}
