//! The data plane's metric families. Labels are enums or names declared in manifests, so the number
//! of series has a ceiling that the manifests set.
//!
//! Names follow the OpenTelemetry GenAI conventions where one exists (`gen_ai_…`), else `pillion_…`;
//! units are seconds, bytes and tokens.

use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use prometheus::{
    GaugeVec, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, Opts,
    Registry,
};

use crate::llm::Api;
use crate::llm::operation::Kind;
use crate::table::Labels;

/// From 10 ms to 20 min: a cached completion is done in 0.2 s, an agent's turn in minutes.
const CALL_SECONDS: &[f64] = &[
    0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 40.0, 80.0, 160.0, 320.0, 640.0, 1280.0,
];
/// From 1 ms (a local model) to 80 s (long reasoning before the first word).
const FIRST_SECONDS: &[f64] = &[
    0.001, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 10.0, 20.0, 40.0, 80.0,
];
/// 400 to 1 tokens a second, as OpenTelemetry advises for time per output token.
const PER_TOKEN_SECONDS: &[f64] = &[
    0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5,
];
/// Pillion's own part: microseconds for a small body, milliseconds for megabytes.
const OVERHEAD_SECONDS: &[f64] = &[
    0.000_025, 0.000_05, 0.000_1, 0.000_2, 0.000_4, 0.000_8, 0.001_6, 0.005, 0.02, 0.1, 1.0,
];
/// Powers of four, as OpenTelemetry advises for token counts.
const TOKENS: &[f64] = &[
    1.0,
    4.0,
    16.0,
    64.0,
    256.0,
    1024.0,
    4096.0,
    16384.0,
    65536.0,
    262_144.0,
    1_048_576.0,
];

const CALL_LABELS: [&str; 6] = [
    "route",
    "provider",
    "api",
    "gen_ai_provider_name",
    "gen_ai_request_model",
    "gen_ai_operation_name",
];

/// Every family of the data plane, shared by all workers.
#[derive(Debug, Clone)]
pub struct Metrics {
    requests: IntCounterVec,
    duration: HistogramVec,
    first_byte: HistogramVec,
    first_token: HistogramVec,
    per_output_token: HistogramVec,
    overhead: HistogramVec,
    tokens: HistogramVec,
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
    pub table_loaded: prometheus::Gauge,
    /// Faults in the manifests that were read last.
    pub manifest_faults: prometheus::IntGaugeVec,
    /// Access log lines that were dropped because nobody read them.
    pub log_lines_dropped: IntCounter,
}

/// The series of one route, provider, API and model, found once per worker and table; each is made
/// when it is first needed, so that a call that never streams costs no stream's series.
#[derive(Debug)]
pub struct Series {
    metrics: Metrics,
    labels: [Arc<str>; 6],
    requests: RefCell<HashMap<(u16, &'static str), IntCounter>>,
    tokens: [OnceCell<Histogram>; 4],
    clocks: [OnceCell<Histogram>; 5],
}

/// What is timed, each in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    /// From the request's head to the end of the answer.
    Duration,
    /// From the request's head to the answer's head.
    FirstByte,
    /// From the request's head to the first generated content of a stream.
    FirstToken,
    /// Between the first and the last output token, per token.
    PerOutputToken,
    /// From the request's last byte to the upstream request: Pillion's own work.
    Overhead,
}

/// One more of something, until it is dropped.
#[derive(Debug)]
pub struct OneMore(IntGauge);

/// The token types of `gen_ai_token_type`; disjoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenType {
    /// Prompt tokens that no cache served.
    Input,
    /// Generated tokens.
    Output,
    /// Prompt tokens read from the provider's cache.
    CacheRead,
    /// Prompt tokens written to it.
    CacheCreation,
}

