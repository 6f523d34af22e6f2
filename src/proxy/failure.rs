//! Why a call failed: a closed list, and in one place all that follows from each.

use std::time::Duration;

use http::StatusCode;
use tracing::Level;

use crate::llm::decode::DecodeFault;
use crate::llm::shapes::ErrorKind;

/// Why a call failed. What the caller reads is [`Failure::told`]; what is logged is
/// [`Failure::logged`]; neither ever holds a key or a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// The request cannot be understood or carried out; the text says why.
    BadRequest(String),
    /// No client key of the matching route was presented.
    Unauthorized,
    /// No route matches; the text names what was asked for.
    NoRoute(Missing, String),
    /// CONNECT, TRACE, or a method that the path does not take.
    MethodNotAllowed,
    /// The body is larger than the limit (bytes).
    BodyTooLarge(usize),
    /// The request's body did not arrive whole.
    BodyCutShort(BodyEnd),
    /// The rule matches, but no target of it serves this API; the text names both.
    Unsupported(String),
    /// The rule matches, but cannot be served; the text is the compiler's.
    Unservable(String),
    /// No table has been loaded yet.
    NotReady,
    /// The memory for request bodies is used up.
    Overloaded,
    /// No connection to the upstream: refused, no such host, no trust; the text says which.
    ConnectFailed(String),
    /// The upstream took too long.
    UpstreamTimeout(Phase),
    /// The upstream broke off, or its answer is no HTTP; the text says how.
    UpstreamBroken(String),
    /// Pillion is going away and the grace is over.
    ShuttingDown,
    /// A defect of Pillion's own.
    Internal,
}

/// How a request's body ended before its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyEnd {
    /// The client stopped sending.
    Timeout,
    /// The client left, or broke the framing.
    ClientLeft,
}

/// What no route was found for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// The path, or an API without a model.
    Path,
    /// The model.
    Model,
}

/// What an upstream took too long for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// TCP and TLS.
    Connect,
    /// The answer's head.
    FirstByte,
    /// The next bytes of the answer.
    Idle,
}

/// Who is to blame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blame {
    /// The caller.
    Client,
    /// Pillion or its manifests.
    Gateway,
    /// The provider or the network to it.
    Upstream,
}

/// May the same call succeed if it is sent again?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// Not unless something is changed.
    Never,
    /// Yes, whenever the client's own back-off says.
    Possible,
    /// Yes, after this long.
    After(Duration),
}

/// All that follows from a failure.
#[derive(Debug, Clone, Copy)]
pub struct Consequences {
    /// The status that the caller gets.
    pub status: StatusCode,
    /// The error type in the caller's dialect.
    pub kind: ErrorKind,
    /// `x-pillion-reason`, the metric label and the log's word.
    pub reason: &'static str,
    /// How loud the log is.
    pub level: Level,
    /// Who is to blame.
    pub blame: Blame,
    /// Is it worth another try?
    pub retry: Retry,
}

impl Failure {
    /// A compressed body that cannot be decoded into so many bytes.
    pub fn undecoded(fault: DecodeFault, limit: usize) -> Self {
        match fault {
            DecodeFault::TooLong => Self::BodyTooLarge(limit),
            DecodeFault::Malformed => {
                Self::BadRequest("the compressed request body is malformed".to_owned())
            }
        }
    }

    /// The one table of consequences.
    pub fn consequences(&self) -> Consequences {
        use StatusCode as S;
        let soon = Retry::After(Duration::from_secs(1));
        match self {
            Self::BadRequest(_) => client(S::BAD_REQUEST, ErrorKind::InvalidRequest, "bad_request"),
            Self::Unauthorized => {
                client(S::UNAUTHORIZED, ErrorKind::Authentication, "unauthorized")
            }
            Self::NoRoute(Missing::Path, _) => {
                client(S::NOT_FOUND, ErrorKind::NotFound, "no_route")
            }
            Self::NoRoute(Missing::Model, _) => {
                client(S::NOT_FOUND, ErrorKind::UnknownModel, "no_route")
            }
            Self::MethodNotAllowed => {
                client(S::METHOD_NOT_ALLOWED, ErrorKind::InvalidRequest, "method_not_allowed")
            }
            Self::BodyTooLarge(_) => {
                client(S::PAYLOAD_TOO_LARGE, ErrorKind::TooLarge, "body_too_large")
            }
            Self::BodyCutShort(BodyEnd::Timeout) => {
                client(S::REQUEST_TIMEOUT, ErrorKind::Timeout, "body_timeout")
            }
            // Nobody reads this answer; the word is that of any caller who leaves.
            Self::BodyCutShort(BodyEnd::ClientLeft) => {
                client(S::BAD_REQUEST, ErrorKind::InvalidRequest, "client_closed")
            }
            Self::Unsupported(_) => {
                client(S::BAD_REQUEST, ErrorKind::InvalidRequest, "unsupported")
            }
            Self::Unservable(_) => gateway(S::SERVICE_UNAVAILABLE, "unservable", Retry::Never),
            Self::NotReady => gateway(S::SERVICE_UNAVAILABLE, "not_ready", soon),
            Self::Overloaded => Consequences {
                kind: ErrorKind::Overloaded,
                ..gateway(S::SERVICE_UNAVAILABLE, "overloaded", soon)
            },
            Self::ConnectFailed(_) => upstream(S::BAD_GATEWAY, ErrorKind::Api, "connect_failed"),
            Self::UpstreamTimeout(phase) => {
                upstream(S::GATEWAY_TIMEOUT, ErrorKind::Timeout, phase.reason())
            }
            Self::UpstreamBroken(_) => upstream(S::BAD_GATEWAY, ErrorKind::Api, "upstream_broken"),
            Self::ShuttingDown => gateway(S::SERVICE_UNAVAILABLE, "shutting_down", soon),
            Self::Internal => Consequences {
                level: Level::ERROR,
                ..gateway(S::INTERNAL_SERVER_ERROR, "internal", Retry::Never)
            },
        }
    }

