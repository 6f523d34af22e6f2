//! Errors and model lists, in the shape that each dialect's clients parse.

use bytes::Bytes;

use super::{Api, Dialect};

/// What kind of error it is; each dialect has its own word for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// 400, 405, 408, 501
    InvalidRequest,
    /// 401
    Authentication,
    /// 404
    NotFound,
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
    let _ = (dialect, kind, status, message);
    Bytes::new()
}

/// The last event of a stream that could not be completed, blank line included.
pub fn error_event(api: Api, kind: ErrorKind, status: u16, message: &str) -> Bytes {
    let _ = (api, kind, status, message);
    Bytes::new()
}

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

/// The page of a list that a client asked for (`limit`, `after_id`, `before_id`), from the query.
pub fn model_list(dialect: Dialect, models: &[&ListedModel], query: Option<&str>) -> Bytes {
    let _ = (dialect, models, query);
    Bytes::new()
}

/// One model.
pub fn model(dialect: Dialect, model: &ListedModel) -> Bytes {
    let _ = (dialect, model);
    Bytes::new()
}
