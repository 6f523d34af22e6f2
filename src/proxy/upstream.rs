//! One try (or two) at an upstream: take a connection, send, wait for the answer's head.
//!
//! Owns the one retry rule: a call is sent a second time only if it went out on a reused connection
//! that died before a byte of the answer came, and its body is held. Connections belong to one
//! worker; an HTTP/1.1 connection has no task of its own: it is driven by the call that uses it
//! ([`h1`]), because a hop between tasks for every event would cost more than the relaying itself.

mod by_origin;
pub mod connect;
pub mod h1;
pub mod h2;
mod pool;
mod source;
mod waiting;

use std::future::poll_fn;
use std::io;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::header::{CONTENT_TYPE, TRANSFER_ENCODING};
use http::{HeaderMap, Method, Request, Response, StatusCode, Uri, Version};
use tokio::time::{Instant, timeout_at};

use super::failure::{Failure, Phase};
use super::metrics::Metrics;
use super::outgoing::Outgoing;
use crate::net::stream::{Protocol, Stream};
use crate::table::{Origin, Plan, Scheme};
use crate::telemetry::causes;
use connect::Connector;
use pool::Pool;
use waiting::Waiting;

pub use connect::Egress;
pub use source::Source;

/// A request, ready to go.
#[derive(Debug)]
pub struct ToSend {
    /// All but its body.
    pub head: RequestHead,
    /// Its body.
    pub body: Outgoing,
    /// What it asks for.
    pub expected: Expected,
}

/// All of a request but its body.
#[derive(Debug)]
pub struct RequestHead {
    /// Its method.
    pub method: Method,
    /// Path and query as they go on the wire.
    pub target: http::uri::PathAndQuery,
    /// All headers but `Host` and framing.
    pub headers: HeaderMap,
}

/// What a request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// Events, as they come; all of it is here.
    Events,
    /// Anything else.
    Anything,
}

/// An answer whose head is here, with the body still to come.
pub type Answer = Response<Source>;

/// When what happened, for the books.
#[derive(Debug, Default)]
pub struct Timing {
    /// How long connecting took, if it was needed.
    pub connecting: Duration,
    /// When the request was handed over.
    pub sent: Option<Instant>,
}

/// A worker's upstreams.
#[derive(Debug)]
pub struct Upstreams {
    pool: Rc<Pool>,
    buffer: h1::Buffer,
    connector: Connector,
    metrics: Metrics,
    body_idle: Duration,
}

/// An origin as the pool's key.
pub type OriginKey = Arc<Origin>;

/// A connection that a request can be sent on.
enum Ready {
    Http1(Box<h1::Connection>),
    Http2(h2::Connection),
}

/// Where a connection came from, which decides whether its death is news.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Provenance {
    Reused,
    Fresh,
}

impl Upstreams {
    /// No connection yet.
    pub fn new(egress: Egress, metrics: Metrics, body_idle: Duration) -> Self {
        let pool = Rc::new(Pool::default());
        pool::sweep(&pool);
        let connector = Connector::new(egress);
        Self { pool, buffer: h1::Buffer::default(), connector, metrics, body_idle }
    }

    /// Sends a call the way of `plan` and waits for its answer's head.
    ///
    /// # Errors
    /// [`Failure`] when there is no answer.
    pub async fn send(
        &self,
        plan: &Plan,
        head: &RequestHead,
        body: Outgoing,
        timing: &mut Timing,
    ) -> Result<Answer, Failure> {
        let via = Via { upstreams: self, plan };
        let (ready, provenance) = match poll_fn(|cx| Poll::Ready(via.pooled(cx))).await {
            Some(ready) => (ready, Provenance::Reused),
            // Boxed like all that is rare: every call's future would have room for it.
            None => (Box::pin(via.connect(timing)).await?, Provenance::Fresh),
        };
        let spare = match provenance {
            Provenance::Reused => body.again(),
            Provenance::Fresh => None,
        };
        match (via.exchange(ready, head, body, timing).await, spare) {
            (Err(Broken::BeforeAnswer(_)), Some(spare)) => {
                self.metrics.upstream_retries.inc();
                let ready = Box::pin(via.connect(timing)).await?;
                let second = Box::pin(via.exchange(ready, head, spare, timing)).await;
                second.map_err(Broken::into_failure)
            }
            (first, _) => first.map_err(Broken::into_failure),
        }
    }
}

/// The way of one call.
#[derive(Clone, Copy)]
struct Via<'a> {
    upstreams: &'a Upstreams,
    plan: &'a Plan,
}