    /// What the caller reads: no upstream internals, no names of objects that are not its own.
    pub fn told(&self) -> String {
        match self {
            Self::BadRequest(why) | Self::NoRoute(_, why) | Self::Unsupported(why) => why.clone(),
            Self::Unauthorized => {
                "this route asks for a client key: send one of its keys as `authorization: Bearer` \
                 or `x-api-key`"
                    .to_owned()
            }
            Self::MethodNotAllowed => "this method is not served on this path".to_owned(),
            Self::BodyTooLarge(limit) => {
                format!("the request body is larger than the limit of {limit} bytes")
            }
            Self::BodyCutShort(_) => "the request body stopped arriving".to_owned(),
            Self::Unservable(_) => "the route for this call is declared but cannot be served: its \
                owner finds the reason with `pillion check` and in the proxy's log"
                .to_owned(),
            Self::NotReady => "the proxy has no routing table yet".to_owned(),
            Self::Overloaded => "the proxy holds as many request bodies as it may".to_owned(),
            Self::ConnectFailed(_) => "the provider cannot be reached".to_owned(),
            Self::UpstreamTimeout(phase) => phase.told().to_owned(),
            Self::UpstreamBroken(_) => "the provider broke off its answer".to_owned(),
            Self::ShuttingDown => "the proxy is shutting down".to_owned(),
            Self::Internal => "the proxy failed; the defect is in its log".to_owned(),
        }
    }

    /// What the log adds to the reason.
    pub fn logged(&self) -> Option<&str> {
        match self {
            Self::BadRequest(why)
            | Self::NoRoute(_, why)
            | Self::Unsupported(why)
            | Self::Unservable(why)
            | Self::ConnectFailed(why)
            | Self::UpstreamBroken(why) => Some(why),
            Self::Unauthorized
            | Self::MethodNotAllowed
            | Self::BodyTooLarge(_)
            | Self::BodyCutShort(_)
            | Self::NotReady
            | Self::Overloaded
            | Self::UpstreamTimeout(_)
            | Self::ShuttingDown
            | Self::Internal => None,
        }
    }
}

impl Phase {
    fn reason(self) -> &'static str {
        match self {
            Self::Connect => "connect_timeout",
            Self::FirstByte => "first_byte_timeout",
            Self::Idle => "idle_timeout",
        }
    }

    fn told(self) -> &'static str {
        match self {
            Self::Connect => "the provider did not take the connection in time",
            Self::FirstByte => "the provider did not begin its answer in time",
            Self::Idle => "the provider fell silent in the middle of its answer",
        }
    }
}

fn client(status: StatusCode, kind: ErrorKind, reason: &'static str) -> Consequences {
    let (blame, retry) = (Blame::Client, Retry::Never);
    Consequences { status, kind, reason, level: Level::INFO, blame, retry }
}

fn gateway(status: StatusCode, reason: &'static str, retry: Retry) -> Consequences {
    let (kind, blame) = (ErrorKind::Api, Blame::Gateway);
    Consequences { status, kind, reason, level: Level::WARN, blame, retry }
}

fn upstream(status: StatusCode, kind: ErrorKind, reason: &'static str) -> Consequences {
    let (blame, retry) = (Blame::Upstream, Retry::Possible);
    Consequences { status, kind, reason, level: Level::WARN, blame, retry }
}
