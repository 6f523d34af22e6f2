//! The body of an answer, with the hold on the connection that it comes from.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_TYPE, HeaderName, TRANSFER_ENCODING};
use http::{HeaderMap, Response, StatusCode, Version};
use http_body::{Body, SizeHint};
use hyper::body::Incoming;
use tokio::time::Instant;

use super::bare::Bare;
use super::pool::{self, Home};
use super::{Answer, Lease, chain, h1};

/// The body.
#[derive(Debug)]
pub enum Source {
    /// hyper reads it; what must be kept, and driven, until it has come.
    Read(Incoming, Option<Lease>),
    /// An event stream, read without hyper; `None` once it is over.
    Bare(Option<Box<(Bare, Home)>>),
}

/// The answer that came, whose body is read without hyper if it is an event stream, and can be.
pub(super) fn answer(lease: pool::Lease, response: Response<Incoming>) -> Answer {
    let (connection, home) = lease.into_parts();
    let bare = connection.can_do_without_hyper() && is_event_stream(&response);
    response.map(|body| match bare {
        true => Source::Bare(bare_of(*connection).map(|bare| Box::new((bare, home)))),
        false => {
            connection.read_on();
            Source::Read(body, Some(Lease::Http1(home.lease(connection))))
        }
    })
}

fn bare_of(connection: h1::Connection) -> Option<Bare> {
    let opened = connection.opened;
    Some(Bare::new(connection.into_stream()?, opened))
}

/// Is it an event stream in chunks, after which its connection may be used again?
fn is_event_stream(answer: &Response<Incoming>) -> bool {
    const EVENTS: &[u8] = b"text/event-stream";
    let headers = answer.headers();
    let begins = |value: &[u8]| value.get(..EVENTS.len()).is_some_and(|value| is(value, EVENTS));
    answer.status() == StatusCode::OK
        && answer.version() == Version::HTTP_11
        && only(headers, &CONTENT_TYPE).is_some_and(begins)
        && only(headers, &TRANSFER_ENCODING).is_some_and(|value| is(value, b"chunked"))
        && headers.get_all(CONNECTION).iter().all(|value| is(value.as_bytes(), b"keep-alive"))
}

fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a [u8]> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?;
    values.next().is_none().then_some(value.as_bytes())
}

fn is(value: &[u8], word: &[u8]) -> bool {
    value.eq_ignore_ascii_case(word)
}

// === impl Source ===

impl Source {
    /// The bytes that come next, none where only trailers came, or why there are no more: trailers
    /// are dropped, because no client of an LLM API knows any, and they must not be taken for
    /// headers.
    pub fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, String>>> {
        let (body, lease) = match self {
            Self::Bare(Some(bare)) => return bare.0.poll(cx),
            Self::Bare(None) => return Poll::Ready(None),
            Self::Read(body, lease) => (body, lease),
        };
        // First what is there already; then the connection moves; then what that brought.
        let mut polled = Pin::new(&mut *body).poll_frame(cx);
        if let (Poll::Pending, Some(Lease::Http1(lease))) = (&polled, lease) {
            lease.drive(cx);
            polled = Pin::new(body).poll_frame(cx);
        }
        polled.map(|frame| {
            let frame = frame?.map_err(|error| chain(&error));
            Some(frame.map(|frame| frame.into_data().unwrap_or_default()))
        })
    }

    /// Has all of a body come, as far as that is known before it is asked for more?
    pub fn is_end(&self) -> bool {
        match self {
            Self::Read(body, _) => body.is_end_stream(),
            Self::Bare(bare) => bare.as_ref().is_none_or(|bare| bare.0.has_ended()),
        }
    }

    /// Its length, where the upstream told it.
    pub fn size_hint(&self) -> SizeHint {
        match self {
            Self::Read(body, _) => body.size_hint(),
            Self::Bare(_) => SizeHint::default(),
        }
    }

    /// Everything came: the connection goes back, idle since `now`.
    pub fn release(&mut self, cx: &mut Context<'_>, now: Instant) {
        match self {
            Self::Read(_, lease) => {
                if let Some(Lease::Http1(lease)) = lease.take() {
                    lease.release(cx, now);
                }
            }
            Self::Bare(bare) => {
                let Some((bare, home)) = bare.take().map(|bare| *bare) else { return };
                if let Some(connection) = bare.into_connection(cx) {
                    home.keep(connection, cx, now);
                }
            }
        }
    }

    /// Nothing more is wanted: the connection goes.
    pub fn abandon(&mut self) {
        match self {
            Self::Read(_, lease) => *lease = None,
            Self::Bare(bare) => *bare = None,
        }
    }
}
