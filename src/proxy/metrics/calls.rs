//! What is counted and timed per call, by route, provider, API, model and operation.

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use prometheus::{Histogram, HistogramVec, IntCounter, IntCounterVec};

use super::maker::Maker;
use crate::llm::Api;
use crate::llm::operation::Kind;
use crate::table::Labels;
use crate::telemetry::Members;

/// From 10 ms to 20 min: a cached completion is done in 0.2 s, an agent's turn in minutes.
const CALL_SECONDS: &[f64] = &[
    0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 40.0, 80.0, 160.0, 320.0, 640.0, 1280.0,
];
/// From 1 ms (a local model) to 80 s (long reasoning before the first word).
const FIRST_SECONDS: &[f64] =
    &[0.001, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 10.0, 20.0, 40.0, 80.0];
/// 400 to 1 tokens a second, as OpenTelemetry advises for time per output token.
const PER_TOKEN_SECONDS: &[f64] =
    &[0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5];
/// Pillion's own part: microseconds for a small body, milliseconds for megabytes.
const OVERHEAD_SECONDS: &[f64] =
    &[0.000_025, 0.000_05, 0.000_1, 0.000_2, 0.000_4, 0.000_8, 0.001_6, 0.005, 0.02, 0.1, 1.0];
/// Powers of four, as OpenTelemetry advises for token counts.
const TOKENS: &[f64] =
    &[1.0, 4.0, 16.0, 64.0, 256.0, 1024.0, 4096.0, 16384.0, 65536.0, 262_144.0, 1_048_576.0];

/// The labels of every family here.
const CALL_LABELS: [&str; 6] = [
    "route",
    "provider",
    "api",
    "gen_ai_provider_name",
    "gen_ai_request_model",
    "gen_ai_operation_name",
];

/// The families of calls.
#[derive(Debug, Clone)]
pub struct CallMetrics {
    requests: IntCounterVec,
    duration: HistogramVec,
    first_byte: HistogramVec,
    first_token: HistogramVec,
    per_output_token: HistogramVec,
    overhead: HistogramVec,
    tokens: HistogramVec,
}

