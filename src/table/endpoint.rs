//! Where a call goes: an origin, and how the path is joined.

use std::sync::Arc;

use http::HeaderValue;
use http::uri::Authority;
use rustls_pki_types::CertificateDer;

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
