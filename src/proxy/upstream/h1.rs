//! HTTP/1.1 upstream connections that have no task: whoever uses one drives it.
//!
//! The connection future stands beside its sender and is polled inside the serving task, first
//! while the answer's head is awaited, then from the relay of the body. So nothing crosses tasks,
//! and dropping the lease closes the socket: the upstream sees at once that the caller has left.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::time::Instant;

use super::heard::{Gate, Heard, Listening};
use crate::net::stream::Stream;
use crate::proxy::outgoing::Outgoing;

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
    Ok(Box::new(Connection { sender, driver, heard, idle_since: now, opened: now }))
}

// === impl Connection ===

impl Connection {
    /// Is it still alive? An idle connection has no task that would notice its end.
    pub async fn check(&mut self) -> bool {
        poll_fn(|cx| Poll::Ready(self.alive(cx))).await
    }

    pub(super) fn alive(&mut self, cx: &mut Context<'_>) -> bool {
        self.driver.poll(cx);
        self.is_ready()
    }

    /// Was it ready for a request when it was driven last?
    pub(super) fn is_ready(&self) -> bool {
        self.driver.0.is_some() && self.sender.is_ready()
    }

    /// Moves bytes.
    pub fn drive(&mut self, cx: &mut Context<'_>) {
        self.driver.poll(cx);
    }

    /// Sends a request and drives the connection until the answer's head is here. If `gate` is for
    /// heads, nothing behind that is read: [`Self::into_stream`] or [`Self::read_on`] comes next.
    ///
    /// # Errors
    /// What hyper says of an exchange without an answer.
    pub(super) async fn send(
        &mut self,
        request: Request<Outgoing>,
        gate: Gate,
    ) -> hyper::Result<Response<Incoming>> {
        self.heard.begin(gate);
        let mut answered = pin!(self.sender.send_request(request));
        let answer = poll_fn(|cx| {
            loop {
                self.driver.poll(cx);
                let polled = answered.as_mut().poll(cx);
                if polled.is_ready() || self.heard.gate() != Gate::Shut {
                    return polled;
                }
                // That was an interim answer.
                self.heard.let_through(Gate::Head);
            }
        });
        answer.await
    }

    /// hyper reads the answer's body.
    pub(super) fn read_on(&self) {
        self.heard.let_through(Gate::Open);
    }

    /// Can the body be read without hyper: does the connection stand, nothing behind the head has
    /// been read, and all of the request is out?
    pub(super) fn can_do_without_hyper(&self) -> bool {
        self.driver.0.is_some() && self.heard.gate() == Gate::Shut && self.heard.is_written()
    }

    /// The stream, and what came behind the head.
    pub(super) fn into_stream(self) -> Option<(Stream, Vec<u8>)> {
        let parts = self.driver.0?.into_parts();
        Some(parts.io.into_inner().into_parts())
    }

    /// Did anything come since the request was sent?
    pub fn heard_anything(&self) -> bool {
        self.heard.anything()
    }
}

// === impl Driver ===

impl Driver {
    /// Moves bytes. An error or end of the connection reaches its user through the answer.
    fn poll(&mut self, cx: &mut Context<'_>) {
        let ended = self.0.as_mut().is_some_and(|driver| Pin::new(driver).poll(cx).is_ready());
        if ended {
            self.0 = None;
        }
    }
}
