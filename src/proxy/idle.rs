//! How long a client's connection has been without a call: hyper would make a timer for the head of
//! each call, and unmake it again.
//!
//! Between two calls there is nothing but the wait for the next head, so the time of a head is the
//! time without a call (FAULTS 11). Set lazily: a call costs one clock reading at its end, and the
//! timer is left alone until it fires.

use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::time::{Instant, Sleep, sleep_until};

/// The calls of one connection.
#[derive(Debug, Clone, Default)]
pub struct CallCount(Rc<Counted>);

#[derive(Debug, Default)]
struct Counted {
    begun: Cell<u64>,
    ended: Cell<u64>,
}

/// One call, until this is dropped.
#[derive(Debug)]
pub struct UnderWay(CallCount);

/// An answer's body, with which its call ends.
#[derive(Debug)]
pub struct LastOf<B> {
    /// The body.
    pub body: B,
    /// The call.
    pub call: UnderWay,
}

/// Tells when a connection has been idle for too long.
#[derive(Debug)]
pub struct Idle {
    calls: CallCount,
    limit: Duration,
    /// Since when, and how many calls had begun by then.
    since: (u64, Instant),
    timer: Option<Pin<Box<Sleep>>>,
}

// === impl CallCount ===

impl CallCount {
    /// A call begins.
    pub fn begin(&self) -> UnderWay {
        self.0.begun.set(self.0.begun.get() + 1);
        UnderWay(self.clone())
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        let ended = &self.0.0.ended;
        ended.set(ended.get() + 1);
    }
}

// === impl Idle ===

impl Idle {
    /// Begins now.
    pub fn new(calls: CallCount, limit: Duration) -> Self {
        let since = (calls.0.begun.get(), Instant::now());
        Self { calls, limit, since, timer: None }
    }

    /// Ready when no call has been under way for the limit. For one task, and to be asked whenever
    /// a call may have ended.
    pub fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let (begun, ended) = (self.calls.0.begun.get(), self.calls.0.ended.get());
        if begun != ended {
            return Poll::Pending;
        }
        if self.since.0 != begun {
            self.since = (begun, Instant::now());
        }
        if self.timer.as_ref().is_some_and(|timer| !timer.is_elapsed()) {
            return Poll::Pending;
        }
        let mut timer = Box::pin(sleep_until(self.since.1 + self.limit));
        let polled = timer.as_mut().poll(cx);
        self.timer = Some(timer);
        polled
    }
}

// === impl LastOf ===

impl<B: Body<Data = Bytes> + Unpin> Body for LastOf<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;

    #[tokio::test]
    async fn time_counts_from_the_end_of_the_last_call() {
        const LIMIT: Duration = Duration::from_millis(20);
        let calls = CallCount::default();
        let mut idle = Idle::new(calls.clone(), LIMIT);
        for _ in 0..2 {
            assert!(poll_fn(|cx| Poll::Ready(idle.poll(cx).is_pending())).await);
            drop(calls.begin());
        }
        let ended = Instant::now();
        poll_fn(|cx| idle.poll(cx)).await;
        assert!(ended.elapsed() >= LIMIT);
    }

    #[tokio::test]
    async fn a_connection_is_not_idle_while_any_call_is_under_way() {
        let calls = CallCount::default();
        let mut idle = Idle::new(calls.clone(), Duration::ZERO);
        let (first, second) = (calls.begin(), calls.begin());
        drop(first);
        assert!(poll_fn(|cx| Poll::Ready(idle.poll(cx).is_pending())).await);
        drop(second);
        poll_fn(|cx| idle.poll(cx)).await;
    }
}
