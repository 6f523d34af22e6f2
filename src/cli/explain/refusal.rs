//! A refusal as the caller gets it, and what the log adds.

use bytes::Bytes;
use serde::Serialize;
use serde_json::Value;

use crate::llm::Dialect;
use crate::proxy::failure::{Failure, Retry};
use crate::proxy::reply;

/// A refusal.
#[derive(Debug, Serialize)]
pub(super) struct Refusal {
    pub(super) status: u16,
    /// The value of `x-pillion-reason`.
    pub(super) reason: &'static str,
    /// What the caller reads.
    pub(super) message: String,
    /// What the proxy's log adds.
    pub(super) logged: Option<String>,
    /// May the same call succeed later?
    pub(super) retry: bool,
    /// The whole answer.
    pub(super) body: Value,
}

/// A body of our own. It is JSON; were it not, its text would be shown.
pub(super) fn json(body: &Bytes) -> Value {
    let text = || Value::from(String::from_utf8_lossy(body).into_owned());
    serde_json::from_slice(body).unwrap_or_else(|_| text())
}

// === impl Refusal ===

impl Refusal {
    /// As the caller of this dialect gets it.
    pub(super) fn of(failure: &Failure, dialect: Dialect) -> Self {
        let response = reply::refusal(failure, dialect);
        let consequences = failure.consequences();
        let message = failure.told();
        let logged = failure.logged().filter(|logged| *logged != message);
        Self {
            status: response.status().as_u16(),
            reason: consequences.reason,
            logged: logged.map(str::to_owned),
            retry: consequences.retry != Retry::Never,
            body: json(response.body()),
            message,
        }
    }
}
