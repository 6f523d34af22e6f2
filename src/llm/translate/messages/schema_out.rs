//! `input_schema`, written: an object's, without a choice at its root, as the API insists on both.

use std::borrow::Cow;
use std::collections::HashSet;

use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value, json};

use super::raw::Members;
use crate::llm::translate::Refused;

/// Choices between schemas, and whether all of them hold at once.
const UNIONS: [(&str, Holds); 3] =
    [("anyOf", Holds::Any), ("oneOf", Holds::Any), ("allOf", Holds::All)];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holds {
    Any,
    All,
}

/// A schema that the API takes.
pub(super) struct Fitted<'a> {
    pub(super) schema: Cow<'a, RawValue>,
    /// What it no longer says, in words for the tool's description.
    pub(super) lost: Option<String>,
}

/// The schema of a tool's arguments: byte for byte if it can be.
///
/// # Errors
/// [`Refused`]: it is none of an object.
pub(super) fn input_schema<'a>(
    path: &str,
    schema: Option<&'a RawValue>,
) -> Result<Fitted<'a>, Refused> {
    let Some(schema) = schema else {
        return Ok(Fitted { schema: Cow::Owned(raw(&json!({ "type": "object" }))), lost: None });
    };
    let no_object = || {
        let why = "a tool's schema must be an object's; set its `type` to `object`";
        Refused::new(format!("{path}.parameters"), why)
    };
    let Members(members) = serde_json::from_str(schema.get()).map_err(|_| no_object())?;
    let kind = members.iter().find(|(name, _)| name == "type").map(|(_, kind)| kind.get());
    let is_union = |name: &String| UNIONS.iter().any(|(union, _)| union == name);
    if members.iter().any(|(name, _)| is_union(name)) {
        return flattened(schema).ok_or_else(no_object);
    }
    match kind {
        Some("\"object\"") => Ok(Fitted { schema: Cow::Borrowed(schema), lost: None }),
        None => Ok(Fitted { schema: Cow::Owned(typed(&members)), lost: None }),
        // `["object", "null"]`
        Some(list) if list.starts_with('[') && list.contains("\"object\"") => {
            Ok(Fitted { schema: Cow::Owned(typed(&members)), lost: None })
        }
        Some(_) => Err(no_object()),
    }
}

/// The schema of a tool that takes text.
pub(super) fn of_text() -> Box<RawValue> {
    raw(&json!({
        "type": "object",
        "properties": { "input": { "type": "string" } },
        "required": ["input"],
        "additionalProperties": false,
    }))
}

/// The members as they are, with the type put right.
fn typed(members: &[(String, Box<RawValue>)]) -> Box<RawValue> {
    let mut text = String::from(r#"{"type":"object""#);
    for (name, value) in members.iter().filter(|(name, _)| name != "type") {
        text.push(',');
        text.push_str(&Value::from(name.as_str()).to_string());
        text.push(':');
        text.push_str(value.get());
    }
    text.push('}');
    RawValue::from_string(text).unwrap_or_else(|_| raw(&json!({ "type": "object" })))
}

/// One object with the properties of all choices; which go together is said in words.
fn flattened(schema: &RawValue) -> Option<Fitted<'static>> {
    let Ok(Value::Object(mut root)) = serde_json::from_str(schema.get()) else { return None };
    for (union, holds) in UNIONS {
        let Some(choices) = root.remove(union) else { continue };
        let choices = choices.as_array().map(Vec::as_slice).unwrap_or_default();
        add_properties(&mut root, choices);
        add_required(&mut root, choices, holds);
    }
    root.insert("type".to_owned(), json!("object"));
    let lost = format!("The input must match this JSON schema: {}", schema.get());
    Some(Fitted { schema: Cow::Owned(raw(&Value::Object(root))), lost: Some(lost) })
}

fn add_properties(root: &mut Map<String, Value>, choices: &[Value]) {
    let own = root.entry("properties").or_insert_with(|| json!({}));
    let Some(own) = own.as_object_mut() else { return };
    for (name, property) in
        choices.iter().filter_map(|choice| choice.get("properties")?.as_object()).flatten()
    {
        own.entry(name.as_str()).or_insert_with(|| property.clone());
    }
}

/// What all choices require is required.
fn add_required(root: &mut Map<String, Value>, choices: &[Value], holds: Holds) {
    let sets: Vec<HashSet<&str>> = choices.iter().map(|it| required(it).collect()).collect();
    let every = |name: &&str| holds == Holds::All || sets.iter().all(|set| set.contains(name));
    let mut known: HashSet<String> =
        root.get("required").into_iter().flat_map(names).map(str::to_owned).collect();
    let own = root.entry("required").or_insert_with(|| json!([]));
    let Some(own) = own.as_array_mut() else { return };
    // What all of them require, the first does.
    let named = if holds == Holds::All { choices } else { choices.get(..1).unwrap_or_default() };
    for name in named.iter().flat_map(required).filter(every) {
        if known.insert(name.to_owned()) {
            own.push(json!(name));
        }
    }
}

fn required(choice: &Value) -> impl Iterator<Item = &str> {
    choice.get("required").into_iter().flat_map(names)
}

fn names(list: &Value) -> impl Iterator<Item = &str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str)
}

fn raw(value: &Value) -> Box<RawValue> {
    to_raw_value(value).unwrap_or_else(|_| RawValue::NULL.to_owned())
}
