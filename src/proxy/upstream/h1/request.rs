//! A request on its way out: its head and its body, written as fast as the upstream takes them.

use std::cell::RefCell;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use http::Method;
use http_body::Body;
use tokio::io::AsyncWrite;

use crate::net::chunks;
use crate::net::stream::Stream;
use crate::proxy::outgoing::Outgoing;
use crate::proxy::upstream::RequestHead;
use crate::table::Origin;

/// Pieces of a body up to this size, in bytes, are copied behind the head: one write for all costs
/// less than the copy. Larger ones are written from where they are.
const COPIED: usize = 16 << 10;

/// The request.
#[derive(Debug)]
pub(in crate::proxy::upstream) struct Sending {
    /// What goes out next, and how much of it is out.
    out: Vec<u8>,
    at: usize,
    /// Goes out behind it.
    piece: Bytes,
    body: Outgoing,
    coding: Coding,
    stage: Stage,
    /// The answer to `HEAD` has no body.
    method: Method,
}

/// What requests are written into: nearly all are out at once, so that one is enough.
#[derive(Debug, Default)]
pub(in crate::proxy::upstream) struct Buffer(RefCell<Vec<u8>>);

/// How the body's end is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Coding {
    /// By its length.
    Length,
    Chunked,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// There is more of the body.
    Coming,
    /// Nothing comes behind what is here.
    Last,
    /// All of it is out.
    Out,
}

// === impl Buffer ===

impl Buffer {
    fn take(&self) -> Vec<u8> {
        self.0.take()
    }

    fn keep(&self, mut bytes: Vec<u8>) {
        if bytes.capacity() > 0 && bytes.capacity() <= 4 * COPIED {
            bytes.clear();
            self.0.replace(bytes);
        }
    }
}

// === impl Sending ===

impl Sending {
    /// The request to `origin`.
    pub(in crate::proxy::upstream) fn new(
        buffer: &Buffer,
        head: &RequestHead,
        body: Outgoing,
        origin: &Origin,
    ) -> Self {
        let length = body.size_hint().exact();
        let mut out = buffer.take();
        write_head(&mut out, head, origin);
        let (coding, stage) = match length {
            _ if body.is_end_stream() => {
                if expects_a_body(&head.method) {
                    // Some servers ask for a length where it is left out (RFC 9110, 8.6).
                    out.extend_from_slice(b"content-length: 0\r\n");
                }
                (Coding::Length, Stage::Last)
            }
            Some(length) => {
                write_line(
                    &mut out,
                    "content-length",
                    itoa::Buffer::new().format(length).as_bytes(),
                );
                (Coding::Length, Stage::Coming)
            }
            None => {
                write_line(&mut out, "transfer-encoding", b"chunked");
                (Coding::Chunked, Stage::Coming)
            }
        };
        out.extend_from_slice(b"\r\n");
        let method = head.method.clone();
        Self { out, at: 0, piece: Bytes::new(), body, coding, stage, method }
    }

    /// Gives the memory that it was written into back, once all of it is out.
    pub(super) fn empty(&mut self, buffer: &Buffer) {
        if self.is_out() {
            buffer.keep(std::mem::take(&mut self.out));
        }
    }

    /// Its method.
    pub(super) fn method(&self) -> &Method {
        &self.method
    }

    /// Is all of it out?
    pub(super) fn is_out(&self) -> bool {
        self.stage == Stage::Out
    }

    /// Writes what there is; ready once all of it is out.
    ///
    /// # Errors
    /// When the upstream takes no more, or the body breaks off.
    pub(super) fn poll(
        &mut self,
        stream: &mut Stream,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            while self.takes_more()
                && let Poll::Ready(more) = self.poll_body(cx)
            {
                more?;
            }
            if self.is_written() {
                return self.poll_flushed(stream, cx);
            }
            ready!(self.poll_write(stream, cx))?;
        }
    }

    fn takes_more(&self) -> bool {
        self.stage == Stage::Coming && self.piece.is_empty() && self.out.len() < COPIED
    }

    fn is_written(&self) -> bool {
        self.at == self.out.len() && self.piece.is_empty()
    }

    /// The next part of the body.
    fn poll_body(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx)).transpose()?;
        let ended = frame.is_none() || self.body.is_end_stream();
        match (frame.map(|frame| frame.into_data().unwrap_or_default()), self.coding) {
            (None, _) => {}
            (Some(data), Coding::Chunked) => chunks::write(&data, &mut self.out),
            (Some(data), Coding::Length) if data.len() <= COPIED => {
                self.out.extend_from_slice(&data);
            }
            (Some(data), Coding::Length) => self.piece = data,
        }
        if ended {
            self.stage = Stage::Last;
            if self.coding == Coding::Chunked {
                self.out.extend_from_slice(chunks::LAST);
            }
        }
        Poll::Ready(Ok(()))
    }

    fn poll_write(&mut self, stream: &mut Stream, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let stream = Pin::new(stream);
        let rest = &self.out[self.at..];
        let count = match &self.piece[..] {
            [] => ready!(stream.poll_write(cx, rest))?,
            piece => {
                let both = [IoSlice::new(rest), IoSlice::new(piece)];
                ready!(stream.poll_write_vectored(cx, &both))?
            }
        };
        if count == 0 {
            return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
        }
        let of_rest = count.min(rest.len());
        self.at += of_rest;
        self.piece.advance(count - of_rest);
        if self.at == self.out.len() {
            self.out.clear();
            self.at = 0;
        }
        Poll::Ready(Ok(()))
    }

    /// All that was there is written: TLS may still hold some of it.
    fn poll_flushed(&mut self, stream: &mut Stream, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.stage != Stage::Out {
            ready!(Pin::new(stream).poll_flush(cx))?;
        }
        if self.stage == Stage::Coming {
            return Poll::Pending;
        }
        self.stage = Stage::Out;
        Poll::Ready(Ok(()))
    }
}

fn write_head(out: &mut Vec<u8>, head: &RequestHead, origin: &Origin) {
    out.extend_from_slice(head.method.as_str().as_bytes());
    out.push(b' ');
    out.extend_from_slice(head.target.as_str().as_bytes());
    out.extend_from_slice(b" HTTP/1.1\r\n");
    write_line(out, "host", origin.host_header.as_bytes());
    for (name, value) in &head.headers {
        write_line(out, name.as_str(), value.as_bytes());
    }
}

fn write_line(out: &mut Vec<u8>, name: &str, value: &[u8]) {
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b": ");
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
}

fn expects_a_body(method: &Method) -> bool {
    [Method::POST, Method::PUT, Method::PATCH].contains(method)
}
