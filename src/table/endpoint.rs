//! Where a call goes: an origin, and how the path is joined.
//!
//! Base URLs are joined by the API kind that they are declared for, never by their host:
//!
//! | API | base path | before the operation |
//! |---|---|---|
//! | OpenAI kinds | ends in its version (`/v1`, `/openai/v1`, `/api/paas/v4`) | the base path |
//! | OpenAI kinds | empty | `/v1` |
//! | OpenAI kinds | holds `{model}` | the model stands in the base path |
//! | Anthropic | anything | the base path and `/v1`, which is not doubled |
//! | Gemini | empty | the client's own version segment |
//! | Gemini | anything else, its version included | the base path |
//!
//! A trailing slash changes nothing. Bytes of the path and the query go on exactly as they were
//! sent. Does not know connections: it says which hosts are never called ([`forbidden`]), and who
//! resolves names asks [`is_forbidden_ip`] again.

mod base_url;
pub mod forbidden;
mod query;
#[cfg(test)]
mod tests;

use std::fmt::Write as _;
use std::sync::Arc;

use http::HeaderValue;
use http::uri::{Authority, PathAndQuery};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use rustls_pki_types::CertificateDer;
use thiserror::Error;

use crate::secret::QueryValue;

pub use base_url::BaseUrlError;
pub use forbidden::is_forbidden_ip;
pub use query::strip_query;

/// Scheme, host, port and whom to trust: what connections are pooled by.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct Origin {
    /// http or https.
    pub scheme: Scheme,
    /// Host name or IP address, without brackets.
    pub host: Box<str>,
    /// The port, explicit or the scheme's own.
    pub port: u16,
    /// `host[:port]` as the `Host` header says it.
    pub authority: Authority,
    /// The same, ready to send.
    pub host_header: HeaderValue,
    /// Which certificates are believed.
    pub trust: Trust,
}

/// http or https.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// Plain text.
    Http,
    /// TLS, HTTP/2 by ALPN.
    Https,
}

/// Which certificates are believed.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Trust {
    /// The system's roots.
    System,
    /// The system's roots and these CAs.
    SystemAnd(Arc<[CertificateDer<'static>]>),
}

/// An origin with the path rule of one API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Where to connect.
    pub origin: Arc<Origin>,
    /// The path before the operation's suffix, without trailing slash: `/compatible-mode/v1`.
    pub prefix: PathPrefix,
    /// The base URL's own query (`api-version=2024-10-21`); the client's is appended with `&`.
    pub query: Option<Box<str>>,
}

/// What stands before an operation's suffix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PathPrefix {
    /// This text.
    Fixed(Box<str>),
    /// The client's own version segment (`/v1beta`): a Gemini base with an empty path.
    ClientVersion,
    /// The percent-encoded model stands between the two (dated Azure deployments).
    AroundModel(Box<str>, Box<str>),
}

/// What a call contributes to its request target.
#[derive(Debug, Clone, Copy)]
pub struct CallPath<'a> {
    /// The client's version segment without slashes, empty for a bare path.
    pub version: &'a str,
    /// What follows it.
    pub suffix: Suffix<'a>,
    /// The model that is sent upstream, decoded.
    pub model: Option<&'a str>,
    /// The client's query, without `?`, freed of what must not go on.
    pub query: Option<&'a str>,
}

/// What follows the version segment, with its leading slash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Suffix<'a> {
    /// As the client sent it.
    AsSent(&'a str),
    /// With another model between the pieces `/models/` and `:generateContent`.
    Renamed {
        /// What stands before the model, as sent.
        before: &'a str,
        /// The new model, decoded: it is percent-encoded as one path segment.
        model: &'a str,
        /// What stands after the model, as sent.
        after: &'a str,
    },
}

/// Why a call cannot be given a request target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum TargetError {
    /// The endpoint's path holds the model, and the call names none.
    #[error("this endpoint's path holds the model, and the call names none")]
    NoModel,
    /// `.`, `..`, nothing, or a NUL: it would change the path.
    #[error("the model's name cannot stand in a path")]
    ModelUnusable,
    /// Too long, or bytes that no request target may hold.
    #[error("the request target is too long or holds bytes that it must not")]
    Invalid,
}

/// What stays as it is in a path segment; a `:` would end a Gemini model's name.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Enough for a key in a query, in bytes.
const KEY_ROOM: usize = 256;

