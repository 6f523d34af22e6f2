//! What comes from an upstream: the body of an answer, the connection that brings it, and the
//! timers of its silence.
//!
//! Dropping it before its end drops the connection or the stream.

use std::future::poll_fn;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::SizeHint;
use tokio::time::Instant;

use super::failure::{Failure, Phase};
use super::silence::{Silence, Sound};
use super::upstream::Source;

/// An answer's body on its way.
#[derive(Debug)]
pub struct Inflow {
    source: Source,
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
    /// What `source` brings.
    pub fn new(source: Source, silence: Silence) -> Self {
        Self { source, silence }
    }

    /// Waits for what comes next.
    pub fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Flow> {
        match self.source.poll(cx) {
            Poll::Ready(Some(Ok(data))) => {
                self.silence.heard(Instant::now());
                Poll::Ready(Flow::Data(data))
            }
            Poll::Ready(Some(Err(how))) => Poll::Ready(Flow::Failed(Failure::UpstreamBroken(how))),
            Poll::Ready(None) => Poll::Ready(Flow::Ended),
            Poll::Pending => self.silence.poll(cx).map(|sound| match sound {
                Sound::KeepAlive => Flow::KeepAlive,
                Sound::Idle => Flow::Failed(Failure::UpstreamTimeout(Phase::Idle)),
                Sound::Cut => Flow::Failed(Failure::ShuttingDown),
            }),
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
        self.release();
        Ok(whole)
    }

    /// Has all of it come, as far as that is known before it is asked for more?
    pub fn is_end(&self) -> bool {
        self.source.is_end()
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
    pub fn release(&mut self) {
        self.source.release(self.silence.heard_at());
    }

    /// Nothing more is wanted: the connection goes.
    pub fn abandon(&mut self) {
        self.source.abandon();
    }
}
