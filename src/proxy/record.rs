//! The books of one call: opened with its first byte, settled exactly once, into metrics and one
//! line of the access log.
//!
//! An observation that is dropped without being settled belongs to a caller who left; `Drop` only
//! says so.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderName, Method};
use tokio::time::Instant;

use super::call::{Call, CallBody, Head};
use super::credentials::Carried;
use super::failure::Failure;
use super::metrics::{Clock, Metrics, Series, SeriesCache, SeriesKey, TokenType};
use super::route::Choice;
use super::upstream::Timing;
use crate::llm::Api;
use crate::llm::operation::Kind;
use crate::llm::usage::Usage;
use crate::table::{Plan, Table};
use crate::telemetry::{JsonLine, Lines, Members, Written};

/// Longer texts of a caller's making are cut in the log.
const LOGGED_BYTES: usize = 256;
/// What Claude Code calls the conversation that a call belongs to.
const SESSION: HeaderName = HeaderName::from_static("x-claude-code-session-id");

/// Where a worker's books are kept.
#[derive(Debug)]
pub struct Books {
    /// The families.
    pub metrics: Metrics,
    /// The series in use.
    pub cache: SeriesCache,
    /// The access log.
    pub lines: Rc<Lines>,
}

/// One call's books.
#[derive(Debug)]
pub struct Observation {
    books: Rc<Books>,
    started: Instant,
    settled: bool,
    /// What is known of the call so far.
    pub seen: Seen,
}

/// What becomes known of a call, bit by bit.
#[derive(Debug)]
pub struct Seen {
    /// Its method.
    pub method: Method,
    /// Its path, without the query (which may hold a key).
    pub path: Box<str>,
    /// The API, once the path is understood.
    pub api: Option<Api>,
    /// The operation.
    pub kind: Kind,
    /// The model asked for.
    pub model: Option<String>,
    /// The plan that it goes by, with the metric label of the model sent.
    pub plan: Option<(Arc<Plan>, Arc<str>)>,
    /// The client key's name.
    pub client: Option<Arc<str>>,
    /// The account it went under.
    pub account: Option<Arc<str>>,
    /// `x-claude-code-session-id`.
    pub session: Option<Box<str>>,
    /// The provider's request id.
    pub request_id: Option<Box<str>>,
    /// The status sent to the caller.
    pub status: u16,
    /// Bytes of the request's body, where it was held.
    pub request_bytes: u64,
    /// Bytes of the answer's body.
    pub response_bytes: u64,
    /// When the request was complete (or its relaying began).
    pub received: Option<Instant>,
    /// When it was handed to the upstream connection.
    pub sent: Option<Instant>,
    /// How long connecting took.
    pub connecting: Duration,
    /// When the answer's head came.
    pub head: Option<Instant>,
    /// When the first generated content of a stream came.
    pub token: Option<Instant>,
    /// What the provider reported.
    pub usage: Usage,
}

/// How a call ended.
#[derive(Debug)]
pub enum Outcome<'a> {
    /// The caller has the whole answer.
    Served,
    /// It failed.
    Failed(&'a Failure),
    /// The caller left before the end.
    ClientClosed,
}

/// When it came to what, as told from the request's head.
struct Times {
    head: Option<Duration>,
    token: Option<Duration>,
    end: Duration,
}

// === impl Observation ===

impl Observation {
    /// Opens the books of a call.
    pub fn begin(books: &Rc<Books>, method: Method, path: &str) -> Box<Self> {
        let seen = Seen {
            method,
            path: cut(path).into(),
            api: None,
            kind: Kind::Other,
            model: None,
            plan: None,
            client: None,
            account: None,
            session: None,
            request_id: None,
            status: 0,
            request_bytes: 0,
            response_bytes: 0,
            received: None,
            sent: None,
            connecting: Duration::ZERO,
            head: None,
            token: None,
            usage: Usage::default(),
        };
        // In a box: it goes from stage to stage, and on with the answer.
        Box::new(Self { books: Rc::clone(books), started: Instant::now(), settled: false, seen })
    }

    /// Notes what the call asks for.
    pub fn asked(&mut self, head: &Head) {
        self.seen.api = Some(head.operation.api);
        self.seen.kind = head.operation.kind;
        let session = head.headers.get(&SESSION);
        self.seen.session = session.and_then(|id| id.to_str().ok()).map(|id| cut(id).into());
    }

    /// Notes that the request is here, as far as it is held.
    pub fn received(&mut self, call: &Call) {
        self.seen.received = Some(Instant::now());
        self.seen.model = call.model.as_ref().map(|model| model.name.clone());
        if let CallBody::Held(chunks, _) = &call.body {
            self.seen.request_bytes = chunks.iter().map(|chunk| chunk.len() as u64).sum();
        }
    }

    /// Notes the plan, and with it the metric label of the model that it sends.
    pub fn chosen(&mut self, table: &Table, choice: &Choice) {
        let plan = choice.plan;
        let sent = plan.rename.as_ref().map(|rename| &*rename.name);
        let label = table.model_label(sent.or(self.seen.model.as_deref()));
        self.seen.plan = Some((Arc::clone(plan), label));
        self.seen.client = choice.client.cloned();
        if choice.carried == Carried::Account {
            self.seen.account = Some(Arc::clone(&choice.account.name));
        }
    }