/// The version of a Gemini call that came without one.
const GEMINI_VERSION: &str = "v1beta";

// === impl Endpoint ===

impl Endpoint {
    /// The target of a call: prefix, suffix, and the queries of the base, of the client and of
    /// the key, in this order. A client's parameter with the name of the key's is left out.
    ///
    /// # Errors
    /// [`TargetError`], for the caller to answer with 400.
    pub fn path_and_query(
        &self,
        call: CallPath<'_>,
        key: Option<(&str, &QueryValue)>,
    ) -> Result<PathAndQuery, TargetError> {
        let room = self.length(&call) + key.map_or(0, |(name, _)| name.len() + KEY_ROOM);
        let mut target = String::with_capacity(room);
        self.push_prefix(&mut target, &call)?;
        call.suffix.push_to(&mut target)?;
        self.push_query(&mut target, call.query, key);
        PathAndQuery::try_from(target).map_err(|_| TargetError::Invalid)
    }

    /// To the byte where no model stands in it, of which each byte may take three: what is left
    /// over would cost a block of memory of its own.
    fn length(&self, call: &CallPath<'_>) -> usize {
        let prefix = match &self.prefix {
            PathPrefix::Fixed(path) => path.len(),
            PathPrefix::ClientVersion => call.version.len().max(GEMINI_VERSION.len()) + 1,
            PathPrefix::AroundModel(before, after) => {
                before.len() + after.len() + 3 * call.model.map_or(0, str::len)
            }
        };
        let suffix = match call.suffix {
            Suffix::AsSent(text) => text.len(),
            Suffix::Renamed { before, model, after } => {
                before.len() + 3 * model.len() + after.len()
            }
        };
        let queries = [self.query.as_deref(), call.query].into_iter().flatten();
        let separated = queries.filter(|query| !query.is_empty()).map(|query| query.len() + 1);
        prefix + suffix + separated.sum::<usize>()
    }

    fn push_prefix(&self, target: &mut String, call: &CallPath<'_>) -> Result<(), TargetError> {
        match &self.prefix {
            PathPrefix::Fixed(path) => target.push_str(path),
            PathPrefix::ClientVersion => {
                target.push('/');
                target.push_str(match call.version {
                    "" => GEMINI_VERSION,
                    version => version,
                });
            }
            PathPrefix::AroundModel(before, after) => {
                target.push_str(before);
                push_model(target, call.model.ok_or(TargetError::NoModel)?)?;
                target.push_str(after);
            }
        }
        Ok(())
    }

    fn push_query(
        &self,
        target: &mut String,
        sent: Option<&str>,
        key: Option<(&str, &QueryValue)>,
    ) {
        let stripped = match (sent, key) {
            (Some(sent), Some((name, _))) => strip_query(sent, &query::decoded(name)),
            (sent, _) => sent.unwrap_or_default().into(),
        };
        let mut separator = '?';
        let base = self.query.as_deref().unwrap_or_default();
        for part in [base, &stripped] {
            if !part.is_empty() {
                target.push(separator);
                target.push_str(part);
                separator = '&';
            }
        }
        if let Some((name, value)) = key {
            target.push(separator);
            target.push_str(name);
            target.push('=');
            value.append_to(target);
        }
    }
}

// === impl Suffix ===

impl Suffix<'_> {
    fn push_to(self, target: &mut String) -> Result<(), TargetError> {
        match self {
            Self::AsSent(text) => target.push_str(text),
            Self::Renamed { before, model, after } => {
                target.push_str(before);
                push_model(target, model)?;
                target.push_str(after);
            }
        }
        Ok(())
    }
}

/// Percent-encodes a model as one path segment. Dot segments cannot be hidden by encoding: some
/// servers decode `%2E` and `%2F` before they look for them; nor can a NUL, behind which some see
/// nothing (FAULTS 27).
fn push_model(target: &mut String, model: &str) -> Result<(), TargetError> {
    let mut pieces = model.split(['/', '\\']);
    if model.is_empty() || model.contains('\0') || pieces.any(|piece| matches!(piece, "." | "..")) {
        return Err(TargetError::ModelUnusable);
    }
    // Writing to a String cannot fail.
    let _ = write!(target, "{}", utf8_percent_encode(model, SEGMENT));
    Ok(())
}
