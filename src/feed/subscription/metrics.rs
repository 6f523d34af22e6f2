//! The metric families of a subscription; a proxy that is fed from a folder has none of them.

use prometheus::core::Collector;
use prometheus::{Gauge, GaugeVec, IntCounterVec, IntGauge, Opts, Registry};

use super::Link;
use crate::telemetry;

/// Every family of a subscription.
#[derive(Debug, Clone)]
pub struct Metrics {
    connected: IntGauge,
    connects: IntCounterVec,
    bundle_info: GaugeVec,
    bundle_received: Gauge,
    held: IntGauge,
}

// === impl Metrics ===

impl Metrics {
    /// Makes the families and registers them.
    ///
    /// # Errors
    /// When a name is registered twice.
    pub fn register(registry: &Registry) -> prometheus::Result<Self> {
        let enter = Enter { registry };
        let connected = IntGauge::new(
            "pillion_controller_connected",
            "1 while a stream from the controller is open, else 0.",
        );
        let connects = Opts::new(
            "pillion_controller_connects_total",
            "Tries to open a stream from the controller: connected, refused or unreachable.",
        );
        let bundle_info = Opts::new(
            "pillion_bundle_info",
            "1 for the version of the bundle that was taken last.",
        );
        let bundle_received = Gauge::new(
            "pillion_bundle_received_timestamp_seconds",
            "When a bundle was taken last, Unix time.",
        );
        let held = IntGauge::new(
            "pillion_bundle_held_objects",
            "Objects of which an earlier version goes on running, because what they say now has an \
             error.",
        );
        Ok(Self {
            connected: enter.one(connected?)?,
            connects: enter.one(IntCounterVec::new(connects, &["result"])?)?,
            bundle_info: enter.one(GaugeVec::new(bundle_info, &["version"])?)?,
            bundle_received: enter.one(bundle_received?)?,
            held: enter.one(held?)?,
        })
    }

    /// The link is another.
    pub fn link(&self, link: Link) {
        let result = match link {
            Link::Lost => return self.connected.set(0),
            Link::Connected => {
                self.connected.set(1);
                "connected"
            }
            Link::Refused => "refused",
            Link::Unreachable => "unreachable",
        };
        self.connects.with_label_values(&[result]).inc();
    }

    /// A bundle was taken, with so many objects held.
    pub fn taken(&self, version: &str, held: usize) {
        self.bundle_info.reset();
        self.bundle_info.with_label_values(&[version]).set(1.0);
        self.bundle_received.set(telemetry::unix_seconds());
        self.held.set(i64::try_from(held).unwrap_or(i64::MAX));
    }
}

struct Enter<'r> {
    registry: &'r Registry,
}

impl Enter<'_> {
    fn one<C: Collector + Clone + 'static>(&self, family: C) -> prometheus::Result<C> {
        self.registry.register(Box::new(family.clone()))?;
        Ok(family)
    }
}