    /// Notes when the request went out.
    pub fn sent(&mut self, timing: &Timing) {
        self.seen.sent = timing.sent;
        self.seen.connecting = timing.connecting;
    }

    /// Closes the books.
    pub fn settle(mut self: Box<Self>, outcome: &Outcome<'_>) {
        self.close(outcome);
    }

    fn close(&mut self, outcome: &Outcome<'_>) {
        self.settled = true;
        let times = self.times();
        let series = self.series();
        self.measure(&series, outcome, &times);
        let written = self.books.lines.line(|buffer, now| {
            let mut line = JsonLine::begin(buffer);
            line.shown("time", now);
            self.write(&mut line, &series, outcome, &times);
        });
        if let Written::Dropped(count) = written {
            self.books.metrics.log_lines_dropped.inc_by(count);
        }
    }

    fn times(&self) -> Times {
        let since = |at: Instant| at - self.started;
        Times {
            head: self.seen.head.map(since),
            token: self.seen.token.map(since),
            end: since(Instant::now()),
        }
    }

    fn measure(&self, series: &Series, outcome: &Outcome<'_>, times: &Times) {
        let seen = &self.seen;
        series.count(seen.status, outcome.word());
        series.observe(Clock::Duration, times.end.as_secs_f64());
        if let Some(head) = times.head {
            series.observe(Clock::FirstByte, head.as_secs_f64());
        }
        if let (Some(received), Some(sent)) = (seen.received, seen.sent) {
            let own = (sent - received).saturating_sub(seen.connecting);
            series.observe(Clock::Overhead, own.as_secs_f64());
        }
        if let Some(token) = times.token {
            series.observe(Clock::FirstToken, token.as_secs_f64());
            if let Some(more) = seen.usage.output.filter(|output| *output > 1) {
                let each = times.end.saturating_sub(token).as_secs_f64() / (more - 1) as f64;
                series.observe(Clock::PerOutputToken, each);
            }
        }
        for (token_type, count) in token_counts(&seen.usage) {
            series.tokens(token_type, count);
        }
    }

    fn series(&self) -> Rc<Series> {
        let seen = &self.seen;
        let (plan, model) =
            seen.plan.as_ref().map_or((None, "none"), |(plan, model)| (Some(plan), &**model));
        let key = SeriesKey { model, api: seen.api, kind: seen.kind };
        let address = plan.map_or(0, |plan| Arc::as_ptr(plan).addr());
        self.books.cache.get(address, &key, || {
            let labels = plan.map(|plan| &plan.labels);
            let upstream = Members::written(|line| write_upstream(line, plan));
            self.books.metrics.calls.series(labels, &key, upstream)
        })
    }

    fn write(
        &self,
        line: &mut JsonLine<'_>,
        series: &Series,
        outcome: &Outcome<'_>,
        times: &Times,
    ) {
        let seen = &self.seen;
        line.shown("method", seen.method.as_str())
            .text("path", &*seen.path)
            .members(&series.members)
            .text("account", seen.account.as_deref())
            .text("client", seen.client.as_deref())
            .text("session", seen.session.as_deref())
            .text("model", seen.model.as_deref().map(cut))
            .members(&series.upstream)
            .number("status", u64::from(seen.status))
            .shown("outcome", outcome.word())
            .text("detail", outcome.detail())
            .text("request_id", seen.request_id.as_deref());
        self.write_numbers(line, times);
        line.end();
    }

    /// How much, how long, how many tokens.
    fn write_numbers(&self, line: &mut JsonLine<'_>, times: &Times) {
        let seen = &self.seen;
        line.number("request_bytes", seen.request_bytes)
            .number("response_bytes", seen.response_bytes)
            .millis("duration_ms", times.end)
            .millis("first_byte_ms", times.head)
            .millis("first_token_ms", times.token)
            .number("input_tokens", seen.usage.input)
            .number("output_tokens", seen.usage.output)
            .number("cache_read_tokens", seen.usage.cache_read)
            .number("cache_creation_tokens", seen.usage.cache_creation);
    }
}

impl Drop for Observation {
    fn drop(&mut self) {
        if !self.settled {
            self.close(&Outcome::ClientClosed);
        }
    }
}

// === impl Outcome ===

impl<'a> Outcome<'a> {
    fn word(&self) -> &'static str {
        match self {
            Self::Served => "served",
            Self::Failed(failure) => failure.consequences().reason,
            Self::ClientClosed => "client_closed",
        }
    }

    fn detail(&self) -> Option<&'a str> {
        match self {
            Self::Failed(failure) => failure.logged(),
            Self::Served | Self::ClientClosed => None,
        }
    }
}

/// What is sent where: the same for all calls by a plan.
fn write_upstream(line: &mut JsonLine<'_>, plan: Option<&Arc<Plan>>) {
    let Some(plan) = plan else { return };
    line.text("model_sent", plan.rename.as_ref().map(|rename| cut(&rename.name)))
        .text("translated_to", plan.translated_to())
        .text("upstream", plan.endpoint.origin.authority.as_str());
}

fn token_counts(usage: &Usage) -> impl Iterator<Item = (TokenType, u64)> {
    [
        (TokenType::Input, usage.input),
        (TokenType::Output, usage.output),
        (TokenType::CacheRead, usage.cache_read),
        (TokenType::CacheCreation, usage.cache_creation),
    ]
    .into_iter()
    .filter_map(|(token_type, count)| Some((token_type, count?)))
}

fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(LOGGED_BYTES)]
}
