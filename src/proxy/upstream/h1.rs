//! HTTP/1.1 upstream connections that have no task: whoever uses one drives it.
//!
//! The connection future stands beside its sender and is polled inside the serving task, first
//! while the answer's head is awaited, then from the relay of the body. So nothing crosses tasks,
//! and dropping the lease closes the socket: the upstream sees at once that the caller has left.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll};

use http::Request;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::time::Instant;

use super::heard::{Heard, Listening};
use super::pool::Pool;
use super::{Answer, Broken, OriginKey};
use crate::net::stream::Stream;
use crate::proxy::body::Outgoing;

/// Enough for the longest headers that providers send; an answer with more is refused.
const MAX_HEADERS: usize = 100;
/// The header block of an answer, in bytes; more is refused.
const MAX_HEADER_BYTES: usize = 64 << 10;

/// An idle connection.
#[derive(Debug)]
pub struct Connection {
    sender: http1::SendRequest<Outgoing>,
    driver: Driver,
    heard: Heard,
    /// Since when it has been idle.
    pub idle_since: Instant,
    /// When it was opened.
    pub opened: Instant,
}

/// The connection future, until it has ended.
#[derive(Debug)]
struct Driver(Option<http1::Connection<TokioIo<Listening>, Outgoing>>);

/// A connection in use.
#[derive(Debug)]
pub struct Lease {
    connection: Box<Connection>,
    pool: Rc<Pool>,
    origin: OriginKey,
}

/// Speaks HTTP/1.1 on a stream.
pub async fn handshake(stream: Stream) -> hyper::Result<Box<Connection>> {
    let heard = Heard::default();
    let (sender, connection) = http1::Builder::new()
        .max_headers(MAX_HEADERS)
        .max_header_size(MAX_HEADER_BYTES)
        .handshake(TokioIo::new(heard.on(stream)))
        .await?;
    let now = Instant::now();
    let driver = Driver(Some(connection));
    Ok(Box::new(Connection {
        sender,
        driver,
        heard,
        idle_since: now,
        opened: now,
    }))
}

// === impl Connection ===

impl Connection {
    /// Is it still alive? An idle connection has no task that would notice its end.
    pub async fn check(&mut self) -> bool {
        poll_fn(|cx| Poll::Ready(self.alive(cx))).await
    }

    pub(super) fn alive(&mut self, cx: &mut Context<'_>) -> bool {
        self.driver.poll(cx);
        self.driver.0.is_some() && self.sender.is_ready()
    }

    /// Sends a request and drives the connection until the answer's head is here.
    pub(super) async fn send(
        mut self: Box<Self>,
        request: Request<Outgoing>,
        pool: Rc<Pool>,
        origin: &OriginKey,
    ) -> Result<Answer, Broken> {
        self.heard.forget();
        let mut answered = pin!(self.sender.send_request(request));
        let answer = poll_fn(|cx| {
            self.driver.poll(cx);
            answered.as_mut().poll(cx)
        });
        let response = answer.await.map_err(|error| match self.heard.anything() {
            true => Broken::within_answer(&error),
            false => Broken::from_hyper(&error),
        })?;
        let lease = Lease {
            connection: self,
            pool,
            origin: origin.clone(),
        };
        Ok(Answer {
            response,
            lease: super::Lease::Http1(lease),
        })
    }
}

// === impl Driver ===

impl Driver {
    /// Moves bytes. An error or end of the connection reaches its user through the answer.
    fn poll(&mut self, cx: &mut Context<'_>) {
        if let Some(connection) = &mut self.0 {
            if Pin::new(connection).poll(cx).is_ready() {
                self.0 = None;
            }
        }
    }
}

// === impl Lease ===

impl Lease {
    /// Moves bytes.
    pub fn drive(&mut self, cx: &mut Context<'_>) {
        self.connection.driver.poll(cx);
    }

    /// Gives the connection back once the body has come; one that is not clean is closed.
    pub fn release(mut self, cx: &mut Context<'_>) {
        if self.connection.alive(cx) {
            self.connection.idle_since = Instant::now();
            self.pool.put_h1(&self.origin, self.connection);
        }
    }
}
