//! A fixed rate: calls begin at their times, whether or not those before are answered.
//!
//! Plain threads, since an async timer ticks in milliseconds. A call's clock runs from when it was
//! sent; where its connection was still busy, from when it should have been: a peer that stalls
//! is charged for the calls that had to wait.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};

use super::{Load, Reading, Seen, left, micros};

/// Connections that share the calls.
const CONNECTIONS: u32 = 32;

/// Loads with this many calls a second. `edge` is called as the window begins and as it ends.
pub(crate) fn rate(
    load: &Load,
    calls_a_second: u32,
    mut edge: impl FnMut() -> anyhow::Result<()>,
) -> anyhow::Result<Seen> {
    let connect = |_| Caller::connect(load);
    let callers = (0..CONNECTIONS).map(connect).collect::<anyhow::Result<Vec<_>>>()?;
    let start = Instant::now() + Duration::from_millis(50);
    let opens = start + load.warm_up;
    let closes = opens + load.window;
    let every = Duration::from_secs(1) * CONNECTIONS / calls_a_second;
    let callers = callers.into_iter().zip(0..).map(|(caller, number)| {
        let first = start + every * number / CONNECTIONS;
        caller.start(Times { first, every, opens, closes })
    });
    let callers = callers.collect();
    thread::sleep(opens.saturating_duration_since(Instant::now()));
    edge()?;
    thread::sleep(closes.saturating_duration_since(Instant::now()));
    edge()?;
    gather(callers)
}

type Ended = std::io::Result<Vec<u32>>;

fn gather(callers: Vec<JoinHandle<Ended>>) -> anyhow::Result<Seen> {
    let mut latencies = Vec::new();
    for caller in callers {
        let seen = caller.join().map_err(|_| anyhow!("a caller panicked"))?;
        latencies.extend(seen.context("a call failed")?);
    }
    latencies.sort_unstable();
    Ok(Seen { calls: latencies.len() as f64, latencies })
}

/// When a caller's calls are due, and which of them count.
#[derive(Debug, Clone, Copy)]
struct Times {
    first: Instant,
    every: Duration,
    opens: Instant,
    closes: Instant,
}

struct Caller {
    stream: TcpStream,
    request: Arc<[u8]>,
    buffer: Vec<u8>,
    reading: Reading,
}

// === impl Caller ===

impl Caller {
    /// Makes the first call too, for which the peer opens a connection upstream.
    fn connect(load: &Load) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(load.address).context("connecting to the peer")?;
        stream.set_nodelay(true)?;
        let (buffer, reading) = (vec![0; 16 << 10], Reading::default());
        let mut caller = Self { stream, request: Arc::clone(&load.request), buffer, reading };
        caller.call().context("the first call")?;
        Ok(caller)
    }

    fn start(mut self, times: Times) -> JoinHandle<Ended> {
        thread::spawn(move || self.run(times))
    }

    fn run(&mut self, times: Times) -> Ended {
        let mut latencies = Vec::new();
        let mut due = times.first;
        while due < times.closes {
            let late = Instant::now() >= due;
            thread::sleep(due.saturating_duration_since(Instant::now()));
            let began = if late { due } else { Instant::now() };
            self.call()?;
            if due >= times.opens {
                latencies.push(micros(began.elapsed()));
            }
            due += times.every;
        }
        Ok(latencies)
    }

    fn call(&mut self) -> std::io::Result<()> {
        self.stream.write_all(&self.request)?;
        loop {
            let read = self.stream.read(&mut self.buffer)?;
            if read == 0 {
                return Err(left());
            }
            if self.reading.take(&self.buffer[..read])? {
                self.reading.next();
                return Ok(());
            }
        }
    }
}
