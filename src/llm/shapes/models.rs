//! Model lists, and the page of one that a client asked for.

use std::borrow::Cow;

use bytes::Bytes;
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use crate::llm::Dialect;

/// A model that routes declare.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedModel {
    /// What a client puts into `model`.
    pub id: String,
    /// What a picker shows; the id if nobody gave a name.
    pub display_name: String,
    /// Who serves it: the provider object's name.
    pub owned_by: String,
}

/// The list, or the page of it that an Anthropic client asked for (`limit`, `after_id`,
/// `before_id`). The other two get all of it at once, whatever their query says.
pub fn model_list(dialect: Dialect, models: &[&ListedModel], query: Option<&str>) -> Bytes {
    let list = match dialect {
        Dialect::OpenAi => json!({ "object": "list", "data": entries(dialect, models) }),
        Dialect::Anthropic => anthropic_page(models, &Page::read(query.unwrap_or_default())),
        Dialect::Gemini => json!({ "models": entries(dialect, models) }),
    };
    Bytes::from(list.to_string())
}

/// One model.
pub fn model(dialect: Dialect, model: &ListedModel) -> Bytes {
    Bytes::from(entry(dialect, model).to_string())
}

/// What an Anthropic client asks for.
#[derive(Debug)]
struct Page<'a> {
    limit: usize,
    after: Option<Cow<'a, str>>,
    before: Option<Cow<'a, str>>,
}

const DEFAULT_LIMIT: usize = 20;
const MAX_LIMIT: usize = 1000;

// === impl Page ===

impl<'a> Page<'a> {
    fn read(query: &'a str) -> Self {
        let mut page = Self { limit: DEFAULT_LIMIT, after: None, before: None };
        for (name, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
            match name {
                "limit" => page.limit = limit(value),
                "after_id" => page.after = Some(decoded(value)),
                "before_id" => page.before = Some(decoded(value)),
                _ => {}
            }
        }
        page
    }

    /// The models on it, and whether more lie in the direction of reading. An id that is not there
    /// (any more) ends the reading.
    fn of<'m>(&self, models: &'m [&'m ListedModel]) -> (&'m [&'m ListedModel], bool) {
        let place = |id: &str| models.iter().position(|model| model.id == id);
        if let Some(id) = &self.before {
            let end = place(id).unwrap_or_default();
            let start = end.saturating_sub(self.limit);
            return (&models[start..end], start > 0);
        }
        let start = match &self.after {
            Some(id) => place(id).map_or(models.len(), |at| at + 1),
            None => 0,
        };
        let end = models.len().min(start + self.limit);
        (&models[start..end], end < models.len())
    }
}

fn anthropic_page(models: &[&ListedModel], page: &Page<'_>) -> Value {
    let (models, has_more) = page.of(models);
    json!({
        "data": entries(Dialect::Anthropic, models),
        "has_more": has_more,
        "first_id": models.first().map(|model| &model.id),
        "last_id": models.last().map(|model| &model.id),
    })
}

fn entries(dialect: Dialect, models: &[&ListedModel]) -> Value {
    models.iter().map(|model| entry(dialect, model)).collect()
}

/// Nobody knows when a declared model was made: all three shapes allow the epoch, or no date.
fn entry(dialect: Dialect, model: &ListedModel) -> Value {
    let ListedModel { id, display_name, owned_by } = model;
    match dialect {
        Dialect::OpenAi => json!({
            "id": id,
            "object": "model",
            "created": 0,
            "owned_by": owned_by,
        }),
        Dialect::Anthropic => json!({
            "type": "model",
            "id": id,
            "display_name": display_name,
            "created_at": "1970-01-01T00:00:00Z",
            // Required by the SDKs since late 2026; a model that routes declare is in use.
            "lifecycle": "active",
        }),
        Dialect::Gemini => json!({
            "name": format!("models/{id}"),
            "displayName": display_name,
            "supportedGenerationMethods": [
                "generateContent",
                "streamGenerateContent",
                "countTokens",
            ],
        }),
    }
}

fn limit(value: &str) -> usize {
    value.parse().map_or(DEFAULT_LIMIT, |limit: usize| limit.clamp(1, MAX_LIMIT))
}

fn decoded(value: &str) -> Cow<'_, str> {
    percent_decode_str(value).decode_utf8_lossy()
}