impl Metrics {
    /// Makes the families and registers them.
    ///
    /// # Errors
    /// When a name is registered twice.
    pub fn register(registry: &Registry) -> prometheus::Result<Self> {
        let make = Maker { registry };
        Ok(Self {
            requests: make.counters(
                "pillion_requests_total",
                "Calls by their end: status class of the answer and outcome (served, client_closed, or the reason of the failure).",
                &[&CALL_LABELS[..], &["status_class", "outcome"]].concat(),
            )?,
            duration: make.histograms(
                "gen_ai_client_operation_duration_seconds",
                "From the request's head to the end of the answer.",
                CALL_SECONDS,
            )?,
            first_byte: make.histograms(
                "pillion_time_to_first_byte_seconds",
                "From the request's head to the head of the upstream's answer.",
                FIRST_SECONDS,
            )?,
            first_token: make.histograms(
                "gen_ai_server_time_to_first_token_seconds",
                "From the request's head to the first generated content, in streams.",
                FIRST_SECONDS,
            )?,
            per_output_token: make.histograms(
                "gen_ai_server_time_per_output_token_seconds",
                "Between the first content and the end of a stream, per output token after the first.",
                PER_TOKEN_SECONDS,
            )?,
            overhead: make.histograms(
                "pillion_overhead_seconds",
                "Pillion's own work: from the last byte of the request (or its head, if the body is relayed) until it goes to the upstream, connecting not included.",
                OVERHEAD_SECONDS,
            )?,
            tokens: make.histograms_by(
                "gen_ai_client_token_usage",
                "Tokens a call, as the provider reported them; the types are disjoint.",
                TOKENS,
                &[&CALL_LABELS[..], &["gen_ai_token_type"]].concat(),
            )?,
            open_streams: make.gauge("pillion_open_streams", "Answers being relayed now.")?,
            open_connections: make.gauge("pillion_open_connections", "Client connections open now.")?,
            body_bytes: make.gauge("pillion_request_body_bytes", "Request bodies held in memory now, in bytes.")?,
            upstream_connects: make.counters(
                "pillion_upstream_connects_total",
                "Connections to providers, by result.",
                &["result"],
            )?,
            upstream_retries: make.counter(
                "pillion_upstream_retries_total",
                "Calls sent again on a fresh connection because a reused one was dead before it answered.",
            )?,
            panics: make.counter("pillion_panics_total", "Panics caught; each is a defect: please report it.")?,
            reloads: make.counters(
                "pillion_reloads_total",
                "Readings of the manifests: applied, unchanged, or rejected (the last good table stays).",
                &["result"],
            )?,
            table_info: make.gauges("pillion_table_info", "1 for the version of the running table.", &["version"])?,
            table_loaded: make.float_gauge(
                "pillion_table_loaded_timestamp_seconds",
                "When the running table was loaded, Unix time.",
            )?,
            manifest_faults: make.int_gauges(
                "pillion_manifest_faults",
                "Faults in the manifests as read last, by severity.",
                &["severity"],
            )?,
            log_lines_dropped: make.counter(
                "pillion_access_log_dropped_total",
                "Access log lines dropped because standard output was not read.",
            )?,
        })
    }

    /// The series of these labels; `None` stands for calls that no rule took.
    pub fn series(
        &self,
        labels: Option<&Labels>,
        api: Option<Api>,
        kind: Kind,
        model: Arc<str>,
    ) -> Series {
        let none = || Arc::<str>::from("none");
        let labels: [Arc<str>; 6] = [
            labels.map_or_else(none, |labels| Arc::clone(&labels.route)),
            labels.map_or_else(none, |labels| Arc::clone(&labels.provider)),
            api.map_or_else(none, |api| Arc::from(api.as_str())),
            labels.map_or_else(none, |labels| Arc::from(labels.vendor)),
            model,
            Arc::from(operation_name(kind)),
        ];
        Series {
            metrics: self.clone(),
            labels,
            requests: RefCell::default(),
            tokens: Default::default(),
            clocks: Default::default(),
        }
    }

    fn clock(&self, clock: Clock) -> &HistogramVec {
        match clock {
            Clock::Duration => &self.duration,
            Clock::FirstByte => &self.first_byte,
            Clock::FirstToken => &self.first_token,
            Clock::PerOutputToken => &self.per_output_token,
            Clock::Overhead => &self.overhead,
        }
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

impl Series {
    /// Counts a call's end.
    pub fn count(&self, status: u16, outcome: &'static str) {
        let class = status / 100;
        let mut requests = self.requests.borrow_mut();
        let counter = requests.entry((class, outcome)).or_insert_with(|| {
            let values = self.values(&[status_class(class), outcome]);
            self.metrics.requests.with_label_values(&values)
        });
        counter.inc();
    }

    /// Counts tokens.
    pub fn tokens(&self, token_type: TokenType, count: u64) {
        let histogram = self.tokens[token_type as usize].get_or_init(|| {
            let values = self.values(&[token_type.as_str()]);
            self.metrics.tokens.with_label_values(&values)
        });
        // Token counts are far below 2^52: no precision is lost.
        histogram.observe(count as f64);
    }

    /// Notes a time in seconds.
    pub fn observe(&self, clock: Clock, seconds: f64) {
        let histogram = self.clocks[clock as usize].get_or_init(|| {
            self.metrics
                .clock(clock)
                .with_label_values(&self.values(&[]))
        });
        histogram.observe(seconds);
    }

    fn values<'a>(&'a self, more: &[&'a str]) -> Vec<&'a str> {
        self.labels
            .iter()
            .map(|label| &**label)
            .chain(more.iter().copied())
            .collect()
    }
}

impl TokenType {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Input => "input",
            Self::Output => "output",
            Self::CacheRead => "cache_read",
            Self::CacheCreation => "cache_creation",
        }
    }
}

/// OpenTelemetry's `gen_ai.operation.name`, with our own word where it has none.
pub const fn operation_name(kind: Kind) -> &'static str {
    match kind {
        Kind::ChatCompletions | Kind::Responses | Kind::Messages => "chat",
        Kind::Completions => "text_completion",
        Kind::Embeddings => "embeddings",
        Kind::CountTokens => "count_tokens",
        Kind::GenerateContent | Kind::StreamGenerateContent => "generate_content",
        Kind::Other => "other",
    }
}

