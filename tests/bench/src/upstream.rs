//! The provider: takes requests, drains their bodies, and answers as their headers ask.
//!
//! One thread, raw bytes, answers made beforehand: it must cost much less than what is measured.
//! The path says the dialect.
//! It refuses a call without its key, so that no peer can be fast by leaving out work. What it
//! offers: [`crate::answer`]. It prints its two ports and ends with whoever started it.

use std::cell::Cell;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use bytes::{Buf, BytesMut};
use memchr::memmem;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;
use tokio::task::{LocalSet, spawn_local};
use tokio_rustls::TlsAcceptor;

use crate::answer;
use crate::dialect::Dialect;
use crate::http1::{self, Body};
use crate::request::{MODEL_HEADER, PROVIDER_KEY};
use crate::tls;

/// Serves until the process is ended.
pub(crate) fn run(folder: &Path) -> anyhow::Result<()> {
    let acceptor = TlsAcceptor::from(tls::server(folder)?);
    let runtime = Builder::new_current_thread().enable_all().build()?;
    LocalSet::new().block_on(&runtime, serve(acceptor))
}

/// What is answered in each dialect.
struct Answers {
    chat: Answer,
    messages: Answer,
    /// Where a body is read to, since nobody wants it. Lent for as long as a body comes.
    sink: Cell<Vec<u8>>,
}

/// What is answered, as it goes onto the wire.
struct Answer {
    json: Vec<u8>,
    /// The head stands before the first event, the end of the body behind the last.
    events: Vec<Vec<u8>>,
}

const SINK: usize = 256 << 10;

async fn serve(acceptor: TlsAcceptor) -> anyhow::Result<()> {
    let answers = Rc::new(Answers::new());
    let (plain, tls) = (bind().await?, bind().await?);
    println!("{} {}", plain.local_addr()?.port(), tls.local_addr()?.port());
    loop {
        tokio::select! {
            accepted = plain.accept() => {
                let connection = Connection::new(nodelay(accepted?.0), Rc::clone(&answers));
                spawn_local(connection.serve());
            }
            accepted = tls.accept() => {
                let accept = acceptor.accept(nodelay(accepted?.0));
                let answers = Rc::clone(&answers);
                spawn_local(async move {
                    if let Ok(stream) = accept.await {
                        Connection::new(stream, answers).serve().await;
                    }
                });
            }
        }
    }
}

async fn bind() -> std::io::Result<TcpListener> {
    TcpListener::bind("127.0.0.1:0").await
}

fn nodelay(stream: TcpStream) -> TcpStream {
    // A failure means that the peer has gone, which the first read tells too.
    let _ = stream.set_nodelay(true);
    stream
}

/// A connection of a proxy.
struct Connection<S> {
    stream: S,
    answers: Rc<Answers>,
    received: BytesMut,
}

/// What a request asks for.
struct Asked {
    refusal: Option<&'static [u8]>,
    dialect: Dialect,
    events: usize,
    gap: Duration,
}

const MESSAGES: &[u8] = b"/v1/messages ";
const NO_KEY: &[u8] = b"HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n";
const WRONG_MODEL: &[u8] = b"HTTP/1.1 422 Wrong Model\r\ncontent-length: 0\r\n\r\n";
const NO_LENGTH: &[u8] = b"HTTP/1.1 411 Length Required\r\ncontent-length: 0\r\n\r\n";

// === impl Answers ===

impl Answers {
    fn new() -> Self {
        let (chat, messages) = (Answer::new(Dialect::Chat), Answer::new(Dialect::Messages));
        Self { chat, messages, sink: Cell::new(vec![0; SINK]) }
    }

    fn of(&self, dialect: Dialect) -> &Answer {
        match dialect {
            Dialect::Chat => &self.chat,
            Dialect::Messages => &self.messages,
        }
    }
}

// === impl Answer ===

impl Answer {
    fn new(dialect: Dialect) -> Self {
        let json = answer::whole(dialect);
        let json = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{json}",
            json.len()
        );
        let mut events: Vec<Vec<u8>> = answer::events(dialect)
            .iter()
            .map(|event| format!("{:x}\r\n{event}\r\n", event.len()).into_bytes())
            .collect();
        if let Some(first) = events.first_mut() {
            let head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\
                         transfer-encoding: chunked\r\n\r\n";
            first.splice(..0, head.iter().copied());
        }
        if let Some(last) = events.last_mut() {
            last.extend_from_slice(b"0\r\n\r\n");
        }
        Self { json: json.into_bytes(), events }
    }
}

