//! A client's socket that tells early what will be spoken on it, and gives up on a reader who
//! stopped reading.
//!
//! Back-pressure keeps memory bounded while a client does not read; this bounds the time as well.
//! hyper has no such timer, and while its write buffer is full it polls nothing but the socket.
//! Nor has it one for a client that connects and says nothing: so the first bytes are read here,
//! by whoever holds the clock, and given to hyper again.
//!
//! hyper may leave the socket to somebody else for a while: it is known whether all was written,
//! whether the client has left, and what hyper had read too much.

use std::cell::Cell;
use std::future::Future;
use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep};

use super::framing::Framing;

/// The socket.
#[derive(Debug)]
pub struct ClientIo {
    stream: TcpStream,
    write_idle: Duration,
    /// Runs only while a write is blocked.
    blocked: Option<Pin<Box<Sleep>>>,
    /// What was read and must be read again; its framing has been watched.
    back: Bytes,
    /// Read ahead, to see what is spoken, or while somebody else writes.
    ahead: Vec<u8>,
    /// Watches HTTP/1.1.
    framing: Option<Framing>,
    written: Written,
}

/// Has all that was there to write been written?
#[derive(Debug, Clone, Default)]
pub struct Written(Rc<Cell<bool>>);

/// What a client speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opening {
    /// Anything but the preface of HTTP/2.
    Http1,
    /// HTTP/2 with prior knowledge.
    Http2,
}

/// What every HTTP/2 connection begins with (RFC 9113, 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// What is read at once of a client that should say nothing.
const SURPRISE: usize = 1 << 10;

impl Written {
    /// Has it?
    pub fn is_all(&self) -> bool {
        self.0.get()
    }
}

impl ClientIo {
    /// Ends with an error when a write has been blocked for `write_idle`.
    pub fn new(stream: TcpStream, write_idle: Duration) -> Self {
        Self {
            stream,
            write_idle,
            blocked: None,
            back: Bytes::new(),
            ahead: Vec::new(),
            framing: None,
            written: Written::default(),
        }
    }

    /// Waits for as many bytes as it takes to tell what the client speaks. Loses nothing when it
    /// is dropped half-way.
    ///
    /// # Errors
    /// When the client leaves or breaks off before that.
    pub async fn opening(&mut self) -> io::Result<Opening> {
        while PREFACE.starts_with(&self.ahead) {
            if self.ahead.len() == PREFACE.len() {
                return Ok(Opening::Http2);
            }
            let missing = (PREFACE.len() - self.ahead.len()) as u64;
            let mut limited = (&mut self.stream).take(missing);
            if limited.read_buf(&mut self.ahead).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        self.framing = Some(Framing::default());
        Ok(Opening::Http1)
    }

    /// What knows whether all has been written.
    pub fn written(&self) -> Written {
        self.written.clone()
    }

    /// Takes back what was read too much: a copy, because even nothing would hold hyper's buffer.
    pub fn give_back(&mut self, read: &[u8]) {
        self.back = Bytes::copy_from_slice(read);
    }

    /// Ready once the client has left. If it sends something instead, that is kept, and nothing
    /// more is looked at: memory is bounded.
    pub fn poll_left(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if !self.back.is_empty() || !self.ahead.is_empty() {
            return Poll::Pending;
        }
        let mut space = [const { MaybeUninit::uninit() }; SURPRISE];
        let mut buffer = ReadBuf::uninit(&mut space);
        match ready!(Pin::new(&mut self.stream).poll_read(cx, &mut buffer)) {
            Ok(()) if !buffer.filled().is_empty() => {
                self.ahead.extend_from_slice(buffer.filled());
                Poll::Pending
            }
            Ok(()) | Err(_) => Poll::Ready(()),
        }
    }

    fn fill(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let count = self.ahead.len().min(buf.remaining());
        buf.put_slice(&self.ahead[..count]);
        self.ahead.drain(..count);
        let refused = self.framing.as_ref().is_some_and(Framing::has_refused);
        if refused || buf.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        // What came behind the first bytes goes along with them: hyper makes its buffer larger if
        // a read leaves less room in it than it began with.
        match Pin::new(&mut self.stream).poll_read(cx, buf) {
            Poll::Pending if count > 0 => Poll::Ready(Ok(())),
            polled => polled,
        }
    }

    fn watch<T>(
        &mut self,
        cx: &mut Context<'_>,
        polled: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if polled.is_ready() {
            self.blocked = None;
            return polled;
        }
        let idle = self.write_idle;
        let timer = self.blocked.get_or_insert_with(|| Box::pin(sleep(idle)));
        match timer.as_mut().poll(cx) {
            Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl AsyncRead for ClientIo {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.back.is_empty() {
            let count = self.back.len().min(buf.remaining());
            buf.put_slice(&self.back.split_to(count));
            return Poll::Ready(Ok(()));
        }
        let before = buf.filled().len();
        let polled = self.fill(cx, buf);
        if let Some(framing) = &mut self.framing
            && !framing.has_refused()
        {
            framing.check(&mut buf.filled_mut()[before..]);
            if framing.has_refused() {
                // hyper looks at a head only once it has ended.
                self.ahead = b"\r\n\r\n".to_vec();
            }
        }
        polled
    }
}

impl AsyncWrite for ClientIo {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.written.0.set(false);
        let polled = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.watch(cx, polled)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.written.0.set(false);
        let polled = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.watch(cx, polled)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
        self.written.0.set(true);
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