const fn status_class(class: u16) -> &'static str {
    match class {
        1 => "1xx",
        2 => "2xx",
        3 => "3xx",
        4 => "4xx",
        5 => "5xx",
        _ => "none",
    }
}

/// Makes a family and registers it.
struct Maker<'a> {
    registry: &'a Registry,
}

impl Maker<'_> {
    fn enter<C: prometheus::core::Collector + Clone + 'static>(
        &self,
        made: C,
    ) -> prometheus::Result<C> {
        self.registry.register(Box::new(made.clone()))?;
        Ok(made)
    }

    fn counter(&self, name: &str, help: &str) -> prometheus::Result<IntCounter> {
        self.enter(IntCounter::new(name, help)?)
    }

    fn counters(
        &self,
        name: &str,
        help: &str,
        labels: &[&str],
    ) -> prometheus::Result<IntCounterVec> {
        self.enter(IntCounterVec::new(Opts::new(name, help), labels)?)
    }

    fn gauge(&self, name: &str, help: &str) -> prometheus::Result<IntGauge> {
        self.enter(IntGauge::new(name, help)?)
    }

    fn float_gauge(&self, name: &str, help: &str) -> prometheus::Result<prometheus::Gauge> {
        self.enter(prometheus::Gauge::new(name, help)?)
    }

    fn gauges(&self, name: &str, help: &str, labels: &[&str]) -> prometheus::Result<GaugeVec> {
        self.enter(GaugeVec::new(Opts::new(name, help), labels)?)
    }

    fn int_gauges(
        &self,
        name: &str,
        help: &str,
        labels: &[&str],
    ) -> prometheus::Result<prometheus::IntGaugeVec> {
        self.enter(prometheus::IntGaugeVec::new(Opts::new(name, help), labels)?)
    }

    fn histograms(
        &self,
        name: &str,
        help: &str,
        buckets: &[f64],
    ) -> prometheus::Result<HistogramVec> {
        self.histograms_by(name, help, buckets, &CALL_LABELS)
    }

    fn histograms_by(
        &self,
        name: &str,
        help: &str,
        buckets: &[f64],
        labels: &[&str],
    ) -> prometheus::Result<HistogramVec> {
        let options = HistogramOpts::new(name, help).buckets(buckets.to_vec());
        self.enter(HistogramVec::new(options, labels)?)
    }
}

/// A worker's own index of series, so that a call costs one look-up and no string.
#[derive(Debug, Default)]
pub struct SeriesCache(RefCell<HashMap<SeriesKey, Rc<Series>>>);

/// What tells series apart within the life of a table.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SeriesKey {
    /// The plan's address; 0 without a plan.
    pub plan: usize,
    /// The model label.
    pub model: Arc<str>,
    /// The API and operation.
    pub api: Option<Api>,
    /// The operation.
    pub kind: Kind,
}

impl SeriesCache {
    /// The series of `key`, made by `make` when it is new.
    pub fn get(&self, key: SeriesKey, make: impl FnOnce() -> Series) -> Rc<Series> {
        Rc::clone(
            self.0
                .borrow_mut()
                .entry(key)
                .or_insert_with(|| Rc::new(make())),
        )
    }

    /// Forgets everything: the addresses belong to a table that is gone.
    pub fn clear(&self) {
        self.0.borrow_mut().clear();
    }
}
