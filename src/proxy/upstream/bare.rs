//! An event stream that is read from its socket, without hyper.
//!
//! Most of what an open stream takes, and half of what an event costs, would be hyper's buffers and
//! its ways between them. So hyper reads the answer's head, and nothing behind it; the chunks are
//! read here, into memory that is held only while bytes move. Other answers are over too soon to
//! be worth it. At its end hyper gets the connection back.

use std::future::Future;
use std::mem::MaybeUninit;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use tokio::io::{AsyncRead, ReadBuf};
use tokio::time::Instant;

use super::h1;
use crate::net::chunks::{BadChunk, Chunks};
use crate::net::stream::Stream;

/// What is read at once.
const READ: usize = 16 << 10;

/// The body of an event stream, and the connection that brings it.
#[derive(Debug)]
pub struct Bare {
    stream: Stream,
    /// What came with the head.
    ahead: Vec<u8>,
    chunks: Chunks,
    /// What was found behind the data handed out last.
    found: Found,
    opened: Instant,
}

/// What was found behind data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Found {
    /// Nothing yet.
    Nothing,
    /// Bytes that are no chunk.
    Bad(BadChunk),
    /// Bytes behind the end, which belong to no answer.
    More,
}

impl Bare {
    /// The body that comes on `stream` behind `ahead`; the connection was opened at that time.
    pub(super) fn new((stream, ahead): (Stream, Vec<u8>), opened: Instant) -> Self {
        let (chunks, found) = (Chunks::default(), Found::Nothing);
        Self { stream, ahead, chunks, found, opened }
    }

    /// The data that comes next, or why there is none.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, String>>> {
        loop {
            if let Found::Bad(bad) = self.found {
                return Poll::Ready(Some(Err(bad.to_string())));
            }
            if self.has_ended() {
                return Poll::Ready(None);
            }
            let data = match std::mem::take(&mut self.ahead) {
                ahead if ahead.is_empty() => ready!(self.read(cx)),
                ahead => Ok(self.data(&ahead)),
            };
            if !data.as_ref().is_ok_and(Vec::is_empty) {
                return Poll::Ready(Some(data.map(Bytes::from)));
            }
        }
    }

    /// Is all of it here?
    pub(super) fn has_ended(&self) -> bool {
        self.chunks.has_ended()
    }

    /// hyper's connection again, if nothing but the stream has come.
    pub(super) fn into_connection(self, cx: &mut Context<'_>) -> Option<Box<h1::Connection>> {
        if !self.has_ended() || self.found != Found::Nothing {
            return None;
        }
        match pin!(h1::handshake(self.stream)).poll(cx) {
            Poll::Ready(Ok(mut connection)) => {
                connection.opened = self.opened;
                Some(connection)
            }
            Poll::Ready(Err(_)) | Poll::Pending => None,
        }
    }

    fn read(&mut self, cx: &mut Context<'_>) -> Poll<Result<Vec<u8>, String>> {
        let mut space = [const { MaybeUninit::uninit() }; READ];
        let mut buffer = ReadBuf::uninit(&mut space);
        let read = ready!(Pin::new(&mut self.stream).poll_read(cx, &mut buffer));
        Poll::Ready(match (read, buffer.filled()) {
            (Err(error), _) => Err(error.to_string()),
            (Ok(()), []) => Err("the connection ended before the last chunk".to_owned()),
            (Ok(()), bytes) => Ok(self.data(bytes)),
        })
    }

    fn data(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut data = Vec::with_capacity(bytes.len());
        match self.chunks.read(bytes, &mut data) {
            Ok(taken) if taken < bytes.len() => self.found = Found::More,
            Ok(_) => {}
            Err(bad) => self.found = Found::Bad(bad),
        }
        data
    }
}
