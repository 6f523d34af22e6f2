//! A controller that does as a test says: HTTP/2 over TLS, a stream for each sidecar that asks.

use std::future::poll_fn;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::{self, JoinHandle};

use bytes::Bytes;
use h2::server::SendResponse;
use h2::{Reason, RecvStream};
use http::{HeaderValue, Request, Response, StatusCode};
use pillion::bundle::push;
use rustls::ServerConfig;
use serde_json::Value;
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::task::{LocalSet, spawn_local};
use tokio_rustls::TlsAcceptor;

use crate::support::gate::wait_until;
use crate::support::tls::Ca;

/// It ends, with all its connections, when dropped.
pub(super) struct Controller {
    address: SocketAddr,
    log: Arc<Log>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// What it says to those who ask.
#[derive(Clone)]
pub(super) enum Policy {
    Accept,
    /// Status, `retry-after`, text.
    Refuse(u16, Option<&'static str>, &'static str),
}

/// A stream as it was asked for, and what was answered on it.
#[derive(Clone)]
pub(super) struct Stream {
    pub(super) target: String,
    pub(super) token: String,
    pub(super) answers: Vec<Value>,
    pub(super) is_open: bool,
    commands: mpsc::UnboundedSender<Command>,
}

enum Command {
    Send(Vec<u8>),
    End,
    Reset,
}

#[derive(Default)]
struct Log {
    state: Mutex<State>,
    changed: Condvar,
    frozen: Notify,
}

struct State {
    policy: Policy,
    /// What a new stream begins with.
    bundle: Vec<u8>,
    /// What it tells of its CA.
    authorities: Option<HeaderValue>,
    streams: Vec<Stream>,
    refused: usize,
    connections: usize,
}

impl Default for State {
    fn default() -> Self {
        let (bundle, streams) = (Vec::new(), Vec::new());
        let (policy, authorities) = (Policy::Accept, None);
        Self { policy, bundle, authorities, streams, refused: 0, connections: 0 }
    }
}

// === impl Controller ===

impl Controller {
    /// On any port, for 127.0.0.1.
    pub(super) fn start(ca: &Ca) -> Self {
        Self::start_on(SocketAddr::from(([127, 0, 0, 1], 0)), ca)
    }

    /// On the port of one that has ended, say.
    pub(super) fn start_on(address: SocketAddr, ca: &Ca) -> Self {
        Self::start_as(address, ca.server(&["127.0.0.1"], &[b"h2"]))
    }

    /// With a certificate of any making.
    pub(super) fn start_as(address: SocketAddr, tls: Arc<ServerConfig>) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        listener.set_nonblocking(true).unwrap();
        let (stop, stopped) = oneshot::channel();
        let log = Arc::new(Log::default());
        let address = listener.local_addr().unwrap();
        let serving = Serving { log: log.clone(), tls };
        let thread = thread::spawn(move || run(listener, stopped, serving));
        Self { address, log, stop: Some(stop), thread: Some(thread) }
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Sends a line to every stream that is open, and to those that will be.
    pub(super) fn offer(&self, line: &[u8]) {
        self.log.change(|state| {
            state.bundle = line.to_vec();
            for stream in &state.streams {
                let _ = stream.commands.send(Command::Send(line.to_vec()));
            }
        });
    }

    /// Sends bytes on the newest stream.
    pub(super) fn send(&self, bytes: &[u8]) {
        self.command(Command::Send(bytes.to_vec()));
    }

    /// Ends the newest stream cleanly.
    pub(super) fn end(&self) {
        self.command(Command::End);
    }

    /// Breaks the newest stream off.
    pub(super) fn reset(&self) {
        self.command(Command::Reset);
    }

    /// The connections that there are become silent, as when a machine has lost its power.
    pub(super) fn freeze(&self) {
        self.log.frozen.notify_waiters();
    }

    /// From now on.
    pub(super) fn policy(&self, policy: Policy) {
        self.log.change(|state| state.policy = policy);
    }

    /// Every stream from now on tells of these CA certificates.
    pub(super) fn tell(&self, authorities: HeaderValue) {
        self.log.change(|state| state.authorities = Some(authorities));
    }

    /// How many connections were made so far.
    pub(super) fn connections(&self) -> usize {
        self.log.state.lock().unwrap().connections
    }

    /// How many streams were opened so far.
    pub(super) fn streams(&self) -> usize {
        self.log.state.lock().unwrap().streams.len()
    }

    #[track_caller]
    pub(super) fn wait_connections(&self, count: usize) {
        self.wait(|state| (state.connections >= count).then_some(()));
    }

    /// Waits until so many streams were refused.
    #[track_caller]
    pub(super) fn wait_refused(&self, count: usize) {
        self.wait(|state| (state.refused >= count).then_some(()));
    }

    /// Waits until so many streams were opened; gives the newest.
    #[track_caller]
    pub(super) fn wait_stream(&self, count: usize) -> Stream {
        self.wait(|state| state.streams.last().filter(|_| state.streams.len() >= count).cloned())
    }

