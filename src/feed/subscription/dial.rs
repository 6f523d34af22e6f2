//! A TLS connection to a controller: whoever has the name now, believed by whom we trust now.

use std::error::Error;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls_pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::trouble::Trouble;
use super::{Address, Settings};
use crate::telemetry::causes;

/// An address that does not answer within this time is passed over.
const ATTEMPT: Duration = Duration::from_secs(2);
/// The handshake's time.
const HANDSHAKE: Duration = Duration::from_secs(5);
/// More addresses than this are not tried in one go.
const MOST_ADDRESSES: usize = 8;

/// Connects.
pub(super) async fn dial(settings: &Settings) -> Result<TlsStream<TcpStream>, Trouble> {
    let trust = &settings.trust;
    let path = || trust.file().to_owned();
    let config = trust.config().map_err(|source| Trouble::Ca { path: path(), source })?;
    let address = &settings.controller;
    let connected = connect(address, TlsConnector::from(Arc::new(config))).await;
    connected.map_err(|error| unreachable(address, &error))
}

/// The trouble of an error on the way.
pub(super) fn unreachable(address: &Address, error: &(dyn Error + 'static)) -> Trouble {
    Trouble::Unreachable { address: address.to_string(), why: chain(error) }
}

/// An error with its causes.
pub(super) fn chain(error: &(dyn Error + 'static)) -> String {
    let mut texts: Vec<String> = causes(error).map(ToString::to_string).collect();
    // Some errors repeat their source.
    texts.dedup();
    texts.join(": ")
}

/// What a file of at most `limit` bytes holds.
pub(super) fn small_file(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    // These are small files in memory-backed volumes: reading them here blocks for microseconds,
    // and a thread for it would outlive it.
    if std::fs::metadata(path)?.len() > limit {
        return Err(io::Error::new(ErrorKind::FileTooLarge, "the file is too large"));
    }
    std::fs::read(path)
}

async fn connect(address: &Address, tls: TlsConnector) -> io::Result<TlsStream<TcpStream>> {
    let name = ServerName::try_from(address.host.clone()).map_err(io::Error::other)?;
    let tcp = first_of(resolve(address).await?).await?;
    // Answers are small, and their reader waits for them.
    let _ = tcp.set_nodelay(true);
    let stream = in_time(HANDSHAKE, tls.connect(name, tcp)).await?;
    match stream.get_ref().1.alpn_protocol() {
        Some(b"h2") => Ok(stream),
        _ => Err(io::Error::other("it does not speak HTTP/2")),
    }
}

/// Every address of the name, in no order, so that sidecars spread over replicas.
async fn resolve(address: &Address) -> io::Result<Vec<SocketAddr>> {
    let found = tokio::net::lookup_host((address.host.as_str(), address.port)).await?;
    let mut addresses: Vec<SocketAddr> = found.collect();
    fastrand::shuffle(&mut addresses);
    addresses.truncate(MOST_ADDRESSES);
    Ok(addresses)
}

async fn first_of(addresses: Vec<SocketAddr>) -> io::Result<TcpStream> {
    let mut last = io::Error::new(ErrorKind::NotFound, "the name has no address");
    for address in addresses {
        match in_time(ATTEMPT, TcpStream::connect(address)).await {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}

async fn in_time<T>(
    limit: Duration,
    attempt: impl Future<Output = io::Result<T>>,
) -> io::Result<T> {
    timeout(limit, attempt).await.unwrap_or_else(|_| Err(ErrorKind::TimedOut.into()))
}
