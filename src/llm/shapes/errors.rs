//! Errors, as bodies and as last events of streams.

use bytes::Bytes;
use serde_json::{Value, json};

use crate::llm::{Api, Dialect};

/// What kind of error it is; each dialect has its own word for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// 400, 405, 408, 501
    InvalidRequest,
    /// 401
    Authentication,
    /// 404
    NotFound,
    /// 404, because of the model that the call names
    UnknownModel,
    /// 413
    TooLarge,
    /// 503 with `retry-after`
    Overloaded,
    /// 500, 502, 503
    Api,
    /// 504
    Timeout,
}

/// An error body, JSON.
pub fn error_body(dialect: Dialect, kind: ErrorKind, status: u16, message: &str) -> Bytes {
    Bytes::from(error(dialect, kind, status, message).to_string())
}

/// The last event of a stream that could not be completed, blank line included.
pub fn error_event(api: Api, kind: ErrorKind, status: u16, message: &str) -> Bytes {
    let error = error(api.dialect(), kind, status, message);
    let event = match api {
        // What is no named event of theirs, the SDKs of these two do not take for an error.
        Api::AnthropicMessages => format!("event: error\ndata: {error}\n\n"),
        Api::OpenAiResponses => format!("event: error\ndata: {}\n\n", responses_error(error)),
        // The SDKs raise on any chunk with an `error` member.
        Api::OpenAiChat | Api::OpenAiEmbeddings | Api::OpenAi => format!("data: {error}\n\n"),
        // Gemini ends its lines with CRLF.
        Api::Gemini => format!("data: {error}\r\n\r\n"),
    };
    Bytes::from(event)
}

fn error(dialect: Dialect, kind: ErrorKind, status: u16, message: &str) -> Value {
    match dialect {
        Dialect::OpenAi => {
            let (error_type, code) = open_ai_words(kind);
            json!({
                "error": { "message": message, "type": error_type, "param": null, "code": code },
            })
        }
        Dialect::Anthropic => json!({
            "type": "error",
            "error": { "type": anthropic_word(kind), "message": message },
        }),
        Dialect::Gemini => json!({
            "error": { "code": status, "message": message, "status": gemini_word(kind, status) },
        }),
    }
}

/// The reference has code, message and param beside the type; the service nests them in `error`,
/// which is what the SDKs raise on. Clients of either find theirs. The sequence number is unknown
/// here, and nobody reads an error's.
fn responses_error(error: Value) -> Value {
    let error = &error["error"];
    json!({
        "type": "error",
        "sequence_number": 0,
        "code": error["code"],
        "message": error["message"],
        "param": null,
        "error": error,
    })
}

/// Type and code. The service says of a wrong key and of an unknown model that the request is
/// invalid; only the code tells them apart.
const fn open_ai_words(kind: ErrorKind) -> (&'static str, Option<&'static str>) {
    match kind {
        ErrorKind::InvalidRequest | ErrorKind::NotFound | ErrorKind::TooLarge => {
            ("invalid_request_error", None)
        }
        ErrorKind::Authentication => ("invalid_request_error", Some("invalid_api_key")),
        ErrorKind::UnknownModel => ("invalid_request_error", Some("model_not_found")),
        ErrorKind::Overloaded => ("service_unavailable_error", Some("server_is_overloaded")),
        ErrorKind::Api | ErrorKind::Timeout => ("server_error", None),
    }
}

const fn anthropic_word(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::InvalidRequest => "invalid_request_error",
        ErrorKind::Authentication => "authentication_error",
        ErrorKind::NotFound | ErrorKind::UnknownModel => "not_found_error",
        ErrorKind::TooLarge => "request_too_large",
        ErrorKind::Overloaded => "overloaded_error",
        ErrorKind::Api => "api_error",
        ErrorKind::Timeout => "timeout_error",
    }
}

/// `google.rpc.Code`, as its HTTP mapping has it.
const fn gemini_word(kind: ErrorKind, status: u16) -> &'static str {
    match (kind, status) {
        (ErrorKind::InvalidRequest, 501) => "UNIMPLEMENTED",
        (ErrorKind::InvalidRequest, 408) => "DEADLINE_EXCEEDED",
        (ErrorKind::InvalidRequest | ErrorKind::TooLarge, _) => "INVALID_ARGUMENT",
        (ErrorKind::Authentication, _) => "UNAUTHENTICATED",
        (ErrorKind::NotFound | ErrorKind::UnknownModel, _) => "NOT_FOUND",
        (ErrorKind::Overloaded, _) | (ErrorKind::Api, 502 | 503) => "UNAVAILABLE",
        (ErrorKind::Api, _) => "INTERNAL",
        (ErrorKind::Timeout, _) => "DEADLINE_EXCEEDED",
    }
}
