//! The form of the answer, written.

use serde::Serialize;
use serde_json::value::RawValue;

use super::super::conversation::Format;

/// Schemas need a name here.
const NAME: &str = "response";

/// `response_format`.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum WrittenFormat<'a> {
    /// Any object.
    JsonObject,
    /// By a schema.
    JsonSchema {
        /// Which.
        json_schema: Schema<'a>,
    },
}

/// A schema.
#[derive(Debug, Serialize)]
pub(super) struct Schema<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    schema: &'a RawValue,
    #[serde(skip_serializing_if = "Option::is_none")]
    strict: Option<bool>,
}

/// Nothing for text, which is what comes anyway.
pub(super) fn write(format: &Format) -> Option<WrittenFormat<'_>> {
    match format {
        Format::Text => None,
        Format::JsonObject => Some(WrittenFormat::JsonObject),
        Format::JsonSchema { name, description, schema, strict } => {
            Some(WrittenFormat::JsonSchema {
                json_schema: Schema {
                    name: name.as_deref().unwrap_or(NAME),
                    description: description.as_deref(),
                    schema,
                    strict: *strict,
                },
            })
        }
    }
}
