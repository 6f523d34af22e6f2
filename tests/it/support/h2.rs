//! An HTTP/2 upstream, frame by frame: what no HTTP/1.1 script can say, such as GOAWAY, a refused
//! stream, or one stream at a time.
//!
//! Speaks through the `h2` crate, below hyper. Each connection has a thread and a runtime.

use std::future::poll_fn;
use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

use bytes::Bytes;
use h2::server::{Builder, Connection, SendResponse};
use h2::{Reason, RecvStream};
use http::{Request, Response};
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::LocalSet;
use tokio_rustls::TlsAcceptor;

use super::gate::wait_until;

/// The upstream; its thread lives as long as the process.
pub(crate) struct H2Upstream {
    address: SocketAddr,
    log: Arc<Log>,
}

/// A request as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct H2Recorded {
    /// Which connection it came on, counted from 0.
    pub(crate) connection: usize,
    /// Method, URI with pseudo-header parts, headers.
    pub(crate) head: Arc<Request<()>>,
    pub(crate) body: Vec<u8>,
}

/// What becomes of a request.
#[derive(Debug, Clone)]
pub(crate) enum H2Reply {
    /// 200, these DATA frames, END_STREAM.
    Whole(Vec<&'static str>),
    /// 200, these DATA frames, then RST_STREAM.
    Cut(Vec<&'static str>, Reason),
    /// 200, these DATA frames, then nothing until the client resets the stream.
    Silent(Vec<&'static str>),
    /// RST_STREAM instead of an answer.
    Reset(Reason),
    /// 200 and END_STREAM, with GOAWAY for what comes after.
    Last,
    /// This head, these DATA frames, each as far as possible written by itself, END_STREAM.
    Answer(Response<()>, Vec<Bytes>),
}

#[derive(Default)]
struct Log {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    connections: usize,
    requests: Vec<H2Recorded>,
    /// Why clients reset streams.
    resets: Vec<Reason>,
}

/// How often a script steps back so that the connection can write what is queued.
const TURNS: usize = 16;

type Script = Arc<dyn Fn(&H2Recorded) -> H2Reply + Send + Sync>;

// === impl H2Upstream ===

impl H2Upstream {
    /// Over TLS where there is a config, else with prior knowledge. `settings` are the connection's.
    pub(crate) fn start(
        tls: Option<Arc<ServerConfig>>,
        settings: Builder,
        script: impl Fn(&H2Recorded) -> H2Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let upstream = Self { address: listener.local_addr().unwrap(), log: Arc::default() };
        let serving = Serving { log: upstream.log.clone(), script: Arc::new(script), index: 0 };
        thread::spawn(move || {
            while let Ok((tcp, _)) = listener.accept() {
                let mut index = 0;
                serving.log.change(|state| {
                    index = state.connections;
                    state.connections += 1;
                });
                let serving = Serving { index, ..serving.clone() };
                let (tls, settings) = (tls.clone(), settings.clone());
                thread::spawn(move || run(tcp, tls, &settings, serving));
            }
        });
        upstream
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many connections were accepted so far.
    pub(crate) fn connections(&self) -> usize {
        self.log.state.lock().unwrap().connections
    }

    /// Waits until there are `count` requests.
    #[track_caller]
    pub(crate) fn wait_requests(&self, count: usize) -> Vec<H2Recorded> {
        wait_until(&self.log.state, &self.log.changed, |state| {
            (state.requests.len() >= count).then(|| state.requests.clone())
        })
    }

    /// Waits until the client has reset a stream.
    #[track_caller]
    pub(crate) fn wait_reset(&self) -> Reason {
        wait_until(&self.log.state, &self.log.changed, |state| state.resets.last().copied())
    }
}

impl Log {
    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.lock().unwrap());
        self.changed.notify_all();
    }
}

#[derive(Clone)]
struct Serving {
    log: Arc<Log>,
    script: Script,
    index: usize,
}

fn run(tcp: TcpStream, tls: Option<Arc<ServerConfig>>, settings: &Builder, serving: Serving) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let serve = async {
        tcp.set_nonblocking(true)?;
        tcp.set_nodelay(true)?;
        let tcp = tokio::net::TcpStream::from_std(tcp)?;
        match tls {
            Some(config) => {
                serving.serve(TlsAcceptor::from(config).accept(tcp).await?, settings).await
            }
            None => serving.serve(tcp, settings).await,
        }
    };
    // A connection that breaks is what some tests are about; they see it from the other end.
    drop(LocalSet::new().block_on(&runtime, serve));
}

// === impl Serving ===

impl Serving {
    async fn serve<S>(&self, stream: S, settings: &Builder) -> io::Result<()>
    where
        S: AsyncRead + AsyncWrite + Unpin + 'static,
    {
        let mut connection: Connection<S, Bytes> =
            settings.handshake(stream).await.map_err(io::Error::other)?;
        // Scripts run beside the connection, which must be polled for them to get anywhere.
        let (last, mut is_last) = tokio::sync::mpsc::unbounded_channel();
        loop {
            tokio::select! {
                call = connection.accept() => {
                    let Some(call) = call else { return Ok(()) };
                    let (request, respond) = call.map_err(io::Error::other)?;
                    let (serving, last) = (self.clone(), last.clone());
                    tokio::task::spawn_local(async move {
                        if serving.call(request, respond).await.is_some() {
                            let _ = last.send(());
                        }
                    });
                }
                _ = is_last.recv() => connection.graceful_shutdown(),
            }
        }
    }

