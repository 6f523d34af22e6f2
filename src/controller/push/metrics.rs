//! What the push server counts. Labels are closed lists.

use prometheus::core::Collector;
use prometheus::{Gauge, IntCounter, IntCounterVec, IntGauge, Opts, Registry};

/// The push server's metric families.
#[derive(Debug, Clone)]
pub struct PushMetrics {
    /// Connections open now, of whatever kind.
    pub connections: IntGauge,
    /// Sessions open now.
    pub sessions: IntGauge,
    /// Connections that ended before their request: no turn, no handshake, no word in time.
    pub unintroduced: IntCounterVec,
    /// Requests refused.
    pub refusals: IntCounterVec,
    /// Sessions that ended.
    pub ended: IntCounterVec,
    /// Bundles sent.
    pub bundles: IntCounter,
    /// Bytes of bundles sent.
    pub bundle_bytes: IntCounter,
    /// Answers to them.
    pub answers: IntCounterVec,
    /// When the serving certificate expires.
    pub certificate_expires: Gauge,
}

/// One more of something, until it is dropped.
#[derive(Debug)]
pub(super) struct OneMore(IntGauge);

impl PushMetrics {
    /// Makes the families and registers them.
    ///
    /// # Errors
    /// When a name is registered twice.
    pub fn register(registry: &Registry) -> prometheus::Result<Self> {
        let metrics = Self::new()?;
        let families: [Box<dyn Collector>; 9] = [
            Box::new(metrics.connections.clone()),
            Box::new(metrics.sessions.clone()),
            Box::new(metrics.unintroduced.clone()),
            Box::new(metrics.refusals.clone()),
            Box::new(metrics.ended.clone()),
            Box::new(metrics.bundles.clone()),
            Box::new(metrics.bundle_bytes.clone()),
            Box::new(metrics.answers.clone()),
            Box::new(metrics.certificate_expires.clone()),
        ];
        for family in families {
            registry.register(family)?;
        }
        Ok(metrics)
    }

    fn new() -> prometheus::Result<Self> {
        let counters = |name: &str, help: &str, label: &str| {
            IntCounterVec::new(Opts::new(name, help), &[label])
        };
        Ok(Self {
            connections: IntGauge::new(
                "pillion_push_connections",
                "Connections to the push server open now, strangers included.",
            )?,
            sessions: IntGauge::new(
                "pillion_push_sidecars",
                "Sidecars connected to this replica now.",
            )?,
            unintroduced: counters(
                "pillion_push_unintroduced_total",
                "Connections that ended before they made a request, by what was missing.",
                "missing",
            )?,
            refusals: counters(
                "pillion_push_refusals_total",
                "Sidecars that were refused, by reason.",
                "reason",
            )?,
            ended: counters(
                "pillion_push_sessions_ended_total",
                "Sidecars' streams that ended, by reason.",
                "reason",
            )?,
            bundles: IntCounter::new("pillion_push_bundles_total", "Bundles sent to sidecars.")?,
            bundle_bytes: IntCounter::new(
                "pillion_push_bundle_bytes_total",
                "Bytes of bundles sent to sidecars.",
            )?,
            answers: counters(
                "pillion_push_answers_total",
                "Sidecars' answers to bundles, by result.",
                "result",
            )?,
            certificate_expires: Gauge::new(
                "pillion_certificate_expiry_timestamp_seconds",
                "When the serving certificate expires, Unix time.",
            )?,
        })
    }
}

// === impl OneMore ===

impl OneMore {
    /// Counts up now, and down on drop.
    pub(super) fn of(gauge: &IntGauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for OneMore {
    fn drop(&mut self) {
        self.0.dec();
    }
}
