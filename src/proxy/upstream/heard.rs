//! A stream that knows what hyper does not tell: whether the peer has said anything, for a call may
//! be sent again only if not a byte of its answer came (FAULTS 44), and whether all that was
//! written is out.
//!
//! On request it gives hyper the head of an answer and nothing behind it, so that somebody else can
//! read the body.

use std::cell::Cell;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use memchr::memchr;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::net::stream::Stream;

/// The stream.
#[derive(Debug)]
pub(super) struct Listening {
    stream: Stream,
    heard: Heard,
    /// What came behind a head.
    held: Vec<u8>,
    line: Line,
}

/// What was heard since the last [`begin`](Heard::begin), and how much is let through.
#[derive(Debug, Clone, Default)]
pub(super) struct Heard(Rc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    anything: Cell<bool>,
    written: Cell<bool>,
    gate: Cell<Gate>,
}

/// How much of what comes is let through.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gate {
    /// All of it.
    #[default]
    Open,
    /// As far as the next blank line, where heads end.
    Head,
    /// Nothing: a blank line has come.
    Shut,
}

/// What has come of a line.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Line {
    #[default]
    Nothing,
    Cr,
    Text,
}

// === impl Heard ===

impl Heard {
    /// A stream that tells this one.
    pub(super) fn on(&self, stream: Stream) -> Listening {
        Listening { stream, heard: self.clone(), held: Vec::new(), line: Line::default() }
    }

    /// Begins anew.
    pub(super) fn begin(&self, gate: Gate) {
        self.0.anything.set(false);
        self.0.gate.set(gate);
    }

    /// Has the peer said anything?
    pub(super) fn anything(&self) -> bool {
        self.0.anything.get()
    }

    /// Has hyper written all that it had?
    pub(super) fn is_written(&self) -> bool {
        self.0.written.get()
    }

    /// How much is let through now?
    pub(super) fn gate(&self) -> Gate {
        self.0.gate.get()
    }

    /// Lets more through. Nobody is woken.
    pub(super) fn let_through(&self, gate: Gate) {
        self.0.gate.set(gate);
    }
}

// === impl Listening ===

impl Listening {
    /// The stream, and what came from it that nobody has read.
    pub(super) fn into_parts(self) -> (Stream, Vec<u8>) {
        (self.stream, self.held)
    }

    fn fill(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.held.is_empty() {
            return Pin::new(&mut self.stream).poll_read(cx, buf);
        }
        let count = self.held.len().min(buf.remaining());
        buf.put_slice(&self.held[..count]);
        self.held.drain(..count);
        Poll::Ready(Ok(()))
    }

    /// Takes back what stands behind a blank line.
    fn hold(&mut self, before: usize, buf: &mut ReadBuf<'_>) {
        if let Some(length) = self.line.blank_ends(&buf.filled()[before..]) {
            let end = before + length;
            self.held.splice(0..0, buf.filled()[end..].iter().copied());
            buf.set_filled(end);
            self.heard.let_through(Gate::Shut);
        }
    }
}

// === impl Line ===

impl Line {
    /// Where the first blank line ends, which hyper takes with and without CR.
    fn blank_ends(&mut self, bytes: &[u8]) -> Option<usize> {
        let mut at = 0;
        while let Some(length) = memchr(b'\n', &bytes[at..]) {
            let line = self.after(&bytes[at..at + length]);
            *self = Self::Nothing;
            at += length + 1;
            if line != Self::Text {
                return Some(at);
            }
        }
        *self = self.after(&bytes[at..]);
        None
    }

    fn after(self, part: &[u8]) -> Self {
        match (self, part) {
            (line, []) => line,
            (Self::Nothing, b"\r") => Self::Cr,
            (Self::Nothing | Self::Cr | Self::Text, _) => Self::Text,
        }
    }
}

// === impl AsyncRead and AsyncWrite ===

impl AsyncRead for Listening {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let gate = self.heard.gate();
        if gate == Gate::Shut {
            return Poll::Pending;
        }
        let before = buf.filled().len();
        ready!(self.fill(cx, buf))?;
        if buf.filled().len() > before {
            self.heard.0.anything.set(true);
        }
        if gate == Gate::Head {
            self.hold(before, buf);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Listening {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.heard.0.written.set(false);
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.heard.0.written.set(false);
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
        self.heard.0.written.set(true);
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_ends_with_its_blank_line() {
        for head in ["HTTP/1.1 200 OK\r\na: b\r\n\r\n", "HTTP/1.1 200\na: b\n\n", "\r\n", "a\r\n\n"]
        {
            for behind in ["", "5\r\nhello\r\n", "\r\n\r\n"] {
                let bytes = [head, behind].concat().into_bytes();
                for size in 1..=bytes.len() {
                    let mut line = Line::default();
                    let mut pieces = bytes.chunks(size).enumerate();
                    let end = pieces
                        .find_map(|(number, piece)| Some(number * size + line.blank_ends(piece)?));
                    assert_eq!(end, Some(head.len()), "{head:?} {behind:?} by {size}");
                }
            }
        }
        let mut line = Line::default();
        assert_eq!(line.blank_ends(b"a\r\n \r\n\r\r\n\rb\r\nc"), None);
        assert_eq!(line, Line::Text);
    }
}