/// The series of one route, provider, API and model, found once per worker and table; each is made
/// when it is first needed, so that a call that never streams costs no stream's series.
#[derive(Debug)]
pub struct Series {
    /// The names as an access log line has them.
    pub members: Members,
    /// What an access log line says of the upstream, as far as it is the plan's.
    pub upstream: Members,
    api: Option<Api>,
    kind: Kind,
    model: Arc<str>,
    metrics: CallMetrics,
    labels: [Arc<str>; 6],
    /// By status class and outcome, of which there are a handful.
    requests: RefCell<Vec<(u16, &'static str, IntCounter)>>,
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

impl CallMetrics {
    pub(super) fn register(make: &Maker<'_>) -> prometheus::Result<Self> {
        let timed = |name, help, buckets| make.histograms(name, help, buckets, &CALL_LABELS);
        Ok(Self {
            requests: make.counters(
                "pillion_requests_total",
                "Calls by their end: status class of the answer and outcome (served, \
                 client_closed, or the reason of the failure).",
                &[&CALL_LABELS[..], &["status_class", "outcome"]].concat(),
            )?,
            duration: timed(
                "gen_ai_client_operation_duration_seconds",
                "From the request's head to the end of the answer.",
                CALL_SECONDS,
            )?,
            first_byte: timed(
                "pillion_time_to_first_byte_seconds",
                "From the request's head to the head of the upstream's answer.",
                FIRST_SECONDS,
            )?,
            first_token: timed(
                "gen_ai_server_time_to_first_token_seconds",
                "From the request's head to the first generated content, in streams.",
                FIRST_SECONDS,
            )?,
            per_output_token: timed(
                "gen_ai_server_time_per_output_token_seconds",
                "Between the first content and the end of a stream, per output token after the \
                 first.",
                PER_TOKEN_SECONDS,
            )?,
            overhead: timed(
                "pillion_overhead_seconds",
                "Pillion's own work: from the last byte of the request (or its head, if the body \
                 is relayed) until it goes to the upstream, connecting not included.",
                OVERHEAD_SECONDS,
            )?,
            tokens: make.histograms(
                "gen_ai_client_token_usage",
                "Tokens a call, as the provider reported them; the types are disjoint.",
                TOKENS,
                &[&CALL_LABELS[..], &["gen_ai_token_type"]].concat(),
            )?,
        })
    }

    /// The series of these names; `None` stands for calls that no rule took.
    pub fn series(&self, names: Option<&Labels>, key: &SeriesKey<'_>, upstream: Members) -> Series {
        let none = || Arc::<str>::from("none");
        let (api, kind) = (key.api, key.kind);
        let labels: [Arc<str>; 6] = [
            names.map_or_else(none, |names| Arc::clone(&names.route)),
            names.map_or_else(none, |names| Arc::clone(&names.provider)),
            api.map_or_else(none, |api| Arc::from(api.as_str())),
            names.map_or_else(none, |names| Arc::from(names.vendor)),
            Arc::from(key.model),
            Arc::from(operation_name(kind)),
        ];
        Series {
            members: members(names, api, kind),
            upstream,
            api,
            kind,
            model: Arc::clone(&labels[4]),
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

impl Series {
    /// Counts a call's end.
    pub fn count(&self, status: u16, outcome: &'static str) {
        let class = status / 100;
        let mut requests = self.requests.borrow_mut();
        let known = requests.iter().find(|(c, o, _)| (*c, *o) == (class, outcome));
        if let Some((_, _, counter)) = known {
            return counter.inc();
        }
        let values = self.values(&[status_class(class), outcome]);
        let counter = self.metrics.requests.with_label_values(&values);
        counter.inc();
        requests.push((class, outcome, counter));
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
        let histogram = self.clocks[clock as usize]
            .get_or_init(|| self.metrics.clock(clock).with_label_values(&self.values(&[])));
        histogram.observe(seconds);
    }

    fn is_of(&self, key: &SeriesKey<'_>) -> bool {
        (self.kind, self.api, &*self.model) == (key.kind, key.api, key.model)
    }

    fn values<'a>(&'a self, more: &[&'a str]) -> Vec<&'a str> {
        self.labels.iter().map(|label| &**label).chain(more.iter().copied()).collect()
    }
}

fn members(names: Option<&Labels>, api: Option<Api>, kind: Kind) -> Members {
    Members::written(|line| {
        line.text("api", api.map(Api::as_str))
            .text("operation", operation_name(kind))
            .text("route", names.map(|names| &*names.route))
            .text("rule", names.map(|names| &*names.rule))
            .text("provider", names.map(|names| &*names.provider));
    })
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
const fn operation_name(kind: Kind) -> &'static str {
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

/// A worker's own index of series, so that a call costs one look-up and no string.
///
/// By the plan's address (0 without a plan), because hashing all of a key costs more than comparing
/// it with the few of one plan; and a tree finds an address before a hash of it is made.
#[derive(Debug, Default)]
pub struct SeriesCache(RefCell<BTreeMap<usize, Vec<Rc<Series>>>>);

/// What tells series apart within the life of a table and a plan.
#[derive(Debug, Clone, Copy)]
pub struct SeriesKey<'a> {
    /// The model label.
    pub model: &'a str,
    /// The API and operation.
    pub api: Option<Api>,
    /// The operation.
    pub kind: Kind,
}

impl SeriesCache {
    /// The series of `plan` and `key`, made by `make` when it is new.
    pub fn get(
        &self,
        plan: usize,
        key: &SeriesKey<'_>,
        make: impl FnOnce() -> Series,
    ) -> Rc<Series> {
        let mut plans = self.0.borrow_mut();
        let of_plan = plans.entry(plan).or_default();
        if let Some(series) = of_plan.iter().find(|series| series.is_of(key)) {
            return Rc::clone(series);
        }
        let series = Rc::new(make());
        of_plan.push(Rc::clone(&series));
        series
    }

    /// Forgets everything: the addresses belong to a table that is gone.
    pub fn clear(&self) {
        self.0.borrow_mut().clear();
    }
}
