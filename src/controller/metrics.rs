//! The controller's metric families. Labels are closed lists; there is none for a sidecar or an
//! object.

use prometheus::core::Collector;
use prometheus::{
    Histogram, HistogramOpts, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry,
};

/// Every family of the controller. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Metrics {
    /// Sidecars connected now.
    pub sidecars: IntGauge,
    /// Other replicas that report theirs now.
    pub reports: IntGauge,
    /// Snapshots published.
    pub snapshots: IntCounter,
    /// How long a snapshot took to make.
    pub compile_seconds: Histogram,
    /// Errors of watches, by resource.
    pub watch_errors: IntCounterVec,
    /// Objects known, by resource.
    pub objects: IntGaugeVec,
    /// Objects that cannot be read, by resource.
    pub undecodable: IntGaugeVec,
}

/// From one changed namespace (tens of microseconds) to a start-up with thousands of routes.
const COMPILE_SECONDS: [f64; 8] = [0.000_1, 0.000_5, 0.002, 0.01, 0.05, 0.2, 1.0, 5.0];

impl Metrics {
    /// Makes the families and registers them.
    ///
    /// # Errors
    /// When a name is registered twice.
    pub fn register(registry: &Registry) -> prometheus::Result<Self> {
        let buckets = COMPILE_SECONDS.to_vec();
        let compile = HistogramOpts::new(
            "pillion_controller_compile_seconds",
            "How long the stores took to become a snapshot.",
        );
        let counter = |name: &str, help: &str| enter(registry, IntCounter::new(name, help)?);
        let gauges = |name: &str, help: &str| {
            enter(registry, IntGaugeVec::new(Opts::new(name, help), &["resource"])?)
        };
        let gauge = |name: &str, help: &str| enter(registry, IntGauge::new(name, help)?);
        Ok(Self {
            sidecars: gauge(
                "pillion_controller_sidecars",
                "Sidecars connected to this replica now.",
            )?,
            reports: gauge(
                "pillion_controller_reports",
                "Other replicas that report their sidecars to this one now.",
            )?,
            snapshots: counter("pillion_controller_snapshots_total", "Snapshots published.")?,
            compile_seconds: enter(registry, Histogram::with_opts(compile.buckets(buckets))?)?,
            watch_errors: watch_errors(registry)?,
            objects: gauges("pillion_controller_objects", "Objects known, by resource.")?,
            undecodable: gauges(
                "pillion_controller_undecodable_objects",
                "Objects that cannot be read; the last version that could goes on being used.",
            )?,
        })
    }
}

fn watch_errors(registry: &Registry) -> prometheus::Result<IntCounterVec> {
    let options = Opts::new(
        "pillion_controller_watch_errors_total",
        "Failed lists and watches, by resource; each is tried again.",
    );
    enter(registry, IntCounterVec::new(options, &["resource"])?)
}

fn enter<C: Collector + Clone + 'static>(registry: &Registry, made: C) -> prometheus::Result<C> {
    registry.register(Box::new(made.clone()))?;
    Ok(made)
}
