//! The bodies that Pillion sends: upstream (held whole, or relayed) and to the client.

use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;

use super::relay::Relay;
use super::upstream::Progress;
use crate::net::budget::Reservation;

/// A request body on its way upstream.
#[derive(Debug)]
pub enum Outgoing {
    /// Held whole; can be sent again.
    Held(Held),
    /// Passed on as it comes; can be sent once.
    Passing(Passing),
}

/// A body that the client is still sending.
#[derive(Debug)]
pub struct Passing {
    incoming: Incoming,
    progress: Rc<Progress>,
}

/// A body in chunks, with a reading position of its own; cloning copies no bytes.
#[derive(Debug, Clone)]
pub struct Held {
    whole: Rc<Whole>,
    next: usize,
    left: u64,
}

/// The chunks, with their share of the memory for bodies.
#[derive(Debug)]
struct Whole {
    chunks: Vec<Bytes>,
    _reservation: Reservation,
}

/// A body on its way to the client.
#[derive(Debug)]
pub enum ReplyBody {
    /// Pillion's own words.
    Own(Option<Bytes>),
    /// An upstream's answer.
    Relayed(Box<Relay>),
}

// === impl Held ===

impl Held {
    /// A body of these chunks.
    pub fn new(chunks: Vec<Bytes>, reservation: Reservation) -> Self {
        let left = chunks.iter().map(|chunk| chunk.len() as u64).sum();
        Self {
            whole: Rc::new(Whole {
                chunks,
                _reservation: reservation,
            }),
            next: 0,
            left,
        }
    }

    /// The bytes, for `explain`.
    pub fn chunks(&self) -> &[Bytes] {
        &self.whole.chunks
    }

    fn pop(&mut self) -> Option<Bytes> {
        loop {
            let chunk = self.whole.chunks.get(self.next)?.clone();
            self.next += 1;
            if !chunk.is_empty() {
                self.left -= chunk.len() as u64;
                return Some(chunk);
            }
        }
    }
}

// === impl Passing ===

impl Passing {
    /// The rest of a client's body.
    pub fn new(incoming: Incoming) -> Self {
        let progress = Progress::new();
        if incoming.is_end_stream() {
            progress.ended();
        }
        Self { incoming, progress }
    }

    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let polled = Pin::new(&mut self.incoming).poll_frame(cx);
        match &polled {
            Poll::Pending => {}
            Poll::Ready(Some(_)) if !self.incoming.is_end_stream() => self.progress.moved(),
            Poll::Ready(_) => self.progress.ended(),
        }
        match polled {
            // Trailers of a request mean nothing to any provider, and end the body.
            Poll::Ready(Some(Ok(frame))) if frame.is_trailers() => Poll::Ready(None),
            Poll::Ready(frame) => Poll::Ready(frame.map(|frame| frame.map_err(io::Error::other))),
            Poll::Pending => Poll::Pending,
        }
    }
}

// === impl Outgoing ===

impl Outgoing {
    /// How far a passing body has come; a held one is out as fast as the upstream takes it.
    pub(super) fn progress(&self) -> Option<Rc<Progress>> {
        match self {
            Self::Held(_) => None,
            Self::Passing(passing) => Some(Rc::clone(&passing.progress)),
        }
    }
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        match self.get_mut() {
            Self::Held(held) => Poll::Ready(held.pop().map(|chunk| Ok(Frame::data(chunk)))),
            Self::Passing(passing) => passing.poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Held(held) => held.left == 0,
            Self::Passing(passing) => passing.incoming.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Held(held) => SizeHint::with_exact(held.left),
            Self::Passing(passing) => passing.incoming.size_hint(),
        }
    }
}

// === impl ReplyBody ===

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        match self.get_mut() {
            Self::Own(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Self::Relayed(relay) => relay.poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Own(bytes) => bytes.as_ref().is_none_or(Bytes::is_empty),
            Self::Relayed(relay) => relay.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Own(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, Bytes::len) as u64),
            Self::Relayed(relay) => relay.size_hint(),
        }
    }
}
