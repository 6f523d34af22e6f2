//! The bodies that clients get: Pillion's own words, or an upstream's answer.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use super::relay::Relay;

/// A body on its way to the client.
#[derive(Debug)]
pub enum ReplyBody {
    /// Pillion's own words.
    Own(Option<Bytes>),
    /// An upstream's answer.
    Relayed(Box<Relay>),
    /// A stream that somebody else writes, see [`super::delivery`].
    HandedOver,
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
            Self::HandedOver => Poll::Pending,
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Own(bytes) => bytes.as_ref().is_none_or(Bytes::is_empty),
            Self::Relayed(relay) => relay.is_end_stream(),
            Self::HandedOver => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Own(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, Bytes::len) as u64),
            Self::Relayed(relay) => relay.size_hint(),
            Self::HandedOver => SizeHint::default(),
        }
    }
}
