//! Custom tools, whose calls carry free text, as functions with that text as their one argument:
//! few APIs of this kind know custom tools, and no other dialect but OpenAI's own.

use serde_json::value::RawValue;
use serde_json::{Value, json};

/// The schema of the function that stands for a custom tool.
pub(super) const PARAMETERS: &str = concat!(
    r#"{"type":"object","properties":{"input":{"type":"string","#,
    r#""description":"The whole input of the tool, as plain text."}},"#,
    r#""required":["input"],"additionalProperties":false}"#,
);

/// The arguments of that function.
pub(super) fn arguments(input: &str) -> String {
    json!({ "input": input }).to_string()
}

/// The text in such arguments; a model that did not keep to the schema is taken at its word.
pub(super) fn input(arguments: &str) -> String {
    let object = serde_json::from_str::<Value>(arguments).ok();
    let input = object.as_ref().and_then(|object| object.get("input")).and_then(Value::as_str);
    input.unwrap_or(arguments).to_owned()
}

/// What the function does: a grammar is told in words, as nobody enforces it.
pub(super) fn description(description: Option<&str>, format: Option<&RawValue>) -> String {
    let described = description.unwrap_or_default().to_owned();
    let grammar = format.and_then(|format| serde_json::from_str::<Value>(format.get()).ok());
    let text = |name: &str| grammar.as_ref()?.get(name)?.as_str();
    match (text("syntax"), text("definition")) {
        (Some(syntax), Some(definition)) => {
            format!("{described}\n\nThe input must obey this grammar ({syntax}):\n{definition}")
        }
        _ => described,
    }
}
