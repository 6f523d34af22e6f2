//! What status writing says of itself to Prometheus.

use prometheus::{IntCounterVec, IntGauge, Opts, Registry};

/// The families.
#[derive(Debug, Clone)]
pub struct Metrics {
    /// Attempts to write a status, by outcome.
    pub(super) writes: IntCounterVec,
    /// Statuses that wait to be written.
    pub(super) pending: IntGauge,
    /// 1 while this replica holds the lease.
    pub(super) lease_held: IntGauge,
}

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It was written, or need not be.
    Written,
    /// The object is not there any more.
    Gone,
    /// The object changed in the same moment.
    Conflict,
    /// The API server will never take it.
    Refused,
    /// It will be tried again.
    Failed,
}

// === impl Metrics ===

impl Metrics {
    /// Makes and registers them.
    ///
    /// # Errors
    /// When one of them is registered already.
    pub fn register(registry: &Registry) -> Result<Self, prometheus::Error> {
        let metrics = Self {
            writes: IntCounterVec::new(
                Opts::new(
                    "pillion_controller_status_writes_total",
                    "Attempts to write an object's status, by outcome.",
                ),
                &["result"],
            )?,
            pending: IntGauge::new(
                "pillion_controller_status_pending",
                "Objects whose status waits to be written.",
            )?,
            lease_held: IntGauge::new(
                "pillion_controller_lease_held",
                "1 while this replica holds the lease and writes status, else 0.",
            )?,
        };
        registry.register(Box::new(metrics.writes.clone()))?;
        registry.register(Box::new(metrics.pending.clone()))?;
        registry.register(Box::new(metrics.lease_held.clone()))?;
        Ok(metrics)
    }
}

// === impl Outcome ===

impl Outcome {
    /// What an answer's status code means.
    pub(super) fn of(code: u16) -> Self {
        match code {
            404 => Self::Gone,
            409 => Self::Conflict,
            400 | 413 | 422 => Self::Refused,
            // 403 among them: somebody may mend the role.
            _ => Self::Failed,
        }
    }

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Written => "written",
            Self::Gone => "gone",
            Self::Conflict => "conflict",
            Self::Refused => "refused",
            Self::Failed => "failed",
        }
    }
}