    /// Waits until the stream with this number has been left.
    #[track_caller]
    pub(super) fn wait_left(&self, index: usize) {
        self.wait(|state| (!state.streams[index].is_open).then_some(()));
    }

    /// Waits for an answer on any stream.
    #[track_caller]
    pub(super) fn wait_answer(&self, wanted: impl Fn(&Value) -> bool) -> Value {
        self.wait(|state| {
            let mut answers = state.streams.iter().flat_map(|stream| &stream.answers);
            answers.find(|answer| wanted(answer)).cloned()
        })
    }

    fn command(&self, command: Command) {
        let state = self.log.state.lock().unwrap();
        let _ = state.streams.last().unwrap().commands.send(command);
    }

    #[track_caller]
    fn wait<T>(&self, done: impl FnMut(&State) -> Option<T>) -> T {
        wait_until(&self.log.state, &self.log.changed, done)
    }
}

impl Drop for Controller {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Log {
    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let changed = change(&mut self.state.lock().unwrap());
        self.changed.notify_all();
        changed
    }
}

#[derive(Clone)]
struct Serving {
    log: Arc<Log>,
    tls: Arc<ServerConfig>,
}

fn run(listener: TcpListener, stopped: oneshot::Receiver<()>, serving: Serving) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let accepting = async {
        let listener = tokio::net::TcpListener::from_std(listener).unwrap();
        while let Ok((tcp, _)) = listener.accept().await {
            serving.log.change(|state| state.connections += 1);
            let serving = serving.clone();
            // A connection that breaks is what some tests are about.
            spawn_local(async move {
                serving.connection(tcp).await;
            });
        }
    };
    LocalSet::new().block_on(&runtime, async {
        tokio::select! {
            () = accepting => {}
            _ = stopped => {}
        }
    });
}

// === impl Serving ===

impl Serving {
    async fn connection(self, tcp: tokio::net::TcpStream) -> Option<()> {
        tcp.set_nodelay(true).ok()?;
        let tls = TlsAcceptor::from(self.tls.clone()).accept(tcp).await.ok()?;
        let mut connection = h2::server::handshake(tls).await.ok()?;
        loop {
            tokio::select! {
                call = connection.accept() => {
                    let (request, respond) = call?.ok()?;
                    spawn_local(self.clone().call(request, respond));
                }
                () = self.log.frozen.notified() => break,
            }
        }
        // Open, and deaf: even pings are not answered.
        std::future::pending::<()>().await;
        drop(connection);
        None
    }

    async fn call(self, request: Request<RecvStream>, mut respond: SendResponse<Bytes>) {
        let policy = self.log.state.lock().unwrap().policy.clone();
        if let Policy::Refuse(status, retry_after, text) = policy {
            let mut head = Response::new(());
            *head.status_mut() = StatusCode::from_u16(status).unwrap();
            if let Some(value) = retry_after {
                head.headers_mut().insert("retry-after", value.parse().unwrap());
            }
            if let Ok(mut body) = respond.send_response(head, false) {
                let _ = body.send_data(Bytes::from_static(text.as_bytes()), true);
            }
            return self.log.change(|state| state.refused += 1);
        }
        let (commands, mut orders) = mpsc::unbounded_channel();
        let token = request.headers()["authorization"].to_str().unwrap().to_owned();
        let target = format!("{} {}", request.method(), request.uri());
        let (index, bundle) = self.log.change(|state| {
            let answers = Vec::new();
            state.streams.push(Stream { target, token, answers, is_open: true, commands });
            (state.streams.len() - 1, state.bundle.clone())
        });
        spawn_local(self.clone().listen(index, request.into_body()));
        let mut head = Response::new(());
        if let Some(told) = self.log.state.lock().unwrap().authorities.clone() {
            head.headers_mut().insert(push::AUTHORITIES, told);
        }
        let Ok(mut body) = respond.send_response(head, false) else { return };
        let _ = body.send_data(bundle.into(), false);
        loop {
            let order = tokio::select! {
                order = orders.recv() => order,
                _ = poll_fn(|context| body.poll_reset(context)) => None,
            };
            let sent = match order {
                Some(Command::Send(bytes)) => body.send_data(bytes.into(), false).is_ok(),
                Some(Command::End) => {
                    let _ = body.send_data(Bytes::new(), true);
                    false
                }
                Some(Command::Reset) => {
                    body.send_reset(Reason::INTERNAL_ERROR);
                    false
                }
                None => false,
            };
            if !sent {
                return self.log.change(|state| state.streams[index].is_open = false);
            }
        }
    }

    /// Takes down the answers of a stream.
    async fn listen(self, index: usize, mut body: RecvStream) {
        let mut text = Vec::new();
        while let Some(Ok(data)) = body.data().await {
            text.extend_from_slice(&data);
            let _ = body.flow_control().release_capacity(data.len());
            while let Some(end) = text.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = text.drain(..=end).collect();
                let answer = serde_json::from_slice(&line).unwrap();
                self.log.change(|state| state.streams[index].answers.push(answer));
            }
        }
        self.log.change(|state| state.streams[index].is_open = false);
    }
}
