//! Every no, and what to do about it.

use bytes::Bytes;
use http::{Response, StatusCode};
use http_body_util::Full;
use thiserror::Error;

use crate::bundle::push::{AUDIENCE, PATH};
use crate::controller::snapshot::PodId;

/// Why a request gets no stream.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(super) enum Refusal {
    /// Another path or method.
    #[error("there is nothing here but POST {PATH}")]
    Elsewhere,
    /// No token, or something else in its place.
    #[error(
        "no ServiceAccount token: mount a projected token with audience `{AUDIENCE}` and send it \
         as `authorization: Bearer TOKEN`"
    )]
    NoToken,
    /// The API server does not know this token, or not for this audience.
    #[error(
        "the token is not valid: it must be this cluster's, not expired, and made for the \
         audience `{AUDIENCE}`"
    )]
    NotValid,
    /// It is nobody's pod's.
    #[error(
        "the token is bound to no pod: use a projected token of the pod (volume source \
         `serviceAccountToken`), not one of `kubectl create token` without --bound-object-kind=Pod"
    )]
    Unbound,
    /// A pod that the controller does not see.
    #[error(
        "no pod {}/{} with this token's uid is known here: it is gone, its namespace is not \
         among those that the controller watches (--namespaces), or its bundle is too large (the \
         routes' status says so)",
        .0.namespace, .0.name
    )]
    UnknownPod(PodId),
    /// Too many streams.
    #[error("too many streams of one pod: close the others first")]
    TooMany,
    /// One connection, one stream.
    #[error("this connection has had its stream: open another connection")]
    SecondStream,
    /// Nothing to tell yet.
    #[error("the controller has not seen the whole cluster yet: try again")]
    NotReady,
    /// Only replicas report.
    #[error("reports are taken from replicas of the controller only, by their own certificate")]
    NoReplica,
    /// Nobody to ask.
    #[error("the API server cannot review the token now: try again")]
    NoReview,
}

// === impl Refusal ===

impl Refusal {
    /// The status, and the metric's label.
    fn kind(&self) -> (StatusCode, &'static str) {
        match self {
            Self::Elsewhere => (StatusCode::NOT_FOUND, "elsewhere"),
            Self::NoToken => (StatusCode::UNAUTHORIZED, "no_token"),
            Self::NotValid => (StatusCode::UNAUTHORIZED, "not_valid"),
            Self::Unbound => (StatusCode::FORBIDDEN, "unbound"),
            Self::UnknownPod(_) => (StatusCode::FORBIDDEN, "unknown_pod"),
            Self::TooMany => (StatusCode::TOO_MANY_REQUESTS, "too_many"),
            Self::SecondStream => (StatusCode::TOO_MANY_REQUESTS, "second_stream"),
            Self::NotReady => (StatusCode::SERVICE_UNAVAILABLE, "not_ready"),
            Self::NoReplica => (StatusCode::FORBIDDEN, "no_replica"),
            Self::NoReview => (StatusCode::SERVICE_UNAVAILABLE, "no_review"),
        }
    }

    /// The metric's label.
    pub(super) fn label(&self) -> &'static str {
        self.kind().1
    }

    /// The answer: one line.
    pub(super) fn response(&self) -> Response<Full<Bytes>> {
        let mut response = Response::new(Full::new(Bytes::from(format!("{self}\n"))));
        *response.status_mut() = self.kind().0;
        response
    }
}
