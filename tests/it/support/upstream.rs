//! A scripted upstream on loopback: reads and writes raw bytes, records what it got and how each
//! connection ended.
//!
//! A script is a closure that is given each [`Connection`]; it reads requests, writes bytes, waits
//! at [`Gate`](super::gate::Gate)s, and ends the connection in the way that the test is about.

use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

use rustls::ServerConfig;

use super::gate::wait_until;
use super::stream::Stream;
use super::wire::{Body, End, Framing, Head, Wire};

/// The upstream; it stops accepting when dropped.
pub(crate) struct Upstream {
    address: SocketAddr,
    scheme: &'static str,
    log: Arc<Log>,
    stopped: Arc<AtomicBool>,
}

/// A request as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct Recorded {
    /// Which connection it came on, counted from 0.
    pub(crate) connection: usize,
    pub(crate) head: Head,
    /// Chunks joined.
    pub(crate) body: Vec<u8>,
    /// A request cut off never counts as one that arrived.
    pub(crate) end: End,
}

/// How a connection ended, seen from the upstream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Closing {
    /// The script was done, or the client left between two requests.
    Done,
    /// The client left while the script wanted to read or write.
    Left(ErrorKind),
    /// TLS did not come to stand.
    Handshake(String),
}

#[derive(Default)]
struct Log {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    connections: usize,
    requests: Vec<Recorded>,
    closings: Vec<(usize, Closing)>,
}

/// What a script works on.
pub(crate) struct Connection {
    /// Counted from 0 in the order of accepting.
    pub(crate) index: usize,
    wire: Option<Wire>,
    log: Arc<Log>,
}

type Script = Arc<dyn Fn(&mut Connection) -> io::Result<()> + Send + Sync>;

// === impl Upstream ===

impl Upstream {
    /// An upstream that runs `script` once for each connection.
    pub(crate) fn start(
        script: impl Fn(&mut Connection) -> io::Result<()> + Send + Sync + 'static,
    ) -> Self {
        Self::listen(None, Arc::new(script))
    }

    /// The same over TLS; what ALPN offers is the config's.
    pub(crate) fn start_tls(
        config: Arc<ServerConfig>,
        script: impl Fn(&mut Connection) -> io::Result<()> + Send + Sync + 'static,
    ) -> Self {
        Self::listen(Some(config), Arc::new(script))
    }

    /// An upstream that answers each request of each connection with the bytes that `reply` gives.
    pub(crate) fn replying(reply: impl Fn(&Recorded) -> Vec<u8> + Send + Sync + 'static) -> Self {
        Self::start(move |connection| {
            while let Some(request) = connection.request()? {
                connection.write(reply(&request))?;
            }
            Ok(())
        })
    }

    fn listen(tls: Option<Arc<ServerConfig>>, script: Script) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let upstream = Self {
            address: listener.local_addr().unwrap(),
            scheme: if tls.is_some() { "https" } else { "http" },
            log: Arc::default(),
            stopped: Arc::default(),
        };
        let (log, stopped) = (upstream.log.clone(), upstream.stopped.clone());
        thread::spawn(move || accept(&listener, &log, &stopped, &(tls, script)));
        upstream
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// `http://127.0.0.1:PORT`
    pub(crate) fn url(&self) -> String {
        format!("{}://{}", self.scheme, self.address)
    }

    /// `https://NAME:PORT`, for a certificate of that name.
    pub(crate) fn url_as(&self, name: &str) -> String {
        format!("{}://{name}:{}", self.scheme, self.address.port())
    }

    /// How many connections were accepted so far.
    pub(crate) fn connections(&self) -> usize {
        self.log.state.lock().unwrap().connections
    }

    /// Whole and cut requests so far, in the order in which they ended.
    pub(crate) fn requests(&self) -> Vec<Recorded> {
        self.log.state.lock().unwrap().requests.clone()
    }

    /// Waits until there are `count` requests.
    #[track_caller]
    pub(crate) fn wait_requests(&self, count: usize) -> Vec<Recorded> {
        wait_until(&self.log.state, &self.log.changed, |state| {
            (state.requests.len() >= count).then(|| state.requests.clone())
        })
    }

    /// Waits until the connection with this index has ended.
    #[track_caller]
    pub(crate) fn wait_closed(&self, index: usize) -> Closing {
        wait_until(&self.log.state, &self.log.changed, |state| {
            let mut closings = state.closings.iter();
            closings.find(|(which, _)| *which == index).map(|(_, closing)| closing.clone())
        })
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::SeqCst);
        // Wakes the accept loop, which then sees that it is over.
        drop(TcpStream::connect(self.address));
    }
}

