//! Refusals as one line, so that a test can say all of it: `503 unservable anthropic/api_error`.

use serde_json::Value;

use super::client::{Answer, Client};

/// The three kinds of callers, each with a target and a body of its own.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Caller {
    Chat,
    Messages,
    Gemini,
}

impl Caller {
    pub(crate) const ALL: [Self; 3] = [Self::Chat, Self::Messages, Self::Gemini];

    /// Asks for a model as this caller would.
    #[track_caller]
    pub(crate) fn ask(self, client: &mut Client, model: &str) -> Answer {
        client.post(&self.target(model), &[], &body(model))
    }

    /// Path and query.
    pub(crate) fn target(self, model: &str) -> String {
        match self {
            Self::Chat => "/v1/chat/completions".to_owned(),
            Self::Messages => "/v1/messages?beta=true".to_owned(),
            Self::Gemini => format!("/v1beta/models/{model}:generateContent"),
        }
    }

    /// What the dialect is called in a refusal's line.
    pub(crate) fn dialect(self) -> &'static str {
        match self {
            Self::Chat => "openai",
            Self::Messages => "anthropic",
            Self::Gemini => "gemini",
        }
    }
}

impl Answer {
    /// Status, `x-pillion-reason`, dialect and the dialect's word for the error.
    #[track_caller]
    pub(crate) fn refusal(&self) -> String {
        assert!(self.is_whole(), "{self:?}");
        assert_eq!(self.head.header("content-type"), Some("application/json"));
        let told = self.json();
        let message = told["error"]["message"].as_str().unwrap_or_default();
        assert!(!message.is_empty(), "{told}");
        let word = |value: &Value| value.as_str().unwrap_or("?").to_owned();
        let error = &told["error"];
        let (dialect, kind) = match (&told["type"], &error["status"]) {
            (Value::String(_), _) => ("anthropic", word(&error["type"])),
            (_, Value::String(status)) => ("gemini", status.clone()),
            _ => ("openai", word(&error["type"])),
        };
        let reason = self.head.header("x-pillion-reason").unwrap_or("?");
        format!("{} {reason} {dialect}/{kind}", self.status())
    }
}

/// The smallest body that names a model.
pub(crate) fn body(model: &str) -> String {
    format!("{{\"model\":{}}}", Value::from(model))
}