// === impl Connection ===

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    fn new(stream: S, answers: Rc<Answers>) -> Self {
        Self { stream, answers, received: BytesMut::with_capacity(16 << 10) }
    }

    /// An error is the proxy's leaving: nothing is left to do.
    async fn serve(mut self) {
        while matches!(self.call().await, Ok(true)) {}
    }

    /// One call; false when the proxy has left.
    async fn call(&mut self) -> std::io::Result<bool> {
        let Some(head) = self.head().await? else { return Ok(false) };
        let Body::Sized(length) = head.body else {
            self.stream.write_all(NO_LENGTH).await?;
            return Ok(false);
        };
        if http1::value(&self.received[..head.length], MODEL_HEADER).is_some() {
            self.fill(head.length + length).await?;
        }
        let asked = asked(&self.received, head);
        self.drain(head.length + length).await?;
        match asked {
            Asked { refusal: Some(refusal), .. } => self.send(refusal).await?,
            Asked { events: 0, dialect, .. } => {
                let answers = Rc::clone(&self.answers);
                self.send(&answers.of(dialect).json).await?;
            }
            Asked { gap, dialect, .. } => self.events(dialect, gap).await?,
        }
        Ok(true)
    }

    async fn head(&mut self) -> std::io::Result<Option<http1::Head>> {
        loop {
            if let Some(head) = http1::head(&self.received) {
                return Ok(Some(head));
            }
            if self.stream.read_buf(&mut self.received).await? == 0 {
                return Ok(None);
            }
        }
    }

    /// Waits for a request to be here in full, for those whose body is looked at.
    async fn fill(&mut self, length: usize) -> std::io::Result<()> {
        while self.received.len() < length {
            if self.stream.read_buf(&mut self.received).await? == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(())
    }

    /// Takes the whole request off the connection.
    async fn drain(&mut self, length: usize) -> std::io::Result<()> {
        let here = length.min(self.received.len());
        self.received.advance(here);
        if self.received.is_empty() {
            self.received.clear();
        }
        let mut left = length - here;
        if left == 0 {
            return Ok(());
        }
        let mut sink = self.answers.sink.take();
        sink.resize(SINK, 0);
        while left > 0 {
            let wanted = left.min(SINK);
            let read = self.stream.read(&mut sink[..wanted]).await?;
            if read == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            left -= read;
        }
        self.answers.sink.set(sink);
        Ok(())
    }

    async fn events(&mut self, dialect: Dialect, gap: Duration) -> std::io::Result<()> {
        let answers = Rc::clone(&self.answers);
        for (number, event) in answers.of(dialect).events.iter().enumerate() {
            if number > 0 && !gap.is_zero() {
                tokio::time::sleep(gap).await;
            }
            self.send(event).await?;
        }
        Ok(())
    }

    async fn send(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.stream.write_all(bytes).await?;
        self.stream.flush().await
    }
}

fn asked(received: &[u8], head: http1::Head) -> Asked {
    let (head, body) = received.split_at(head.length);
    let key = http1::value(head, "authorization").and_then(|value| value.strip_prefix(b"Bearer "));
    let refusal = if key != Some(PROVIDER_KEY.as_bytes()) {
        Some(NO_KEY)
    } else if http1::value(head, MODEL_HEADER)
        .is_some_and(|model| memmem::find(&body[..body.len().min(200)], model).is_none())
    {
        Some(WRONG_MODEL)
    } else {
        None
    };
    let messages = head.strip_prefix(b"POST ").is_some_and(|path| path.starts_with(MESSAGES));
    let dialect = if messages { Dialect::Messages } else { Dialect::Chat };
    let gap = http1::number(head, "x-bench-gap-us").unwrap_or(0);
    let events = http1::number(head, "x-bench-events").unwrap_or(0);
    Asked { refusal, dialect, events, gap: Duration::from_micros(gap as u64) }
}
