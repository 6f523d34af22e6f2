//! HTTP/1.1 upstream connections that have no task: whoever uses one drives it.
//!
//! A call writes its request and reads the answer's head, then the relay reads the body: nothing
//! crosses tasks, and dropping the lease closes the socket, so that the upstream sees at once that
//! the caller has left. Memory is held only while bytes move: an idle connection has no buffer.

mod body;
pub mod head;
pub mod reader;
mod request;

use std::future::poll_fn;
use std::io;
use std::mem::MaybeUninit;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use http::{Method, Response};
use tokio::io::{AsyncRead, AsyncReadExt, ReadBuf};
use tokio::time::Instant;

use super::{Broken, is_reset};
use crate::net::stream::Stream;
use reader::Reader;

pub(super) use request::{Buffer, Sending};

/// What is read at once.
const READ: usize = 16 << 10;
/// And what is, where that was not enough, into memory of its own.
const READ_MORE: usize = 128 << 10;

/// A connection.
#[derive(Debug)]
pub struct Connection {
    stream: Stream,
    reader: Reader,
    /// What is left of a request whose answer did not wait for its end.
    sending: Option<Box<Sending>>,
    /// Was the last read as large as it could be?
    filled: bool,
    /// Since when it has been idle.
    pub idle_since: Instant,
    /// When it was opened.
    pub opened: Instant,
}

// === impl Connection ===

impl Connection {
    /// A new one.
    pub fn new(stream: Stream) -> Box<Self> {
        let now = Instant::now();
        Box::new(Self {
            stream,
            reader: Reader::default(),
            sending: None,
            filled: false,
            idle_since: now,
            opened: now,
        })
    }

    /// Is it still alive: has neither its end come nor bytes that nobody asked for? An idle
    /// connection has no task that would notice.
    pub(super) fn alive(&mut self, cx: &mut Context<'_>) -> bool {
        let mut space = [MaybeUninit::uninit()];
        let mut buffer = ReadBuf::uninit(&mut space);
        Pin::new(&mut self.stream).poll_read(cx, &mut buffer).is_pending()
    }

    /// May another request be sent on it: is this one out, and its answer over?
    pub(super) fn is_clean(&self) -> bool {
        self.sending.is_none() && self.reader.is_clean()
    }

    /// Sends a request and waits for the answer's head. What is then left of the request goes out
    /// while the body is read.
    ///
    /// # Errors
    /// [`Broken`] when there is no answer.
    pub(super) async fn send(
        &mut self,
        request: &mut Sending,
        buffer: &Buffer,
    ) -> Result<Response<()>, Broken> {
        let mut heard = false;
        poll_fn(|cx| {
            let sent = request.poll(&mut self.stream, cx);
            request.empty(buffer);
            self.poll_head(request.method(), sent, &mut heard, cx)
        })
        .await
    }

    /// What is left of a request goes out while its answer is read.
    pub(super) fn go_on_sending(&mut self, request: Sending) {
        if !request.is_out() {
            self.sending = Some(Box::new(request));
        }
    }

