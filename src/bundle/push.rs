//! The conversation between a sidecar and a controller, as data.
//!
//! One HTTP/2 request over TLS: `POST /v1/bundles` with `authorization: Bearer TOKEN`, a
//! ServiceAccount token bound to the pod, for the audience [`AUDIENCE`]. The response's body is a
//! stream of lines, each a whole bundle ([`super::encode`]): the newest wins, there are no deltas.
//! The request's body is a stream of lines, each an [`Answer`] to the bundle received last. Both
//! stay open; liveness is HTTP/2's own PING. Ending the response body cleanly means: connect again
//! (the token has expired, or the controller is going).
//!
//! The response's header [`AUTHORITIES`] tells by which CA certificates controllers are believed
//! from now on. When they change, streams end, so that all hear of it.
//!
//! Refusals: 401 the token is not valid, 403 it names no pod that is known here, 429 too many
//! connections, 503 not ready yet. Each has a one-line text that says what to do.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderValue};
use serde::{Deserialize, Serialize};

/// The path of the stream.
pub const PATH: &str = "/v1/bundles";
/// The audience that a sidecar's token must be for.
pub const AUDIENCE: &str = "pillion.dev";
/// The longest bundle, in bytes; a longer one is never sent nor taken.
pub const MAX_BUNDLE: usize = 16 << 20;
/// The longest answer, in bytes.
pub const MAX_ANSWER: usize = 16 << 10;

/// The header of the response with CA certificates: PEM, in base64.
pub const AUTHORITIES: &str = "pillion-authorities";
/// The longest PEM of them, in bytes; a longer one is not sent.
pub const MAX_AUTHORITIES: usize = 8 << 10;

/// What a sidecar made of a bundle.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase")]
pub enum Answer {
    /// It runs.
    #[serde(rename_all = "camelCase")]
    Applied {
        /// The bundle's version.
        version: String,
        /// Objects that have an error, of which an earlier version without one goes on running:
        /// `LlmRoute NAMESPACE/NAME`.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        held: Vec<String>,
    },
    /// It cannot be read; what ran before goes on.
    #[serde(rename_all = "camelCase")]
    Rejected {
        /// The bundle's version, if that much could be read.
        version: String,
        /// Why, without any value of the bundle.
        reason: String,
    },
}

/// The value of [`AUTHORITIES`] for this PEM.
pub fn authorities_header(pem: &str) -> Option<HeaderValue> {
    let fits = (1..=MAX_AUTHORITIES).contains(&pem.len());
    fits.then(|| HeaderValue::from_str(&STANDARD.encode(pem)).ok()).flatten()
}

/// The PEM that a response's head tells.
pub fn authorities(head: &HeaderMap) -> Option<Vec<u8>> {
    STANDARD.decode(head.get(AUTHORITIES)?).ok()
}
