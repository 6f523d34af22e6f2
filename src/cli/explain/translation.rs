//! What a translation makes of a call's fields.

use serde::Serialize;
use serde_json::Value;

use crate::llm::translate::Pair;
use crate::llm::translate::fate::Fate;

/// A translation.
#[derive(Debug, Serialize)]
pub(super) struct TranslationStory {
    /// The API that the call is translated to.
    pub(super) to: &'static str,
    /// The call's fields that do not go under their own names.
    pub(super) fields: Vec<FieldStory>,
}

/// A field of the call.
#[derive(Debug, Serialize)]
pub(super) struct FieldStory {
    pub(super) field: &'static str,
    /// What becomes of it.
    pub(super) becomes: String,
}

// === impl TranslationStory ===

impl TranslationStory {
    pub(super) fn of(pair: Pair, body: &[u8]) -> Self {
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let sent = pair.fields().iter().filter(|row| body.get(row.field).is_some());
        let story = |field, fate| becomes(field, fate).map(|becomes| FieldStory { field, becomes });
        Self {
            to: pair.upstream().api().as_str(),
            fields: sent.filter_map(|row| story(row.field, row.fate)).collect(),
        }
    }
}

fn becomes(field: &str, fate: Fate) -> Option<String> {
    match fate {
        Fate::Carried(same) if same == field => None,
        Fate::Carried(other) => Some(format!("goes as {other}")),
        Fate::Approximated(how) => Some(format!("goes as something near: {how}")),
        Fate::Dropped(why) => Some(format!("is left out: {why}")),
        Fate::Refused { why, .. } => Some(format!("goes only with its harmless values: {why}")),
    }
}