// === impl Connection ===

impl Connection {
    /// The next request, recorded; `None` when the client left before it began one, or within it.
    pub(crate) fn request(&mut self) -> io::Result<Option<Recorded>> {
        match self.head()? {
            Some(head) => self.body_of(head).map(Some),
            None => Ok(None),
        }
    }

    /// The next head alone, not yet recorded, for scripts that answer before the body has come.
    pub(crate) fn head(&mut self) -> io::Result<Option<Head>> {
        self.wire()?.head()
    }

    /// Reads the body of `head` and records the request.
    pub(crate) fn body_of(&mut self, head: Head) -> io::Result<Recorded> {
        let mut body = Body::new(head.framing(Framing::None));
        let (body, end) = body.rest(self.wire()?);
        let request = Recorded { connection: self.index, head, body, end };
        self.log.change(|state| state.requests.push(request.clone()));
        match &request.end {
            End::Whole(_) => Ok(request),
            End::Cut(kind) => Err((*kind).into()),
        }
    }

    pub(crate) fn write(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        self.wire()?.write(bytes.as_ref())
    }

    /// What has come, not read as HTTP and not recorded; empty when the client has left.
    pub(crate) fn some(&mut self) -> io::Result<Vec<u8>> {
        self.wire()?.some()
    }

    /// Waits until the client leaves; what it still sends is thrown away.
    pub(crate) fn wait_left(&mut self) -> io::Result<()> {
        while !self.wire()?.some()?.is_empty() {}
        Err(ErrorKind::UnexpectedEof.into())
    }

    /// Ends with FIN (after `close_notify` over TLS).
    pub(crate) fn close(&mut self) -> io::Result<()> {
        self.wire()?.stream().finish()
    }

    /// Ends with FIN and, over TLS, no `close_notify`.
    pub(crate) fn truncate(&mut self) -> io::Result<()> {
        self.wire()?.stream().truncate()
    }

    /// Ends with RST.
    pub(crate) fn reset(&mut self) -> io::Result<()> {
        match self.wire.take() {
            Some(wire) => wire.into_stream().reset(),
            None => Ok(()),
        }
    }

    /// What ALPN settled on.
    pub(crate) fn alpn(&mut self) -> io::Result<Option<Vec<u8>>> {
        Ok(self.wire()?.stream().alpn().map(<[u8]>::to_vec))
    }

    fn wire(&mut self) -> io::Result<&mut Wire> {
        self.wire.as_mut().ok_or_else(|| ErrorKind::NotConnected.into())
    }
}

// === impl Log ===

impl Log {
    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.lock().unwrap());
        self.changed.notify_all();
    }
}

impl Recorded {
    /// `POST`
    pub(crate) fn method(&self) -> &str {
        self.head.first_line.split(' ').next().unwrap()
    }

    /// Path and query as sent.
    pub(crate) fn target(&self) -> &str {
        self.head.first_line.split(' ').nth(1).unwrap()
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

/// An answer with `content-length`.
pub(crate) fn json_answer(status: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n\
         {body}"
    )
    .into_bytes()
}

/// The head of a chunked event stream.
pub(crate) const STREAM_HEAD: &[u8] =
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";

/// The last chunk.
pub(crate) const LAST_CHUNK: &[u8] = b"0\r\n\r\n";

/// One chunk.
pub(crate) fn chunk(bytes: impl AsRef<[u8]>) -> Vec<u8> {
    let bytes = bytes.as_ref();
    [format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat()
}

fn accept(
    listener: &TcpListener,
    log: &Arc<Log>,
    stopped: &AtomicBool,
    serving: &(Option<Arc<ServerConfig>>, Script),
) {
    while let Ok((tcp, _)) = listener.accept() {
        if stopped.load(Ordering::SeqCst) {
            return;
        }
        let mut index = 0;
        log.change(|state| {
            index = state.connections;
            state.connections += 1;
        });
        let (tls, script) = serving.clone();
        let log = log.clone();
        thread::spawn(move || {
            let closing = match Stream::accept(tcp, tls) {
                Ok(stream) => run(stream, index, &log, &script),
                Err(error) => Closing::Handshake(error.to_string()),
            };
            log.change(|state| state.closings.push((index, closing)));
        });
    }
}

fn run(stream: Stream, index: usize, log: &Arc<Log>, script: &Script) -> Closing {
    let wire = Some(Wire::new(stream));
    let mut connection = Connection { index, wire, log: log.clone() };
    match script(&mut connection) {
        Ok(()) => Closing::Done,
        Err(error) => Closing::Left(error.kind()),
    }
}
