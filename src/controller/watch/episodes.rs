//! What goes wrong with watches, told once: when it begins, when its nature changes, when it is
//! over. A metric counts each error.
//!
//! An API server that is away fails every watch every few seconds for as long as it lasts; a log
//! of that hides everything else. What is told never quotes an object.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::error::Error as StdError;
use std::rc::Rc;
use std::time::Duration;

use kube::core::Status;
use kube::runtime::watcher;
use tokio::time::Instant;

use super::super::metrics::Metrics;
use crate::telemetry::causes;

/// What is watched, as metrics and logs call it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Resource {
    /// `llmroutes`
    LlmRoutes,
    /// `providersecrets`
    ProviderSecrets,
    /// `namespaces`
    Namespaces,
    /// `pods`
    Pods,
    /// `secrets`
    Secrets,
}

/// One watch: of what, and where.
pub(super) type WatchId = (Resource, String);

/// The state of all watches. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Episodes {
    running: Rc<RefCell<BTreeMap<Resource, Episode>>>,
    metrics: Metrics,
}

/// What went wrong.
#[derive(Debug)]
pub(super) struct Trouble {
    kind: Kind,
    detail: String,
    /// How long the server asks us to wait.
    pub(super) asked_pause: Option<Duration>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Unreachable,
    Silent,
    Unauthorized,
    Forbidden,
    NotFound,
    TooMany,
    Gone,
    Unreadable,
    Other,
}

#[derive(Debug)]
struct Episode {
    began: Instant,
    failing: BTreeSet<String>,
    told: BTreeSet<Kind>,
}

// === impl Resource ===

impl Resource {
    /// The plural, as in RBAC rules.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::LlmRoutes => "llmroutes",
            Self::ProviderSecrets => "providersecrets",
            Self::Namespaces => "namespaces",
            Self::Pods => "pods",
            Self::Secrets => "secrets",
        }
    }
}

// === impl Episodes ===

impl Episodes {
    /// Nothing is wrong yet.
    pub fn new(metrics: Metrics) -> Self {
        Self { running: Rc::default(), metrics }
    }

    /// This watch has failed.
    pub(super) fn trouble(&self, (resource, place): &WatchId, trouble: &Trouble) {
        self.metrics.watch_errors.with_label_values(&[resource.as_str()]).inc();
        if trouble.kind == Kind::Gone {
            // What we have seen has grown too old to go on from: a list follows, and all is well.
            tracing::debug!(resource = resource.as_str(), place, "the watch begins anew");
            return;
        }
        let mut running = self.running.borrow_mut();
        let episode = running.entry(*resource).or_insert_with(|| Episode {
            began: Instant::now(),
            failing: BTreeSet::new(),
            told: BTreeSet::new(),
        });
        episode.failing.insert(place.clone());
        if episode.told.insert(trouble.kind) {
            let (resource, detail) = (resource.as_str(), &trouble.detail);
            let remedy = trouble.kind.remedy();
            tracing::warn!(
                resource,
                place,
                error = detail,
                remedy,
                "a watch fails; what is known goes on being used, and it is tried again"
            );
        }
    }

    /// This watch works, or is not wanted any more.
    pub(super) fn over(&self, (resource, place): &WatchId) {
        let mut running = self.running.borrow_mut();
        let Some(episode) = running.get_mut(resource) else { return };
        if !episode.failing.remove(place) || !episode.failing.is_empty() {
            return;
        }
        let seconds = episode.began.elapsed().as_secs();
        running.remove(resource);
        tracing::info!(resource = resource.as_str(), seconds, "watches work again");
    }
}

// === impl Trouble ===

impl Trouble {
    /// Reads an error of `kube`'s watcher.
    pub(super) fn of(error: &watcher::Error) -> Self {
        match error {
            watcher::Error::InitialListFailed(error)
            | watcher::Error::WatchStartFailed(error)
            | watcher::Error::WatchFailed(error) => Self::of_client(error),
            watcher::Error::WatchError(status) => Self::of_status(status),
            watcher::Error::NoResourceVersion => {
                Self::plain(Kind::Other, "the server names no resource version")
            }
        }
    }

    /// A list did not come.
    pub(super) fn silence() -> Self {
        Self::plain(Kind::Silent, "no answer to a list")
    }

    fn of_client(error: &kube::Error) -> Self {
        match error {
            kube::Error::Api(status) => Self::of_status(status),
            // It may quote what it could not read.
            kube::Error::SerdeError(_) | kube::Error::FromUtf8(_) => {
                Self::plain(Kind::Unreadable, "an answer that cannot be read")
            }
            error => Self {
                kind: Kind::Unreachable,
                detail: innermost(error).to_string(),
                asked_pause: None,
            },
        }
    }

    fn of_status(status: &Status) -> Self {
        let kind = match status.code {
            401 => Kind::Unauthorized,
            403 => Kind::Forbidden,
            404 => Kind::NotFound,
            410 => Kind::Gone,
            429 => Kind::TooMany,
            _ => Kind::Other,
        };
        let seconds = status.details.as_ref().map_or(0, |details| details.retry_after_seconds);
        Self {
            kind,
            detail: format!("{} {}: {}", status.code, status.reason, status.message),
            asked_pause: (seconds > 0).then(|| Duration::from_secs(seconds.into())),
        }
    }

    fn plain(kind: Kind, detail: &str) -> Self {
        Self { kind, detail: detail.to_owned(), asked_pause: None }
    }
}

/// The cause of causes: what is around it says only that a request failed.
fn innermost<'e>(error: &'e (dyn StdError + 'static)) -> &'e (dyn StdError + 'static) {
    causes(error).last().unwrap_or(error)
}

// === impl Kind ===

impl Kind {
    fn remedy(self) -> &'static str {
        match self {
            Self::Unreachable | Self::Silent => {
                "check that the API server runs and can be reached from here; sidecars keep \
                 working meanwhile"
            }
            Self::Unauthorized => {
                "check the controller's ServiceAccount token or kubeconfig; the token file is \
                 re-read every minute"
            }
            Self::Forbidden => {
                "let the controller's ServiceAccount get, list and watch this resource"
            }
            Self::NotFound => {
                "install the definitions: pillion crds | kubectl apply --server-side -f -"
            }
            Self::TooMany => "nothing need be done: the API server is busy, and the pause grows",
            Self::Gone | Self::Unreadable | Self::Other => "see the API server's log",
        }
    }
}
