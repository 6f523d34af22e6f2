//! A closed loop: each connection sends its next call when the last one is answered.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::runtime::Builder;
use tokio::task::{JoinSet, LocalSet};

use super::{Load, Reading, Seen, left, micros};

/// Loads with this many connections. `edge` is called as the window begins and as it ends.
pub(crate) fn closed(
    load: &Load,
    connections: usize,
    edge: impl FnMut() -> anyhow::Result<()>,
) -> anyhow::Result<Seen> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    LocalSet::new().block_on(&runtime, run(load, connections, edge))
}

/// How long the first calls may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// What all connections count together.
#[derive(Default)]
struct Books {
    bytes: Cell<usize>,
    /// Of the answer that ended last: all are of one size, within a few bytes of header.
    answer: Cell<usize>,
    /// Callers that have had an answer.
    warm: Cell<usize>,
    counting: Cell<bool>,
    latencies: RefCell<Vec<u32>>,
}

async fn run(
    load: &Load,
    connections: usize,
    mut edge: impl FnMut() -> anyhow::Result<()>,
) -> anyhow::Result<Seen> {
    let books = Rc::new(Books::default());
    let mut callers = JoinSet::new();
    for _ in 0..connections {
        let stream = TcpStream::connect(load.address).await.context("connecting to the peer")?;
        stream.set_nodelay(true)?;
        callers.spawn_local(caller(stream, load.clone(), Rc::clone(&books)));
    }
    let window = async {
        // Upstream connections, and TLS on them, are made while the first calls are answered.
        let began = Instant::now();
        while books.warm.get() < connections {
            ensure!(began.elapsed() < PATIENCE, "the first calls are not answered");
            tokio::time::sleep(load.warm_up / 10).await;
        }
        tokio::time::sleep(load.warm_up).await;
        edge()?;
        let before = books.bytes.get();
        books.counting.set(true);
        tokio::time::sleep(load.window).await;
        edge()?;
        books.counting.set(false);
        Ok::<_, anyhow::Error>(books.bytes.get() - before)
    };
    let bytes = tokio::select! {
        bytes = window => bytes?,
        ended = callers.join_next() => return Err(why(ended)),
    };
    let mut latencies = books.latencies.take();
    latencies.sort_unstable();
    // By bytes, not by ended calls: a window may hold only a few long streams of each caller.
    let calls = bytes as f64 / books.answer.get().max(1) as f64;
    Ok(Seen { calls, latencies })
}

/// A caller ends by failing only.
fn why(ended: Option<Result<std::io::Result<()>, tokio::task::JoinError>>) -> anyhow::Error {
    match ended {
        Some(Ok(Err(error))) => anyhow!(error).context("a call failed"),
        _ => anyhow!("a caller ended"),
    }
}

async fn caller(mut stream: TcpStream, load: Load, books: Rc<Books>) -> std::io::Result<()> {
    let mut buffer = vec![0; 16 << 10];
    let mut reading = Reading::default();
    let mut answers = 0;
    loop {
        let began = Instant::now();
        stream.write_all(&load.request).await?;
        loop {
            let read = stream.read(&mut buffer).await?;
            if read == 0 {
                return Err(left());
            }
            books.bytes.set(books.bytes.get() + read);
            if reading.take(&buffer[..read])? {
                break;
            }
        }
        books.answer.set(reading.next());
        answers += 1;
        if answers == 1 {
            books.warm.set(books.warm.get() + 1);
        }
        if books.counting.get() {
            books.latencies.borrow_mut().push(micros(began.elapsed()));
        }
    }
}
