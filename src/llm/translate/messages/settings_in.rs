//! The settings of a request, read: tools, thinking, the form of the answer.

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;
use serde_json::value::RawValue;

use super::raw::parse;
use crate::llm::translate::Refused;
use crate::llm::translate::conversation::{Conversation, Format, Thinking, Tool, ToolChoice};
use crate::llm::translate::document::Node;

/// Reads a member of the body. What has no place in a conversation is kept as it is.
///
/// # Errors
/// [`Refused`], with the field.
pub(super) fn member(said: &mut Conversation, name: &str, told: Node<'_>) -> Result<(), Refused> {
    match name {
        "tools" => said.tools = tools(told)?,
        "tool_choice" => tool_choice(said, told)?,
        "thinking" => thinking(said, told)?,
        "output_config" => output_config(said, told)?,
        // The older name; a format within `output_config` is worth more.
        "output_format" if told.is_object() => {
            let older = format(name, told)?;
            if matches!(said.format, Format::Text) {
                said.format = older;
            }
        }
        "metadata" => said.user = parse::<Metadata>(name, told)?.user_id,
        _ => said.others.push((name.to_owned(), told.raw())),
    }
    Ok(())
}

#[derive(Deserialize)]
struct Metadata {
    user_id: Option<String>,
}

#[derive(Deserialize)]
struct ToolIn {
    #[serde(rename = "type")]
    kind: Option<String>,
    name: Option<String>,
    description: Option<String>,
    input_schema: Option<Box<RawValue>>,
    strict: Option<bool>,
    cache_control: Option<Box<RawValue>>,
}

fn tools(told: Node<'_>) -> Result<Vec<Tool>, Refused> {
    let _: Vec<IgnoredAny> = parse("tools", told)?;
    told.items().enumerate().map(|(at, told)| tool(&format!("tools[{at}]"), told)).collect()
}

fn tool(path: &str, told: Node<'_>) -> Result<Tool, Refused> {
    let tool: ToolIn = parse(path, told)?;
    if let Some(kind) = tool.kind.filter(|kind| kind != "custom") {
        return Ok(Tool::Hosted { kind, raw: told.raw() });
    }
    let name = tool.name.filter(|name| !name.is_empty());
    Ok(Tool::Function {
        name: name.ok_or_else(|| Refused::new(format!("{path}.name"), "it is missing"))?,
        description: tool.description,
        strict: match (tool.strict, &tool.input_schema) {
            (Some(true), Some(schema)) => can_be_strict(schema),
            (strict, _) => strict,
        },
        schema: tool.input_schema,
        cache: tool.cache_control,
    })
}

#[derive(Deserialize)]
struct Choice {
    #[serde(rename = "type")]
    kind: String,
    name: Option<String>,
    disable_parallel_tool_use: Option<bool>,
}

fn tool_choice(said: &mut Conversation, told: Node<'_>) -> Result<(), Refused> {
    let choice: Choice = parse("tool_choice", told)?;
    said.parallel_tools = choice.disable_parallel_tool_use.map(|disable| !disable);
    said.tool_choice = Some(match (choice.kind.as_str(), choice.name) {
        ("auto", _) => ToolChoice::Auto,
        ("any", _) => ToolChoice::Required,
        ("none", _) => ToolChoice::None,
        ("tool", Some(name)) => ToolChoice::Tool(name),
        ("tool", None) => return Err(Refused::new("tool_choice.name", "it is missing")),
        _ => {
            let why = "the choices are `auto`, `any`, `tool` and `none`";
            return Err(Refused::new("tool_choice.type", why));
        }
    });
    Ok(())
}

#[derive(Deserialize)]
struct ThinkingIn {
    #[serde(rename = "type")]
    kind: String,
    budget_tokens: Option<u64>,
    display: Option<String>,
}

fn thinking(said: &mut Conversation, told: Node<'_>) -> Result<(), Refused> {
    let thinking: ThinkingIn = parse("thinking", told)?;
    let kind = match (thinking.kind.as_str(), thinking.budget_tokens) {
        ("disabled", _) => Some(Thinking::Disabled),
        ("adaptive", _) => Some(Thinking::Adaptive),
        ("enabled", Some(budget)) => Some(Thinking::Budget(budget)),
        ("enabled", None) => {
            return Err(Refused::new("thinking.budget_tokens", "it is missing"));
        }
        // Before an answer it does not think, between tools it may: no one else has such a half.
        ("between_tools", _) => None,
        _ => {
            let why = "the types are `adaptive`, `enabled`, `disabled` and `between_tools`";
            return Err(Refused::new("thinking.type", why));
        }
    };
    // Thoughts are shown unless the caller waives them.
    let shown = thinking.display.as_deref() != Some("omitted");
    let thinks = matches!(kind, Some(Thinking::Adaptive | Thinking::Budget(_)));
    said.reasoning.summary = (shown && thinks).then(|| "auto".to_owned());
    said.reasoning.thinking = kind;
    Ok(())
}

#[derive(Deserialize)]
struct OutputConfig {
    effort: Option<String>,
    /// Read where it stands; here, so that it is not given twice.
    #[serde(rename = "format")]
    _format: Option<IgnoredAny>,
}

fn output_config(said: &mut Conversation, told: Node<'_>) -> Result<(), Refused> {
    let config: OutputConfig = parse("output_config", told)?;
    said.reasoning.effort = config.effort;
    if let Some(told) = told.get("format").filter(|format| !format.is_null()) {
        said.format = format("output_config.format", told)?;
    }
    Ok(())
}

#[derive(Deserialize)]
struct FormatIn {
    #[serde(rename = "type")]
    kind: String,
    schema: Option<Box<RawValue>>,
}

fn format(path: &str, told: Node<'_>) -> Result<Format, Refused> {
    let format: FormatIn = parse(path, told)?;
    match (format.kind.as_str(), format.schema) {
        // Such an answer always obeys its schema.
        ("json_schema", Some(schema)) => {
            let strict = can_be_strict(&schema);
            Ok(Format::JsonSchema { name: None, description: None, schema, strict })
        }
        ("json_schema", None) => Err(Refused::new(format!("{path}.schema"), "it is missing")),
        _ => Err(Refused::new(format!("{path}.type"), "the only format is `json_schema`")),
    }
}

/// May OpenAI be asked to be strict about a schema? Unlike Anthropic it refuses one with a property
/// that may be left out.
fn can_be_strict(schema: &RawValue) -> Option<bool> {
    let schema: Value = serde_json::from_str(schema.get()).ok()?;
    all_required(&schema).then_some(true)
}

fn all_required(schema: &Value) -> bool {
    let nested = match schema {
        Value::Object(object) => object.values().all(all_required),
        Value::Array(list) => list.iter().all(all_required),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => true,
    };
    let Some(Value::Object(properties)) = schema.get("properties") else {
        return nested;
    };
    let required = schema.get("required").and_then(Value::as_array);
    let is_required = |name| required.is_some_and(|required| required.iter().any(|it| it == name));
    let closed = schema.get("additionalProperties") == Some(&Value::Bool(false));
    nested && closed && properties.keys().all(is_required)
}