    fn poll_head(
        &mut self,
        method: &Method,
        sent: Poll<io::Result<()>>,
        heard: &mut bool,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Response<()>, Broken>> {
        let mut space = [const { MaybeUninit::uninit() }; READ];
        loop {
            let mut buffer = ReadBuf::uninit(&mut space);
            let read = match (Pin::new(&mut self.stream).poll_read(cx, &mut buffer), &sent) {
                (Poll::Pending, Poll::Ready(Err(error))) if !is_gone(error) => {
                    Err(Broken::within_answer(error.to_string()))
                }
                // An upstream that takes no more may have said why: its end will be read, too.
                (Poll::Pending, _) => return Poll::Pending,
                (Poll::Ready(Ok(())), _) if buffer.filled().is_empty() => {
                    Err(unanswered("the connection ended", *heard))
                }
                (Poll::Ready(Ok(())), _) => Ok(buffer.filled()),
                (Poll::Ready(Err(error)), _) => Err(broken(&error, *heard)),
            };
            let bytes = read?;
            *heard = true;
            self.filled = bytes.len() == READ;
            let head = self.reader.head(bytes, method);
            if let Some(answer) = head.map_err(|error| Broken::within_answer(error.to_string()))? {
                return Poll::Ready(Ok(answer));
            }
        }
    }

    /// The data of the body that comes next, or why there is none.
    pub(super) fn poll_data(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, String>>> {
        self.poll_sent(cx);
        loop {
            if let Some(fault) = self.reader.fault() {
                return Poll::Ready(Some(Err(fault)));
            }
            if self.has_ended() {
                return Poll::Ready(None);
            }
            let data = match self.reader.ahead() {
                Some(data) => Ok(data),
                None => ready!(self.poll_read(cx)),
            };
            if !data.as_ref().is_ok_and(Bytes::is_empty) {
                return Poll::Ready(Some(data));
            }
        }
    }

    /// The rest of the request goes out; if nobody takes it, the answer may still come.
    fn poll_sent(&mut self, cx: &mut Context<'_>) {
        let Some(sending) = &mut self.sending else { return };
        if let Poll::Ready(sent) = sending.poll(&mut self.stream, cx) {
            if sent.is_err() {
                self.reader.last();
            }
            self.sending = None;
        }
    }

    /// What the next read brings of the body; nothing where it ended with the connection.
    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<Result<Bytes, String>> {
        let left = self.left().map_or(0, |left| usize::try_from(left).unwrap_or(usize::MAX));
        let data = match self.filled && left > READ {
            true => ready!(self.poll_read_more(left.min(READ_MORE), cx)),
            false => ready!(self.poll_read_some(cx)),
        };
        Poll::Ready(data.map_err(|error| error.to_string()))
    }

    fn poll_read_some(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Bytes>> {
        let mut space = [const { MaybeUninit::uninit() }; READ];
        let mut buffer = ReadBuf::uninit(&mut space);
        ready!(Pin::new(&mut self.stream).poll_read(cx, &mut buffer))?;
        let bytes = buffer.filled();
        self.filled = bytes.len() == READ;
        if bytes.is_empty() {
            return Poll::Ready(self.closed());
        }
        Poll::Ready(Ok(self.reader.data_in(bytes)))
    }

    /// A body of a length that is far from its end.
    fn poll_read_more(&mut self, room: usize, cx: &mut Context<'_>) -> Poll<io::Result<Bytes>> {
        let mut space = BytesMut::with_capacity(room);
        let read = pin!(self.stream.read_buf(&mut space)).poll(cx);
        // Pending: there will not be as much the next time.
        self.filled = matches!(read, Poll::Ready(Ok(count)) if count >= READ);
        if ready!(read)? == 0 {
            return Poll::Ready(self.closed());
        }
        Poll::Ready(Ok(self.reader.data(space.freeze())))
    }

    fn closed(&mut self) -> io::Result<Bytes> {
        self.reader.close().map_err(io::Error::other)?;
        Ok(Bytes::new())
    }

    /// Has all of the body come?
    pub(super) fn has_ended(&self) -> bool {
        self.reader.has_ended()
    }

    /// How much of it is still to come, where that was told.
    pub(super) fn left(&self) -> Option<u64> {
        self.reader.left()
    }
}

/// What an error means before there is a head.
fn broken(error: &io::Error, heard: bool) -> Broken {
    match is_gone(error) {
        true => unanswered(&error.to_string(), heard),
        false => Broken::within_answer(error.to_string()),
    }
}

/// Has the upstream ended the connection?
fn is_gone(error: &io::Error) -> bool {
    is_reset(error) || error.kind() == io::ErrorKind::UnexpectedEof
}

/// The connection is gone.
fn unanswered(how: &str, heard: bool) -> Broken {
    match heard {
        true => Broken::within_answer(format!("{how} within the head of the answer")),
        false => Broken::BeforeAnswer(format!("{how} before an answer")),
    }
}