impl<'a> Via<'a> {
    fn origin(self) -> &'a OriginKey {
        &self.plan.endpoint.origin
    }

    /// A connection that is there already.
    fn pooled(self, cx: &mut Context<'_>) -> Option<Ready> {
        let pool = &self.upstreams.pool;
        let own = pool.take_h1(self.origin(), cx).map(Ready::Http1);
        own.or_else(|| pool.share_h2(self.origin()).map(Ready::Http2))
    }

    async fn connect(self, timing: &mut Timing) -> Result<Ready, Failure> {
        let began = Instant::now();
        let connecting = self.upstreams.connector.connect(self.origin());
        let connected = timeout_at(began + self.plan.timeouts.connect, connecting).await;
        timing.connecting += began.elapsed();
        let (result, outcome) = match connected {
            Ok(Ok(stream)) => ("ok", Ok(stream)),
            Ok(Err(error)) => ("failed", Err(Failure::ConnectFailed(error.to_string()))),
            Err(_) => ("timeout", Err(Failure::UpstreamTimeout(Phase::Connect))),
        };
        self.upstreams.metrics.upstream_connects.with_label_values(&[result]).inc();
        let ready = self.handshake(outcome?).await;
        ready.map_err(|error| Failure::UpstreamBroken(chain(&error)))
    }

    async fn handshake(self, stream: Stream) -> hyper::Result<Ready> {
        match stream.protocol() {
            Protocol::Http1 => Ok(Ready::Http1(h1::Connection::new(stream))),
            Protocol::Http2 => {
                let connection = h2::handshake(stream).await?;
                self.upstreams.pool.add_h2(self.origin(), &connection);
                Ok(Ready::Http2(connection))
            }
        }
    }

    async fn exchange(
        self,
        ready: Ready,
        head: &RequestHead,
        body: Outgoing,
        timing: &mut Timing,
    ) -> Result<Answer, Broken> {
        let (first_byte, body_idle) = (self.plan.timeouts.first_byte, self.upstreams.body_idle);
        let waiting = Waiting::new(&body, first_byte, body_idle);
        timing.sent = Some(waiting.began());
        let broken = |broken| waiting.broken().map_or(broken, Broken::Otherwise);
        let answer = match ready {
            Ready::Http1(connection) => {
                let Upstreams { pool, buffer, .. } = self.upstreams;
                let mut request = h1::Sending::new(buffer, head, body, self.origin());
                let mut lease = pool::Lease::new(connection, pool, self.origin());
                let answer =
                    waiting.bound(pin!(lease.connection().send(&mut request, buffer))).await;
                let answer = answer.map_err(Broken::Otherwise)?.map_err(broken)?;
                lease.connection().go_on_sending(request);
                answer.map(|()| Source::Http1(Some(lease)))
            }
            Ready::Http2(connection) => {
                let request = for_http2(head, body, self.origin());
                let answering = Box::pin(connection.send(request));
                let answer = waiting.bound(pin!(answering)).await.map_err(Broken::Otherwise)?;
                let (response, lease) = answer.map_err(broken)?;
                response.map(|body| Source::Http2(body, Some(lease)))
            }
        };
        sound(answer)
    }
}

/// An answer that its reader and we would take for two different things is none: one that wants
/// to become a tunnel, which nobody asked for, one of two content types, and one in a transfer
/// coding that nobody here decodes (FAULTS 17, 57).
fn sound(answer: Answer) -> Result<Answer, Broken> {
    let types = answer.headers().get_all(CONTENT_TYPE).iter().count();
    let why = match (answer.status(), types) {
        (StatusCode::SWITCHING_PROTOCOLS, _) => "it switches protocols, unasked",
        (_, 0 | 1) if is_plainly_chunked(answer.headers()) => return Ok(answer),
        (_, 0 | 1) => "its transfer coding is not `chunked` alone",
        _ => "it has several content types",
    };
    Err(Broken::within_answer(why.to_owned()))
}

/// Is `chunked` the only transfer coding, or is there none?
fn is_plainly_chunked(headers: &HeaderMap) -> bool {
    let mut codings = headers.get_all(TRANSFER_ENCODING).iter();
    let plain =
        codings.next().is_none_or(|coding| coding.as_bytes().eq_ignore_ascii_case(b"chunked"));
    plain && codings.next().is_none()
}

fn for_http2(head: &RequestHead, body: Outgoing, origin: &Origin) -> Request<Outgoing> {
    let mut uri = http::uri::Parts::default();
    uri.scheme = Some(match origin.scheme {
        Scheme::Http => http::uri::Scheme::HTTP,
        Scheme::Https => http::uri::Scheme::HTTPS,
    });
    uri.authority = Some(origin.authority.clone());
    uri.path_and_query = Some(head.target.clone());
    let mut request = Request::new(body);
    // All three parts are there and valid by their types.
    *request.uri_mut() = Uri::from_parts(uri).unwrap_or_default();
    *request.version_mut() = Version::HTTP_2;
    *request.method_mut() = head.method.clone();
    *request.headers_mut() = head.headers.clone();
    request
}

/// How an exchange failed.
#[derive(Debug)]
pub(super) enum Broken {
    /// The connection died before a byte of the answer.
    BeforeAnswer(String),
    /// The answer began and is no HTTP, or the request could not be read to its end.
    Otherwise(Failure),
}

impl Broken {
    fn into_failure(self) -> Failure {
        match self {
            Self::BeforeAnswer(how) => Failure::UpstreamBroken(how),
            Self::Otherwise(failure) => failure,
        }
    }

    /// Bytes of an answer came.
    fn within_answer(how: String) -> Self {
        Self::Otherwise(Failure::UpstreamBroken(how))
    }

    /// What hyper says of an exchange in which none came.
    pub(super) fn from_hyper(error: &hyper::Error) -> Self {
        let before = error.is_incomplete_message()
            || error.is_canceled()
            || error.is_closed()
            || causes(error).find_map(|cause| cause.downcast_ref()).is_some_and(is_reset);
        match before {
            true => Self::BeforeAnswer(chain(error)),
            false => Self::within_answer(chain(error)),
        }
    }
}

/// Did the peer reset the connection, or was it gone when we wrote?
fn is_reset(error: &io::Error) -> bool {
    use io::ErrorKind as E;
    matches!(error.kind(), E::ConnectionReset | E::BrokenPipe | E::NotConnected)
}

/// An error with its causes, for the log.
pub(super) fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    causes(error).map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
