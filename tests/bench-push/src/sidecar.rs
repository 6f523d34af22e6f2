//! A lean sidecar: the real protocol, with the real one's windows, pings and pauses; a bundle is
//! read for its version and edition only, and acknowledged.

use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use anyhow::{Context, ensure};
use bytes::Bytes;
use h2::{Ping, PingPong, RecvStream, SendStream};
use http::{Request, StatusCode};
use rustls_pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::task::spawn_local;
use tokio::time::{Instant, sleep};

use crate::fleet::Fleet;

const WINDOW: u32 = 256 << 10;
const PING_INTERVAL: Duration = Duration::from_secs(5);
/// The pause before the next try: at most this, as in `feed::subscription::pace`.
const PAUSE: Duration = Duration::from_millis(50);

/// Follows for as long as it is polled.
pub(crate) async fn follow(fleet: Rc<Fleet>, number: usize, token: String) {
    loop {
        match session(&fleet, number, &token).await {
            Ok(()) => {}
            Err(error) => fleet.complain(&error),
        }
        fleet.left(number);
        sleep(PAUSE.mul_f64(fastrand::f64())).await;
    }
}

/// One stream, to its clean end.
async fn session(fleet: &Fleet, number: usize, token: &str) -> anyhow::Result<()> {
    let address = fleet.any_address();
    let (mut body, mut answers) = open(fleet, address, token).await?;
    fleet.joined(number);
    let mut line = Vec::new();
    while let Some(data) = body.data().await {
        let data = data?;
        body.flow_control().release_capacity(data.len())?;
        line.extend_from_slice(&data);
        while let Some(end) = memchr::memchr(b'\n', &line) {
            let at = Instant::now();
            let bundle: Vec<u8> = line.drain(..=end).collect();
            fleet.take(number, edition(&bundle), at);
            answers.send_data(applied(&bundle).context("a bundle without version")?, false)?;
        }
    }
    Ok(())
}

async fn open(
    fleet: &Fleet,
    address: SocketAddr,
    token: &str,
) -> anyhow::Result<(RecvStream, SendStream<Bytes>)> {
    let tcp = TcpStream::connect(address).await?;
    tcp.set_nodelay(true)?;
    let tls = fleet.tls.connect(ServerName::from(address.ip()), tcp).await?;
    let mut builder = h2::client::Builder::new();
    builder.initial_window_size(WINDOW).initial_connection_window_size(WINDOW);
    let (sender, mut connection) = builder.handshake(tls).await?;
    if let Some(pings) = connection.ping_pong() {
        drop(spawn_local(ping(pings)));
    }
    drop(spawn_local(async move { drop(connection.await) }));
    let request = Request::post(format!("https://{address}/v1/bundles"))
        .header("authorization", format!("Bearer {token}"))
        .body(())?;
    let (response, answers) = sender.ready().await?.send_request(request, false)?;
    let response = response.await?;
    ensure!(response.status() == StatusCode::OK, "refused: {}", response.status());
    Ok((response.into_body(), answers))
}

async fn ping(mut pings: PingPong) {
    loop {
        sleep(PING_INTERVAL).await;
        if pings.ping(Ping::opaque()).await.is_err() {
            return;
        }
    }
}

/// The number in `edition-NUMBER`; none where the bundle does not have the route.
pub(crate) fn edition(text: &[u8]) -> Option<u64> {
    let rest = after(text, b"edition-")?;
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit());
    Some(digits.fold(0, |number, digit| number * 10 + u64::from(digit - b'0')))
}

fn applied(bundle: &[u8]) -> Option<Bytes> {
    let version = after(bundle, b"\"version\":\"")?;
    let version = std::str::from_utf8(&version[..memchr::memchr(b'"', version)?]).ok()?;
    Some(Bytes::from(format!("{{\"type\":\"applied\",\"version\":\"{version}\"}}\n")))
}

fn after<'t>(text: &'t [u8], before: &[u8]) -> Option<&'t [u8]> {
    let at = memchr::memmem::find(text, before)?;
    Some(&text[at + before.len()..])
}
