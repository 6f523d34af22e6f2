//! A connection, from its first byte to its last.
//!
//! What bounds it: [`Limits`](super::Limits) before it is known whose it is; then one stream, a
//! header list and windows of a few KiB, `h2`'s own bounds against floods (at most 20 streams reset
//! before they were served, 100 empty DATA frames, a budget for small ones; no further PING or
//! SETTINGS is read before the answer to the last was written), a PING of ours that must be
//! answered, and a write that must not stand still.

use std::net::IpAddr;
use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, sleep, timeout_at};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::Door;
use super::admission::answer;
use super::metrics::OneMore;
use super::presence::{Caller, Presence};
use super::strangers::Strangers;
use crate::net::accept::{self, Capacity};
use crate::net::client_io::ClientIo;
use crate::net::drain::{Drain, Stage};
use crate::net::task::LocalExecutor;

/// A sidecar that is gone is noticed after this and [`PING_TIMEOUT`].
const PING_INTERVAL: Duration = Duration::from_secs(20);
/// How long it may take to answer one.
const PING_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a write may stand still.
const WRITE_IDLE: Duration = Duration::from_secs(30);
/// What it takes to write the last words.
const LINGER: Duration = Duration::from_secs(5);
/// A token of 8 KiB, and a few headers beside it.
const MAX_HEADER_BYTES: u32 = 16 << 10;
/// Answers are short.
const WINDOW: u32 = 64 << 10;

type Io = TlsStream<ClientIo>;

/// What a connection needs.
struct House {
    door: Rc<Door>,
    strangers: Strangers,
}

/// Serves sidecars until the drain is over: all streams end over the limits' `spread`, those that
/// are left are cut with [`Stage::Cut`].
pub async fn serve(listener: TcpListener, door: Door, drain: Drain) {
    let capacity = Capacity { connections: door.limits.connections, reserved: 0 };
    let strangers = Strangers::new(door.limits);
    let house = Rc::new(House { door: Rc::new(door), strangers });
    accept::run(listener, capacity, drain.clone(), move |stream| {
        let (house, mut cut) = (Rc::clone(&house), drain.clone());
        let drain = drain.clone();
        async move {
            let _open = OneMore::of(&house.door.metrics.connections);
            tokio::select! {
                () = connection(stream, &house, drain) => {}
                () = cut.reached(Stage::Cut) => {}
            }
        }
    })
    .await;
}

async fn connection(stream: TcpStream, house: &House, mut drain: Drain) {
    let Ok(address) = stream.peer_addr() else { return };
    let introduced = tokio::select! {
        introduced = introduce(stream, address.ip().to_canonical(), house) => introduced,
        () = drain.reached(Stage::Draining) => return,
    };
    match introduced {
        Ok((io, presence, by)) => speak(io, presence, by, &house.door, drain).await,
        Err(missing) => {
            house.door.metrics.unintroduced.with_label_values(&[missing]).inc();
        }
    }
}

/// Waits for a turn and shakes hands; or says what was missing.
async fn introduce(
    stream: TcpStream,
    address: IpAddr,
    house: &House,
) -> Result<(Io, Rc<Presence>, Instant), &'static str> {
    let stranger = house.strangers.turn(address).await.ok_or("turn")?;
    let by = Instant::now() + house.door.limits.introduction;
    let acceptor = TlsAcceptor::from(house.door.tls.clone());
    let shaken = timeout_at(by, acceptor.accept(ClientIo::new(stream, WRITE_IDLE))).await;
    let io = shaken.map_err(|_| "handshake_in_time")?.map_err(|_| "handshake")?;
    // Who does not speak ALPN is not told so by rustls.
    if io.get_ref().1.alpn_protocol() != Some(b"h2") {
        return Err("http2");
    }
    let caller = caller(&io);
    Ok((io, Rc::new(Presence::of(stranger, caller)), by))
}

/// Whoever shows a certificate other than the replicas' own has not come so far.
fn caller(io: &Io) -> Caller {
    match io.get_ref().1.peer_certificates() {
        Some([_, ..]) => Caller::Replica,
        Some([]) | None => Caller::Anybody,
    }
}

async fn speak(io: Io, presence: Rc<Presence>, by: Instant, door: &Rc<Door>, mut drain: Drain) {
    let service = {
        let (door, presence, drain) = (Rc::clone(door), Rc::clone(&presence), drain.clone());
        service_fn(move |request: Request<Incoming>| {
            answer(request, Rc::clone(&door), Rc::clone(&presence), drain.clone())
        })
    };
    let mut connection = pin!(builder().serve_connection(TokioIo::new(io), service));
    tokio::select! {
        // A peer that breaks off or the rules has had its answer, if there is one.
        _ = connection.as_mut() => return,
        () = presence.over(by) => {}
        () = drain.reached(Stage::Draining) => {}
    }
    connection.as_mut().graceful_shutdown();
    let late = async {
        presence.over(by).await;
        sleep(LINGER).await;
    };
    tokio::select! {
        _ = connection => {}
        () = late => {}
    }
}

fn builder() -> http2::Builder<LocalExecutor> {
    let mut builder = http2::Builder::new(LocalExecutor);
    builder
        .timer(TokioTimer::new())
        .max_concurrent_streams(1)
        .max_header_list_size(MAX_HEADER_BYTES)
        .initial_stream_window_size(WINDOW)
        .initial_connection_window_size(WINDOW)
        .keep_alive_interval(PING_INTERVAL)
        .keep_alive_timeout(PING_TIMEOUT);
    builder
}
