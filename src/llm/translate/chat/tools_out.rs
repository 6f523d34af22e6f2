//! The tools of a request, written, and whether the model must call one.

use std::borrow::Cow;
use std::collections::HashSet;

use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::super::Refused;
use super::super::conversation::{Tool, ToolChoice};
use super::{custom, schema};

/// A tool.
#[derive(Debug, Serialize)]
pub(super) struct WrittenTool<'a> {
    r#type: &'static str,
    function: Function<'a>,
}

#[derive(Debug, Serialize)]
struct Function<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<Cow<'a, str>>,
    parameters: Option<Cow<'a, RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    strict: Option<bool>,
}

/// Of several tools, only those that may be called are told: few APIs of this kind know
/// `allowed_tools`.
///
/// # Errors
/// [`Refused`]: a tool that only another provider runs or knows.
pub(super) fn write<'a>(
    tools: &'a [Tool],
    choice: Option<&ToolChoice>,
) -> Result<Vec<WrittenTool<'a>>, Refused> {
    let mut written = Vec::new();
    for (at, tool) in tools.iter().enumerate() {
        match tool {
            Tool::Hosted { kind, .. } if !tool.is_an_offer() || is_alone(tools) => {
                return Err(hosted(at, kind));
            }
            Tool::Hosted { .. } => {}
            Tool::Function { .. } | Tool::Custom { .. } => written.extend(function(tool)),
        }
    }
    if let Some(ToolChoice::Allowed { names, .. }) = choice {
        let names: HashSet<&str> = names.iter().map(String::as_str).collect();
        written.retain(|tool| names.contains(tool.function.name));
    }
    Ok(written)
}

/// `tool_choice`: nothing without tools, as APIs of this kind refuse it then.
pub(super) fn write_choice(
    choice: Option<&ToolChoice>,
    tools: &[WrittenTool<'_>],
) -> Option<Value> {
    if tools.is_empty() {
        return None;
    }
    Some(match choice? {
        ToolChoice::Auto | ToolChoice::Allowed { required: false, .. } => json!("auto"),
        ToolChoice::Required | ToolChoice::Allowed { required: true, .. } => json!("required"),
        ToolChoice::None => json!("none"),
        ToolChoice::Tool(name) => json!({ "type": "function", "function": { "name": name } }),
    })
}

// === private parts ===

fn function(tool: &Tool) -> Option<WrittenTool<'_>> {
    let function = match tool {
        Tool::Function { name, description, schema, strict, .. } => Function {
            name,
            description: description.as_deref().map(Cow::Borrowed),
            parameters: schema::parameters(schema.as_deref()),
            strict: *strict,
        },
        Tool::Custom { name, description, format } => Function {
            name,
            description: Some(
                custom::description(description.as_deref(), format.as_deref()).into(),
            ),
            parameters: RawValue::from_string(custom::PARAMETERS.to_owned()).ok().map(Cow::Owned),
            strict: None,
        },
        Tool::Hosted { .. } => return None,
    };
    Some(WrittenTool { r#type: "function", function })
}

fn is_alone(tools: &[Tool]) -> bool {
    tools.iter().all(|tool| matches!(tool, Tool::Hosted { .. }))
}

fn hosted(at: usize, kind: &str) -> Refused {
    let why = format!(
        "a chat completions upstream has no `{kind}`; leave the tool out, offer a function of your \
         own, or route to a provider that has it"
    );
    Refused::new(format!("tools[{at}].type"), why)
}