    /// Answers one request; `Some` if it was to be the last one.
    async fn call(
        &self,
        request: Request<RecvStream>,
        mut respond: SendResponse<Bytes>,
    ) -> Option<()> {
        let (head, mut body) = request.into_parts();
        let mut bytes = Vec::new();
        while let Some(data) = body.data().await {
            let data = data.ok()?;
            bytes.extend_from_slice(&data);
            body.flow_control().release_capacity(data.len()).ok()?;
        }
        let recorded = H2Recorded {
            connection: self.index,
            head: Arc::new(Request::from_parts(head, ())),
            body: bytes,
        };
        let reply = (self.script)(&recorded);
        self.log.change(|state| state.requests.push(recorded));
        let (head, frames, end) = match reply {
            H2Reply::Reset(reason) => {
                respond.send_reset(reason);
                return None;
            }
            H2Reply::Whole(frames) => (ok(), data(&frames), End::Stream),
            H2Reply::Cut(frames, reason) => (ok(), data(&frames), End::Reset(reason)),
            H2Reply::Silent(frames) => (ok(), data(&frames), End::Never),
            H2Reply::Last => (ok(), Vec::new(), End::Connection),
            H2Reply::Answer(head, frames) => (head, frames, End::Stream),
        };
        let mut stream = respond.send_response(head, false).ok()?;
        for frame in frames {
            stream.send_data(frame, false).ok()?;
            tokio::task::yield_now().await;
        }
        match end {
            End::Stream => stream.send_data(Bytes::new(), true).ok().and(None),
            End::Connection => stream.send_data(Bytes::new(), true).ok(),
            End::Reset(reason) => {
                // What was queued goes out first: a reset throws away what has not been sent.
                stream.reserve_capacity(1);
                poll_fn(|context| stream.poll_capacity(context)).await;
                for _ in 0..TURNS {
                    tokio::task::yield_now().await;
                }
                stream.send_reset(reason);
                None
            }
            End::Never => {
                let reason = poll_fn(|context| stream.poll_reset(context)).await.ok()?;
                self.log.change(|state| state.resets.push(reason));
                None
            }
        }
    }
}

fn ok() -> Response<()> {
    Response::new(())
}

fn data(frames: &[&'static str]) -> Vec<Bytes> {
    frames.iter().map(|frame| Bytes::from_static(frame.as_bytes())).collect()
}

enum End {
    Stream,
    Connection,
    Reset(Reason),
    Never,
}
