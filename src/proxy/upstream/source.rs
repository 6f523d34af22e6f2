//! The body of an answer, with the hold on the connection that it comes from.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, SizeHint};
use hyper::body::Incoming;
use tokio::time::Instant;

use super::{chain, h2, pool};

/// The body; without its hold, it is over.
#[derive(Debug)]
pub enum Source {
    /// On an HTTP/1.1 connection of its own.
    Http1(Option<pool::Lease>),
    /// One stream of an HTTP/2 connection.
    Http2(Incoming, Option<h2::Lease>),
}

// === impl Source ===

impl Source {
    /// The bytes that come next, none where only trailers came, or why there are no more: trailers
    /// are dropped, because no client of an LLM API knows any, and they must not be taken for
    /// headers.
    pub fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, String>>> {
        match self {
            Self::Http1(Some(lease)) => lease.connection().poll_data(cx),
            Self::Http1(None) => Poll::Ready(None),
            Self::Http2(body, _) => Pin::new(body).poll_frame(cx).map(|frame| {
                let frame = frame?.map_err(|error| chain(&error));
                Some(frame.map(|frame| frame.into_data().unwrap_or_default()))
            }),
        }
    }

    /// Has all of a body come, as far as that is known before it is asked for more?
    pub fn is_end(&self) -> bool {
        match self {
            Self::Http1(lease) => lease.as_ref().is_none_or(pool::Lease::has_ended),
            Self::Http2(body, _) => body.is_end_stream(),
        }
    }

    /// Its length, where the upstream told it.
    pub fn size_hint(&self) -> SizeHint {
        match self {
            Self::Http1(lease) => {
                let left = lease.as_ref().and_then(pool::Lease::left);
                left.map_or_else(SizeHint::default, SizeHint::with_exact)
            }
            Self::Http2(body, _) => body.size_hint(),
        }
    }

    /// Everything came: the connection goes back, idle since `now`.
    pub fn release(&mut self, now: Instant) {
        match self {
            Self::Http1(lease) => {
                if let Some(lease) = lease.take() {
                    lease.release(now);
                }
            }
            Self::Http2(_, lease) => *lease = None,
        }
    }

    /// Nothing more is wanted: the connection goes.
    pub fn abandon(&mut self) {
        match self {
            Self::Http1(lease) => *lease = None,
            Self::Http2(_, lease) => *lease = None,
        }
    }
}
