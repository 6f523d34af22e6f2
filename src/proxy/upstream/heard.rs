//! A stream that remembers whether the peer has said anything: a call may be sent again only if
//! not a byte of its answer came (FAULTS 44), and hyper does not tell.

use std::cell::Cell;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::net::stream::Stream;

/// The stream.
#[derive(Debug)]
pub(super) struct Listening {
    stream: Stream,
    heard: Heard,
}

/// Has the peer said anything since the last [`forget`](Heard::forget)?
#[derive(Debug, Clone, Default)]
pub(super) struct Heard(Rc<Cell<bool>>);

// === impl Heard ===

impl Heard {
    /// A stream that tells this one.
    pub(super) fn on(&self, stream: Stream) -> Listening {
        Listening { stream, heard: self.clone() }
    }

    /// Begins anew.
    pub(super) fn forget(&self) {
        self.0.set(false);
    }

    /// Has it?
    pub(super) fn anything(&self) -> bool {
        self.0.get()
    }
}

// === impl AsyncRead and AsyncWrite ===

impl AsyncRead for Listening {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, buf);
        if buf.filled().len() > before {
            self.heard.0.set(true);
        }
        polled
    }
}

impl AsyncWrite for Listening {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
