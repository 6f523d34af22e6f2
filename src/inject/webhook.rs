//! From a question to its answer, logged.
//!
//! Knows no connections. What it is asked about it looks at once, and keeps nothing of.

use std::fmt;
use std::sync::Arc;

use super::decide::{self, Asked, Decision, Served, Skip};
use super::metrics::{Failure, Metrics, Outcome};
use super::patch::{self, Operation};
use super::review::{Request, Verdict};
use super::settings::{self, Settings};

/// Everything that an answer depends on, besides the question.
pub struct Webhook {
    /// What a sidecar is.
    pub settings: Settings,
    /// Whose pods find a controller.
    pub served: Served,
    /// The certificates that pods are to believe at this moment, in PEM, once there are any.
    pub authorities: Box<dyn Fn() -> Option<Arc<str>>>,
    /// What is counted.
    pub metrics: Metrics,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NoAnswer {
    pub(super) failure: Failure,
    /// For whoever asked.
    pub(super) text: String,
}

// === impl Webhook ===

impl Webhook {
    /// Answers the question that a body holds.
    pub(super) fn answer(&self, body: &[u8]) -> Result<Vec<u8>, NoAnswer> {
        let request = Request::read(body)
            .map_err(|error| NoAnswer::new(Failure::Malformed, error.to_string()))?;
        let authorities = (self.authorities)().ok_or_else(|| {
            let text = "there is no certificate yet that a sidecar could believe: try again";
            NoAnswer::new(Failure::NoAuthorities, text)
        })?;
        let decision = match request.concern() {
            Ok(()) => {
                let (pod, namespace) = (&request.object, &request.namespace);
                decide::decide(pod, namespace, &self.settings, &self.served)
            }
            Err(skip) => Decision::Skip(skip),
        };
        let operations = patch::operations(&request.object, &decision, &authorities);
        let outcome = outcome(&decision, &operations);
        tell(&request, &decision, outcome);
        self.metrics.count(outcome);
        Ok(match &decision {
            Decision::Refuse(fault) => request.answer(&Verdict::Refused(fault)),
            Decision::Inject(_) | Decision::Complete(_) | Decision::Skip(_) => {
                let (operations, warnings) = (&*operations, &*warnings(&request, &decision));
                request.answer(&Verdict::Allowed { operations, warnings })
            }
        })
    }
}

fn outcome(decision: &Decision, operations: &[Operation]) -> Outcome {
    match decision {
        Decision::Inject(_) => Outcome::Injected,
        Decision::Complete(_) if operations.is_empty() => Outcome::Unchanged,
        Decision::Complete(_) => Outcome::Completed,
        Decision::Skip(skip) => Outcome::Skipped(*skip),
        Decision::Refuse(_) => Outcome::Refused,
    }
}

/// What whoever creates the pod is shown: only a pod that asked itself is told why not.
fn warnings(request: &Request, decision: &Decision) -> Vec<String> {
    let asked = decide::asked(&request.object);
    match decision {
        Decision::Skip(skip) if asked == Asked::ByPod => {
            vec![format!("pillion: no sidecar for this pod: {}", skip.text())]
        }
        Decision::Inject(_) => {
            let unknown = settings::unknown(decide::annotations(&request.object));
            let warning = |name| format!("pillion: annotation {name} is none that Pillion knows");
            unknown.into_iter().take(MOST_WARNINGS).map(warning).collect()
        }
        Decision::Complete(_) | Decision::Skip(_) | Decision::Refuse(_) => Vec::new(),
    }
}

/// The API server cuts off what is too long altogether.
const MOST_WARNINGS: usize = 4;

fn tell(request: &Request, decision: &Decision, outcome: Outcome) {
    let (namespace, pod) = (request.namespace.as_str(), request.pod());
    match (decision, outcome) {
        (Decision::Refuse(fault), _) => {
            tracing::warn!(namespace, pod, why = %fault, "a pod is refused");
        }
        (Decision::Skip(skip @ (Skip::OptedOut | Skip::MirrorPod)), _) => {
            tracing::debug!(namespace, pod, why = skip.text(), "a pod gets no sidecar");
        }
        (Decision::Skip(skip), _) => {
            tracing::info!(namespace, pod, why = skip.text(), "a pod gets no sidecar");
        }
        (Decision::Inject(_), _) => tracing::info!(namespace, pod, "a pod gets a sidecar"),
        (Decision::Complete(_), _) => {
            tracing::debug!(namespace, pod, ?outcome, "a pod has its sidecar already");
        }
    }
}

// === impl NoAnswer ===

impl NoAnswer {
    pub(super) fn new(failure: Failure, text: impl Into<String>) -> Self {
        Self { failure, text: text.into() }
    }
}

impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Webhook").field("settings", &self.settings).finish_non_exhaustive()
    }
}
