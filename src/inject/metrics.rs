//! What the webhook counts. Labels are closed lists.

use prometheus::core::Collector;
use prometheus::{Histogram, HistogramOpts, IntCounterVec, Opts, Registry};

use super::decide::Skip;

/// The webhook's metric families. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Metrics {
    reviews: IntCounterVec,
    seconds: Histogram,
}

/// What became of a review.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Injected,
    Completed,
    Unchanged,
    Skipped(Skip),
    Refused,
    Failed(Failure),
}

/// Why there is no answer to a review.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failure {
    Elsewhere,
    TooLarge,
    TooSlow,
    TooMany,
    Malformed,
    NoAuthorities,
}

/// From a pod's patch (tens of microseconds) to a body that takes seconds to come; the API server
/// gives up after five.
const SECONDS: [f64; 9] = [0.000_1, 0.000_5, 0.002, 0.01, 0.05, 0.2, 1.0, 5.0, 10.0];

// === impl Metrics ===

impl Metrics {
    /// Makes the families and registers them.
    ///
    /// # Errors
    /// When a name is registered twice.
    pub fn register(registry: &Registry) -> prometheus::Result<Self> {
        let reviews = Opts::new(
            "pillion_injection_reviews_total",
            "Pods that the API server asked about, by what became of them.",
        );
        let seconds = HistogramOpts::new(
            "pillion_injection_review_seconds",
            "From the head of a question to its answer.",
        );
        Ok(Self {
            reviews: enter(registry, IntCounterVec::new(reviews, &["outcome", "reason"])?)?,
            seconds: enter(registry, Histogram::with_opts(seconds.buckets(SECONDS.to_vec()))?)?,
        })
    }

    pub(super) fn count(&self, outcome: Outcome) {
        self.reviews.with_label_values(&[outcome.label(), outcome.reason()]).inc();
    }

    pub(super) fn took(&self, seconds: f64) {
        self.seconds.observe(seconds);
    }
}

fn enter<C: Collector + Clone + 'static>(registry: &Registry, made: C) -> prometheus::Result<C> {
    registry.register(Box::new(made.clone()))?;
    Ok(made)
}

// === impl Outcome ===

impl Outcome {
    fn label(self) -> &'static str {
        match self {
            Self::Injected => "injected",
            Self::Completed => "completed",
            Self::Unchanged => "unchanged",
            Self::Skipped(_) => "skipped",
            Self::Refused => "refused",
            Self::Failed(_) => "failed",
        }
    }

    fn reason(self) -> &'static str {
        match self {
            Self::Skipped(skip) => skip.label(),
            Self::Failed(failure) => failure.label(),
            Self::Injected | Self::Completed | Self::Unchanged | Self::Refused => "",
        }
    }
}

// === impl Failure ===

impl Failure {
    fn label(self) -> &'static str {
        match self {
            Self::Elsewhere => "elsewhere",
            Self::TooLarge => "too_large",
            Self::TooSlow => "too_slow",
            Self::TooMany => "too_many",
            Self::Malformed => "malformed",
            Self::NoAuthorities => "no_authorities",
        }
    }
}
