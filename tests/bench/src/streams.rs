//! Many streams open at once, for what one of them takes of a peer's memory.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::runtime::Builder;
use tokio::task::{JoinSet, LocalSet};

use crate::dialect::Pair;
use crate::request::{self, Shape};

/// How often an event comes on each stream: often enough that buffers are touched again.
const GAP: Duration = Duration::from_millis(1500);
/// From the last stream's first event to the look at the memory.
const SETTLE: Duration = Duration::from_secs(3);

/// Opens `count` streams, lets events flow on all of them, and looks with `look`.
pub(crate) fn open(
    address: SocketAddr,
    count: usize,
    look: impl FnOnce() -> anyhow::Result<u64>,
) -> anyhow::Result<u64> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    LocalSet::new().block_on(&runtime, run(address, count, look))
}

async fn run(
    address: SocketAddr,
    count: usize,
    look: impl FnOnce() -> anyhow::Result<u64>,
) -> anyhow::Result<u64> {
    let request = request::bytes(Pair::Same, Shape::Streamed(GAP), 1 << 10);
    let mut readers = JoinSet::new();
    for number in 0..count {
        let mut stream = TcpStream::connect(address).await?;
        stream.write_all(&request).await?;
        let mut first = [0; 1 << 10];
        let read = stream.read(&mut first).await?;
        ensure!(first[..read].starts_with(b"HTTP/1.1 200"), "stream {number} was refused");
        readers.spawn_local(read_on(stream));
    }
    tokio::time::sleep(SETTLE).await;
    ensure!(readers.try_join_next().is_none(), "a stream ended too early");
    look().context("memory with open streams")
}

async fn read_on(mut stream: TcpStream) {
    let mut buffer = [0; 2 << 10];
    while matches!(stream.read(&mut buffer).await, Ok(read) if read > 0) {}
}
