//! What comes from an upstream: the body of an answer, the connection that brings it, and the
//! timers of its silence.
//!
//! Dropping it before its end drops the connection or the stream.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::time::Instant;

use super::failure::{Failure, Phase};
use super::silence::{Silence, Sound};
use super::upstream::{Lease, chain};

/// An answer's body on its way.
#[derive(Debug)]
pub struct Inflow {
    source: Incoming,
    lease: Option<Lease>,
    silence: Silence,
}

/// What came, or what did not.
#[derive(Debug)]
pub enum Flow {
    /// Bytes; none where only trailers came.
    Data(Bytes),
    /// The end.
    Ended,
    /// A comment is due.
    KeepAlive,
    /// Nothing more will come.
    Failed(Failure),
}

impl Inflow {
    /// What `source` brings, with the hold on its connection.
    pub fn new(source: Incoming, lease: Lease, silence: Silence) -> Self {
        Self { source, lease: Some(lease), silence }
    }

    /// Waits for what comes next.
    pub fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Flow> {
        match self.poll_source(cx) {
            Poll::Ready(Some(Ok(frame))) => {
                self.silence.heard(Instant::now());
                // Trailers are dropped: no client of an LLM API knows any, and they must not be
                // taken for headers.
                Poll::Ready(Flow::Data(frame.into_data().unwrap_or_default()))
            }
            Poll::Ready(Some(Err(error))) => {
                Poll::Ready(Flow::Failed(Failure::UpstreamBroken(chain(&error))))
            }
            Poll::Ready(None) => Poll::Ready(Flow::Ended),
            Poll::Pending => self.silence.poll(cx).map(|sound| match sound {
                Sound::KeepAlive => Flow::KeepAlive,
                Sound::Idle => Flow::Failed(Failure::UpstreamTimeout(Phase::Idle)),
                Sound::Cut => Flow::Failed(Failure::ShuttingDown),
            }),
        }
    }

    /// First what is there already; then the connection moves; then what that brought.
    fn poll_source(&mut self, cx: &mut Context<'_>) -> Poll<Option<hyper::Result<Frame<Bytes>>>> {
        let ready = Pin::new(&mut self.source).poll_frame(cx);
        match &mut self.lease {
            Some(Lease::Http1(lease)) if ready.is_pending() => {
                lease.drive(cx);
                Pin::new(&mut self.source).poll_frame(cx)
            }
            _ => ready,
        }
    }

    /// All of it, as long as it is no longer than `limit` bytes; the connection goes back.
    ///
    /// # Errors
    /// [`Failure`] if it does not come whole.
    pub async fn whole(&mut self, limit: usize) -> Result<Vec<u8>, Failure> {
        let mut whole = Vec::new();
        loop {
            match poll_fn(|cx| self.poll(cx)).await {
                Flow::Data(data) if whole.len() + data.len() > limit => {
                    let why = format!("the answer is longer than {limit} bytes");
                    return Err(Failure::UpstreamBroken(why));
                }
                Flow::Data(data) => whole.extend_from_slice(&data),
                Flow::KeepAlive => {}
                Flow::Failed(failure) => return Err(failure),
                Flow::Ended => break,
            }
            if self.is_end() {
                break;
            }
        }
        poll_fn(|cx| {
            self.release(cx);
            Poll::Ready(())
        })
        .await;
        Ok(whole)
    }

    /// Has all of a body of known length come?
    pub fn is_end(&self) -> bool {
        self.source.is_end_stream()
    }

    /// Its length, where the upstream told it.
    pub fn size_hint(&self) -> SizeHint {
        self.source.size_hint()
    }

    /// When the upstream was heard last.
    pub fn heard_at(&self) -> Instant {
        self.silence.heard_at()
    }

    /// Everything came: the connection goes back.
    pub fn release(&mut self, cx: &mut Context<'_>) {
        if let Some(Lease::Http1(lease)) = self.lease.take() {
            lease.release(cx, self.silence.heard_at());
        }
    }

    /// Nothing more is wanted: the connection goes.
    pub fn abandon(&mut self) {
        self.lease = None;
    }
}
