//! The tools of a request, read, and whether the model must call one.

use serde_json::value::RawValue;

use super::super::Refused;
use super::super::conversation::{Tool, ToolChoice};
use super::super::document::Node;
use super::members::Members;

/// `tools`, and the `functions` that came before them.
///
/// # Errors
/// [`Refused`].
pub(super) fn read(body: &mut Members<'_>) -> Result<Vec<Tool>, Refused> {
    let mut tools = Vec::new();
    for (at, told) in body.list("tools")?.into_iter().flatten().enumerate() {
        tools.push(tool(Members::of(told, format!("tools[{at}]"))?, told)?);
    }
    for (at, told) in body.list("functions")?.into_iter().flatten().enumerate() {
        tools.push(function(Members::of(told, format!("functions[{at}]"))?, None)?);
    }
    Ok(tools)
}

/// `tool_choice`, or the `function_call` that came before it.
///
/// # Errors
/// [`Refused`].
pub(super) fn read_choice(body: &mut Members<'_>) -> Result<Option<ToolChoice>, Refused> {
    let old = body.take("function_call")?;
    if let Some(choice) = body.take("tool_choice")? {
        return by_word(choice).map_or_else(|| chosen(body, choice), Ok).map(Some);
    }
    let named = |choice| Members::of(choice, body.path("function_call"))?.required_text("name");
    old.map(|choice| by_word(choice).map_or_else(|| named(choice).map(ToolChoice::Tool), Ok))
        .transpose()
}

// === private parts ===

fn tool(mut tool: Members<'_>, told: Node<'_>) -> Result<Tool, Refused> {
    let kind = tool.required_text("type")?;
    match kind.as_str() {
        "function" => {
            let cache = tool.raw("cache_control")?;
            function(tool.required_object("function")?, cache)
        }
        "custom" => custom(tool.required_object("custom")?),
        _ => Ok(Tool::Hosted { kind, raw: told.raw() }),
    }
}

fn function(mut function: Members<'_>, cache: Option<Box<RawValue>>) -> Result<Tool, Refused> {
    let schema = function.take("parameters")?;
    if schema.is_some_and(|schema| !schema.is_object()) {
        return Err(function.refuse("parameters", "it must be a JSON schema, which is an object"));
    }
    Ok(Tool::Function {
        name: function.required_text("name")?,
        description: function.text("description")?,
        schema: schema.map(Node::raw),
        strict: function.flag("strict")?,
        cache: cache.or(function.raw("cache_control")?),
    })
}

fn custom(mut custom: Members<'_>) -> Result<Tool, Refused> {
    Ok(Tool::Custom {
        name: custom.required_text("name")?,
        description: custom.text("description")?,
        format: custom.object("format")?.map(grammar).transpose()?.flatten(),
    })
}

/// The grammar in the flat form (`type`, `syntax`, `definition`); here it stands one level deeper.
/// Free text needs no words.
fn grammar(mut format: Members<'_>) -> Result<Option<Box<RawValue>>, Refused> {
    let Some(mut grammar) = format.object("grammar")? else {
        return Ok(None);
    };
    let (syntax, definition) =
        (grammar.required_text("syntax")?, grammar.required_text("definition")?);
    let flat = serde_json::json!({
        "type": "grammar", "syntax": syntax, "definition": definition,
    });
    RawValue::from_string(flat.to_string())
        .map(Some)
        .map_err(|_| grammar.refuse("definition", "it cannot be written as JSON"))
}

fn by_word(choice: Node<'_>) -> Option<ToolChoice> {
    match choice.written() {
        r#""auto""# => Some(ToolChoice::Auto),
        r#""none""# => Some(ToolChoice::None),
        r#""required""# => Some(ToolChoice::Required),
        _ => None,
    }
}

fn chosen(body: &Members<'_>, choice: Node<'_>) -> Result<ToolChoice, Refused> {
    let wrong = || body.refuse("tool_choice", CHOICES);
    let mut choice = Members::of(choice, body.path("tool_choice")).map_err(|_| wrong())?;
    match choice.required_text("type")?.as_str() {
        kind @ ("function" | "custom") => {
            Ok(ToolChoice::Tool(choice.required_object(kind)?.required_text("name")?))
        }
        "allowed_tools" => allowed(choice.required_object("allowed_tools")?),
        _ => Err(wrong()),
    }
}

const CHOICES: &str = "it must be `auto`, `none`, `required`, or an object that names a function, \
                       a custom tool or the allowed tools";

fn allowed(mut allowed: Members<'_>) -> Result<ToolChoice, Refused> {
    let required = allowed.text("mode")?.as_deref() == Some("required");
    let mut names = Vec::new();
    for (at, tool) in allowed.list("tools")?.into_iter().flatten().enumerate() {
        let mut tool = Members::of(tool, allowed.path(&format!("tools[{at}]")))?;
        let kind = tool.required_text("type")?;
        names.push(tool.required_object(&kind)?.required_text("name")?);
    }
    Ok(ToolChoice::Allowed { names, required })
}
