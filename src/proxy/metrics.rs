//! The data plane's metric families. Labels are enums or names declared in manifests, so the number
//! of series has a ceiling that the manifests set.
//!
//! Names follow the OpenTelemetry GenAI conventions where one exists (`gen_ai_…`), else
//! `pillion_…`; units are seconds, bytes and tokens.

mod calls;
mod maker;

use prometheus::{Gauge, GaugeVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Registry};

pub use calls::{CallMetrics, Clock, Series, SeriesCache, SeriesKey, TokenType};
use maker::Maker;

/// Every family of the data plane, shared by all workers.
#[derive(Debug, Clone)]
pub struct Metrics {
    /// What is counted per call.
    pub calls: CallMetrics,
    /// Answers that are being relayed to a client at this moment.
    pub open_streams: IntGauge,
    /// Client connections open at this moment.
    pub open_connections: IntGauge,
    /// Bytes of request bodies held in memory.
    pub body_bytes: IntGauge,
    /// Connections opened to upstreams.
    pub upstream_connects: IntCounterVec,
    /// Calls sent a second time because a reused connection was dead.
    pub upstream_retries: IntCounter,
    /// Panics caught: each is a defect.
    pub panics: IntCounter,
    /// Reloads by result.
    pub reloads: IntCounterVec,
    /// The running table's version, as a label of a series that is 1.
    pub table_info: GaugeVec,
    /// When the running table was loaded.
    pub table_loaded: Gauge,
    /// Faults in the manifests that were read last.
    pub manifest_faults: IntGaugeVec,
    /// Access log lines that were dropped because nobody read them.
    pub log_lines_dropped: IntCounter,
}

/// One more of something, until it is dropped.
#[derive(Debug)]
pub struct OneMore(IntGauge);

impl Metrics {
    /// Makes the families and registers them.
    ///
    /// # Errors
    /// When a name is registered twice.
    pub fn register(registry: &Registry) -> prometheus::Result<Self> {
        let make = Maker { registry };
        Ok(Self {
            calls: CallMetrics::register(&make)?,
            open_streams: make.gauge("pillion_open_streams", "Answers being relayed now.")?,
            open_connections: make
                .gauge("pillion_open_connections", "Client connections open now.")?,
            body_bytes: make.gauge(
                "pillion_request_body_bytes",
                "Request bodies held in memory now, in bytes.",
            )?,
            upstream_connects: make.counters(
                "pillion_upstream_connects_total",
                "Connections to providers, by result.",
                &["result"],
            )?,
            upstream_retries: make.counter(
                "pillion_upstream_retries_total",
                "Calls sent again on a fresh connection because a reused one was dead before it \
                 answered.",
            )?,
            panics: make.counter(
                "pillion_panics_total",
                "Panics caught; each is a defect: please report it.",
            )?,
            reloads: make.counters(
                "pillion_reloads_total",
                "Readings of the manifests, or bundles from the controller: applied, unchanged, or \
                 rejected (the last good table stays).",
                &["result"],
            )?,
            table_info: make.gauges(
                "pillion_table_info",
                "1 for the version of the running table.",
                &["version"],
            )?,
            table_loaded: make.float_gauge(
                "pillion_table_loaded_timestamp_seconds",
                "When the running table was loaded, Unix time.",
            )?,
            manifest_faults: make.int_gauges(
                "pillion_manifest_faults",
                "Faults in the manifests, or the bundle, as read last, by severity.",
                &["severity"],
            )?,
            log_lines_dropped: make.counter(
                "pillion_access_log_dropped_total",
                "Access log lines dropped because standard output was not read.",
            )?,
        })
    }
}

impl OneMore {
    /// Counts up now, and down on drop.
    pub fn of(gauge: &IntGauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for OneMore {
    fn drop(&mut self) {
        self.0.dec();
    }
}
