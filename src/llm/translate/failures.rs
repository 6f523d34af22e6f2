//! Errors that an upstream answers with, in the caller's dialect.
//!
//! The status stays, because clients retry by it; the message is the upstream's own; the type is
//! the caller's dialect's word for the status.

use bytes::Bytes;
use serde_json::{Value, json};

use super::Speech;

/// The longest text of a body that is no JSON which is given on, in characters.
const LONGEST_TEXT: usize = 2000;

/// The error as the client's SDK expects it.
pub(super) fn translate(client: Speech, status: u16, body: &[u8]) -> Bytes {
    let told = Told::read(status, body);
    let error = match client {
        Speech::Messages => json!({
            "type": "error",
            "error": { "type": anthropic_type(status), "message": told.message },
        }),
        Speech::Chat | Speech::Responses => json!({
            "error": {
                "message": told.message,
                "type": open_ai_type(status),
                "param": told.param,
                "code": told.code,
            },
        }),
    };
    Bytes::from(error.to_string())
}

/// What an upstream said.
struct Told {
    message: String,
    param: Value,
    code: Value,
}

impl Told {
    fn read(status: u16, body: &[u8]) -> Self {
        match serde_json::from_slice::<Value>(body) {
            Ok(Value::Object(object)) => Self::of(status, &Value::Object(object)),
            Ok(_) | Err(_) => Self::text(status, body),
        }
    }

    /// `error` is an object in the vendors' dialects, a text in Ollama's; others have only
    /// `message` or `detail`.
    fn of(status: u16, body: &Value) -> Self {
        let error = body.get("error").unwrap_or(body);
        let candidates =
            [error.get("message"), Some(error), body.get("message"), body.get("detail")];
        let message = candidates.into_iter().flatten().find_map(Value::as_str);
        let message = message.filter(|message| !message.is_empty());
        let member = |name: &str| error.get(name).cloned().unwrap_or(Value::Null);
        Self {
            message: message.map_or_else(|| nothing_said(status), str::to_owned),
            param: member("param"),
            code: member("code"),
        }
    }

    fn text(status: u16, body: &[u8]) -> Self {
        let text = String::from_utf8_lossy(body);
        let text = text.trim();
        // A page is for browsers; what it says would only confuse.
        let useless = text.is_empty() || text.starts_with('<');
        let message =
            if useless { nothing_said(status) } else { text.chars().take(LONGEST_TEXT).collect() };
        Self { message, param: Value::Null, code: Value::Null }
    }
}

fn nothing_said(status: u16) -> String {
    format!("the provider answered with status {status} and no explanation")
}

/// <https://docs.anthropic.com/en/api/errors>
pub(super) const fn anthropic_type(status: u16) -> &'static str {
    match status {
        401 => "authentication_error",
        402 => "billing_error",
        403 => "permission_error",
        404 => "not_found_error",
        413 => "request_too_large",
        429 => "rate_limit_error",
        504 => "timeout_error",
        503 | 529 => "overloaded_error",
        400..=499 => "invalid_request_error",
        _ => "api_error",
    }
}

/// As the service words them; its SDKs go by the status.
pub(super) const fn open_ai_type(status: u16) -> &'static str {
    match status {
        401 => "authentication_error",
        403 => "permission_error",
        429 => "rate_limit_error",
        400..=499 => "invalid_request_error",
        503 | 529 => "service_unavailable_error",
        _ => "server_error",
    }
}
