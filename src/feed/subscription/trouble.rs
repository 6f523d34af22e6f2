//! Why there is no stream, in words that say what to do.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use http::StatusCode;
use thiserror::Error;

/// Why there is no stream, or none any more.
#[derive(Debug, Error)]
pub(super) enum Trouble {
    #[error("cannot use the token at {}", path.display())]
    Token {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("cannot use the controller's CA at {}", path.display())]
    Ca {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("cannot connect to the controller at {address}: {why}")]
    Unreachable { address: String, why: String },
    #[error("the controller refuses with {status}: {said}")]
    Refused { status: StatusCode, said: String, retry_after: Option<Duration> },
    #[error("the stream broke: {0}")]
    Broken(String),
    #[error("the controller ended the stream")]
    Ended,
}

// === impl Trouble ===

impl Trouble {
    /// What it is about: troubles of one subject in a row are told once.
    pub(super) fn subject(&self) -> (&'static str, u16) {
        match self {
            Self::Token { .. } => ("token", 0),
            Self::Ca { .. } => ("ca", 0),
            Self::Unreachable { .. } => ("unreachable", 0),
            Self::Refused { status, .. } => ("refused", status.as_u16()),
            Self::Broken(_) => ("broken", 0),
            Self::Ended => ("ended", 0),
        }
    }

    /// What to do about it.
    pub(super) fn remedy(&self) -> &'static str {
        match self {
            Self::Token { .. } => "mount the pod's projected token there, or correct --token",
            Self::Ca { .. } => "mount the controller's CA there, or correct --controller-ca",
            Self::Unreachable { .. } => {
                "see that the controller runs, and that --controller and --controller-ca are its"
            }
            Self::Refused { status, .. } => match *status {
                StatusCode::UNAUTHORIZED => {
                    "mount a token of this pod for the audience pillion.dev, and let it be rotated"
                }
                StatusCode::FORBIDDEN => {
                    "see that the pod still exists, in a namespace that the controller watches"
                }
                StatusCode::NOT_FOUND => "see that --controller is Pillion's controller",
                _ => "nothing need be done: it is tried again",
            },
            Self::Broken(_) | Self::Ended => "nothing need be done: it is tried again",
        }
    }

    /// When the controller asked us to come back.
    pub(super) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Refused { retry_after, .. } => *retry_after,
            Self::Token { .. }
            | Self::Ca { .. }
            | Self::Unreachable { .. }
            | Self::Broken(_)
            | Self::Ended => None,
        }
    }
}
