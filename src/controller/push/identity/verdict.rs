//! What the API server's word on a token comes to.

use std::time::Duration;

use k8s_openapi::api::authentication::v1::{TokenReviewStatus, UserInfo};
use tokio::time::Instant;

use super::{Proven, Spans, Token};
use crate::bundle::push::AUDIENCE;
use crate::controller::push::refusal::Refusal;
use crate::controller::snapshot::PodId;
use crate::telemetry;

/// Of a token that does not say when it expires.
const UNSAID: Duration = Duration::from_secs(3600);
/// A session ends after this time at most, whatever its token says.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// The pod that a bound token names (Kubernetes, "TokenReview", since 1.21).
const POD_NAME: &str = "authentication.kubernetes.io/pod-name";
/// Its uid.
const POD_UID: &str = "authentication.kubernetes.io/pod-uid";

/// What a token is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// A pod's.
    Pod(Proven),
    /// Somebody's, but no pod's.
    Unbound,
    /// Not valid, or for others.
    NotValid,
}

// === impl Verdict ===

impl Verdict {
    pub(super) fn of(status: &TokenReviewStatus, token: &Token, spans: Spans) -> Self {
        let audiences = status.audiences.as_deref().unwrap_or_default();
        let valid = status.authenticated == Some(true);
        // An API server that does not know audiences answers with none.
        let ours = audiences.iter().any(|audience| audience == AUDIENCE);
        match &status.user {
            Some(user) if valid && ours => pod(user).map_or(Self::Unbound, |pod| {
                Self::Pod(Proven { pod, expires: Instant::now() + life(token).max(spans.least) })
            }),
            _ => Self::NotValid,
        }
    }

    /// How long it is remembered.
    pub(super) fn until(&self, now: Instant, spans: Spans) -> Instant {
        match self {
            Self::Pod(proven) => proven.expires.min(now + spans.yes),
            Self::Unbound | Self::NotValid => now + spans.no,
        }
    }

    pub(super) fn proven(self) -> Result<Proven, Refusal> {
        match self {
            Self::Pod(proven) => Ok(proven),
            Self::Unbound => Err(Refusal::Unbound),
            Self::NotValid => Err(Refusal::NotValid),
        }
    }
}

fn pod(user: &UserInfo) -> Option<PodId> {
    let name = user.username.as_deref()?.strip_prefix("system:serviceaccount:")?;
    let (namespace, account) = name.split_once(':')?;
    if namespace.is_empty() || account.is_empty() || account.contains(':') {
        return None;
    }
    let namespace = namespace.to_owned();
    Some(PodId { namespace, name: extra(user, POD_NAME)?, uid: extra(user, POD_UID)? })
}

/// The one value of an extra; two would be two pods.
fn extra(user: &UserInfo, key: &str) -> Option<String> {
    match user.extra.as_ref()?.get(key)?.as_slice() {
        [value] if !value.is_empty() => Some(value.clone()),
        _ => None,
    }
}

fn life(token: &Token) -> Duration {
    let Some(expires) = token.expires() else { return UNSAID };
    let left = (expires - telemetry::unix_seconds()).clamp(0.0, LONGEST.as_secs_f64());
    Duration::try_from_secs_f64(left).unwrap_or_default()
}
