//! What an answer repeats of its request, as clients' types demand it.

use serde_json::value::RawValue;

use super::members::Members;
use super::node::Object;
use crate::llm::translate::Asked;

/// Members of an answer that repeat those of the request, and what stands there without them.
const REPEATED: &[(&str, &str)] = &[
    ("instructions", "null"),
    ("max_output_tokens", "null"),
    ("max_tool_calls", "null"),
    ("parallel_tool_calls", "true"),
    ("prompt_cache_key", "null"),
    ("reasoning", r#"{"effort":null,"summary":null}"#),
    ("safety_identifier", "null"),
    ("temperature", "1.0"),
    ("text", r#"{"format":{"type":"text"}}"#),
    ("tool_choice", r#""auto""#),
    ("tools", "[]"),
    ("top_logprobs", "0"),
    ("top_p", "1.0"),
    ("truncation", r#""disabled""#),
    ("user", "null"),
    ("metadata", "{}"),
];

/// Whatever the caller asks for, nothing is kept here and nothing runs in the background.
const ALWAYS: &[(&str, &str)] =
    &[("background", "false"), ("previous_response_id", "null"), ("store", "false")];

/// Lists of tools that stood among the items: not repeated, but their names are looked up.
pub(super) const ADDITIONAL: &str = "additional_tools";

/// Of a request, and of the lists of tools among its items.
pub(super) fn collect(
    request: &Object<'_>,
    additional: Vec<Box<RawValue>>,
) -> Vec<(&'static str, Box<RawValue>)> {
    let one = |(name, _): &(&'static str, &str)| Some((*name, request.raw(name)?));
    let additional = additional.into_iter().map(|tools| (ADDITIONAL, tools));
    REPEATED.iter().filter_map(one).chain(additional).collect()
}

/// Into an answer.
pub(super) fn write(asked: &Asked, answer: &mut Members) {
    for (name, default) in REPEATED {
        let given = asked.repeated.iter().find(|(given, _)| given == name);
        answer.raw(name, given.map_or(default, |(_, raw)| raw.get()));
    }
    ALWAYS.iter().for_each(|(name, value)| answer.raw(name, value));
}
