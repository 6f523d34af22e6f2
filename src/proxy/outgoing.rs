//! The bodies that upstreams get: held whole, or passed on as they come.

use std::cell::Cell;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::sync::Notify;
use tokio::time::Instant;

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

/// Where a passing body stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyStage {
    /// More is to come.
    Coming,
    /// All of it went by.
    Complete,
    /// The client left before its end.
    Broken,
}

/// How far a passing body has come.
#[derive(Debug)]
pub struct Progress {
    at: Cell<Instant>,
    stage: Cell<BodyStage>,
    changed: Notify,
}

// === impl Progress ===

impl Progress {
    fn new(stage: BodyStage) -> Rc<Self> {
        let (at, stage) = (Cell::new(Instant::now()), Cell::new(stage));
        Rc::new(Self { at, stage, changed: Notify::new() })
    }

    fn reach(&self, stage: BodyStage) {
        self.at.set(Instant::now());
        if self.stage.replace(stage) != stage {
            self.changed.notify_one();
        }
    }

    /// When bytes last moved.
    pub fn at(&self) -> Instant {
        self.at.get()
    }

    /// Where it stands.
    pub fn stage(&self) -> BodyStage {
        self.stage.get()
    }

    /// Waits until it no longer stands there. For one waiter.
    pub async fn past(&self, stage: BodyStage) {
        while self.stage.get() == stage {
            self.changed.notified().await;
        }
    }
}

// === impl Held ===

impl Held {
    /// A body of these chunks.
    pub fn new(chunks: Vec<Bytes>, reservation: Reservation) -> Self {
        let left = chunks.iter().map(|chunk| chunk.len() as u64).sum();
        Self { whole: Rc::new(Whole { chunks, _reservation: reservation }), next: 0, left }
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
        let stage = match incoming.is_end_stream() {
            true => BodyStage::Complete,
            false => BodyStage::Coming,
        };
        Self { incoming, progress: Progress::new(stage) }
    }

    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let polled = Pin::new(&mut self.incoming).poll_frame(cx);
        if let Poll::Ready(frame) = &polled {
            self.progress.reach(match frame {
                Some(Err(_)) => BodyStage::Broken,
                None => BodyStage::Complete,
                Some(Ok(_)) if self.incoming.is_end_stream() => BodyStage::Complete,
                Some(Ok(_)) => BodyStage::Coming,
            });
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
    /// The same once more, if it is held.
    pub(super) fn again(&self) -> Option<Self> {
        match self {
            Self::Held(held) => Some(Self::Held(held.clone())),
            Self::Passing(_) => None,
        }
    }

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
