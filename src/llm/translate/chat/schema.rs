//! The schema of a tool's arguments, as APIs of this kind insist on it: an object with `type` and
//! `properties`. What has both goes on byte for byte.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::super::document::Marks;
use super::members::Members;

const EMPTY: &str = r#"{"type":"object","properties":{}}"#;

/// The `parameters` of a function.
pub(super) fn parameters(schema: Option<&RawValue>) -> Option<Cow<'_, RawValue>> {
    let whole = match schema {
        None => EMPTY.to_owned(),
        Some(schema) => match completed(schema) {
            Completed::AsItIs => return Some(Cow::Borrowed(schema)),
            Completed::Anew(whole) => whole,
        },
    };
    RawValue::from_string(whole).ok().map(Cow::Owned)
}

enum Completed {
    AsItIs,
    Anew(String),
}

fn completed(schema: &RawValue) -> Completed {
    let mut marks = Marks::default();
    let read = marks.read(schema.get()).ok();
    let Some(mut members) = read.and_then(|schema| Members::of(schema, String::new()).ok()) else {
        return Completed::Anew(EMPTY.to_owned());
    };
    let missing = [("type", r#""type":"object""#), ("properties", r#""properties":{}"#)]
        .into_iter()
        .filter(|(name, _)| !matches!(members.take(name), Ok(Some(_)) | Err(_)))
        .map(|(_, member)| member);
    let missing: Vec<&str> = missing.collect();
    match (missing.join(","), schema.get().strip_prefix('{').map(str::trim_start)) {
        (added, _) if added.is_empty() => Completed::AsItIs,
        (added, Some("}") | None) => Completed::Anew(format!("{{{added}}}")),
        (added, Some(rest)) => Completed::Anew(format!("{{{added},{rest}")),
    }
}
