//! A stream on its way to an HTTP/1.1 client, written to its socket without hyper.
//!
//! hyper reads the request and writes the answer's head; then the stream is handed over to whoever
//! holds the connection, who takes it apart. What an open stream would else take is mostly hyper's
//! buffers. At its end hyper gets the socket back, with whatever the client has sent meanwhile.

use std::cell::RefCell;
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use http::header::CONNECTION;
use http::{Method, Request, Response, Version};
use tokio::io::AsyncWrite;

use super::body::ReplyBody;
use super::relay::Relay;
use crate::net::chunks;
use crate::net::client_io::ClientIo;

/// Where a call leaves its stream for whoever holds its connection.
#[derive(Debug, Clone, Default)]
pub struct Handover(Rc<RefCell<Option<Box<Relay>>>>);

/// How a stream ended for its client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivered {
    /// It has all of it, and may ask for more.
    Whole,
    /// It has left, or must be left.
    Broken,
}

/// Writes `relay` to its end, unless the client leaves before.
pub async fn deliver(io: &mut ClientIo, relay: Box<Relay>) -> Delivered {
    let mut delivery = Delivery { io, relay, out: Vec::new(), written: 0 };
    poll_fn(|cx| delivery.poll(cx)).await
}

/// May the answer to this be a stream that is handed over: will it have chunks, and will its
/// connection be used again?
pub fn fits<B>(request: &Request<B>) -> bool {
    let mut options = request.headers().get_all(CONNECTION).iter();
    request.version() == Version::HTTP_11
        && request.method() == Method::POST
        && options.all(|option| option.as_bytes().eq_ignore_ascii_case(b"keep-alive"))
}

// === impl Handover ===

impl Handover {
    /// The response without its stream, if that is one that is handed over.
    pub fn keep(&self, response: Response<ReplyBody>) -> Response<ReplyBody> {
        response.map(|body| match body {
            ReplyBody::Relayed(relay) if relay.can_be_handed_over() => {
                *self.0.borrow_mut() = Some(relay);
                ReplyBody::HandedOver
            }
            body => body,
        })
    }

    /// The stream, once it is there.
    pub fn take(&self) -> Option<Box<Relay>> {
        self.0.borrow_mut().take()
    }
}

// === private parts ===

struct Delivery<'a> {
    io: &'a mut ClientIo,
    relay: Box<Relay>,
    /// What the socket did not take, and how much of it it did.
    out: Vec<u8>,
    written: usize,
}

impl Delivery<'_> {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Delivered> {
        if self.io.poll_left(cx).is_ready() {
            return Poll::Ready(Delivered::Broken);
        }
        loop {
            if ready!(self.poll_written(cx)).is_err() {
                return Poll::Ready(Delivered::Broken);
            }
            if self.relay.is_end_stream() {
                return Poll::Ready(Delivered::Whole);
            }
            match ready!(self.relay.poll_frame(cx)) {
                Some(Ok(frame)) => {
                    let data = frame.into_data().unwrap_or_default();
                    self.out.reserve_exact(data.len() + chunks::AROUND + chunks::LAST.len());
                    chunks::write(&data, &mut self.out);
                }
                Some(Err(_)) => return Poll::Ready(Delivered::Broken),
                None => {}
            }
            if self.relay.is_end_stream() {
                self.out.extend_from_slice(chunks::LAST);
            }
        }
    }

    fn poll_written(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), ()>> {
        while self.written < self.out.len() {
            let rest = &self.out[self.written..];
            match ready!(Pin::new(&mut *self.io).poll_write(cx, rest)) {
                Ok(0) | Err(_) => return Poll::Ready(Err(())),
                Ok(count) => self.written += count,
            }
        }
        self.out = Vec::new();
        self.written = 0;
        Poll::Ready(Ok(()))
    }
}
