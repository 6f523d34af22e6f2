//! Logs: the process log (tracing, JSON lines on standard error) and a line sink for the access log
//! (standard output), which never blocks a worker.
//!
//! Knows no domain; what a line says is its writer's business.

mod causes;
mod json_line;
mod stamp;

use std::cell::RefCell;
use std::io::{self, Write};
use std::rc::Rc;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::Notify;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

pub use causes::causes;
pub use json_line::{JsonLine, Members};
use stamp::Stamp;

/// Lines wait this long for company, so that a busy worker pays one wake-up for many.
const LINGER: Duration = Duration::from_millis(100);
/// A buffer of this size goes at once.
const FLUSH_BYTES: usize = 16 << 10;
/// So many buffers may wait for a slow reader of standard output; further lines are dropped.
const QUEUE: usize = 64;

/// The end of the line, shared by all workers.
#[derive(Debug, Clone)]
pub struct LineSink(SyncSender<Block>);

/// A worker's own buffer of lines.
#[derive(Debug)]
pub struct Lines {
    sink: LineSink,
    buffer: RefCell<Vec<u8>>,
    stamp: RefCell<Stamp>,
    filled: Notify,
}

/// Did a line find room?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// It is on its way.
    Kept,
    /// So many lines were dropped because nobody reads.
    Dropped(u64),
}

#[derive(Debug)]
struct Block {
    bytes: Vec<u8>,
}

/// Sets up the process log. `filter` is a level, or a list of levels by module such as
/// `info,pillion::feed=debug`. Filters by span or field would bring two regex engines along.
///
/// # Errors
/// When the filter cannot be read, or a log is already set up.
pub fn start_log(filter: &str) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let filter: Targets = filter.parse()?;
    let lines = tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_writer(io::stderr)
        .with_current_span(false)
        .with_span_list(false);
    Ok(tracing_subscriber::registry().with(filter).with(lines).try_init()?)
}

/// The date and time now, for what carries dates to people: objects' conditions, leases.
pub fn timestamp() -> Timestamp {
    Timestamp::now()
}

/// Seconds since 1970, for gauges.
pub fn unix_seconds() -> f64 {
    Timestamp::now().as_duration().as_secs_f64()
}

// === impl LineSink ===

impl LineSink {
    /// Starts the thread that writes to `out`; it ends when every sink is gone.
    ///
    /// # Errors
    /// When the thread cannot be started.
    pub fn start(
        out: impl Write + Send + 'static,
    ) -> io::Result<(Self, std::thread::JoinHandle<()>)> {
        let (sender, receiver) = sync_channel(QUEUE);
        let thread = std::thread::Builder::new()
            .name("access-log".to_owned())
            .spawn(move || write_all(&receiver, out))?;
        Ok((Self(sender), thread))
    }

    /// A worker's buffer.
    pub fn lines(&self) -> Rc<Lines> {
        let (buffer, stamp) = (RefCell::default(), RefCell::default());
        Rc::new(Lines { sink: self.clone(), buffer, stamp, filled: Notify::new() })
    }
}

fn write_all(receiver: &Receiver<Block>, mut out: impl Write) {
    while let Ok(block) = receiver.recv() {
        // A closed standard output is the reader's choice; calls go on.
        let _ = out.write_all(&block.bytes).and_then(|()| out.flush());
    }
}

// === impl Lines ===

impl Lines {
    /// Appends what `write` writes, as one line; it is told the date and time.
    pub fn line(&self, write: impl FnOnce(&mut Vec<u8>, &str)) -> Written {
        let mut buffer = self.buffer.borrow_mut();
        let was_empty = buffer.is_empty();
        write(&mut buffer, self.stamp.borrow_mut().at(Timestamp::now()));
        buffer.push(b'\n');
        if buffer.len() >= FLUSH_BYTES {
            // The next one will be as long: it need not grow step by step.
            let next = Vec::with_capacity(buffer.len());
            return self.sink.send(std::mem::replace(&mut *buffer, next));
        }
        if was_empty {
            self.filled.notify_one();
        }
        Written::Kept
    }

    /// Sends what has gathered.
    pub fn flush(&self) -> Written {
        match std::mem::take(&mut *self.buffer.borrow_mut()) {
            empty if empty.is_empty() => Written::Kept,
            bytes => self.sink.send(bytes),
        }
    }

    /// Flushes a little after the first line of each batch, for as long as the worker runs;
    /// `dropped` hears of lines that found no room.
    pub async fn keep_flushing(self: Rc<Self>, dropped: impl Fn(u64)) {
        loop {
            self.filled.notified().await;
            tokio::time::sleep(LINGER).await;
            if let Written::Dropped(count) = self.flush() {
                dropped(count);
            }
        }
    }
}

impl LineSink {
    fn send(&self, bytes: Vec<u8>) -> Written {
        match self.0.try_send(Block { bytes }) {
            Ok(()) => Written::Kept,
            Err(TrySendError::Full(block) | TrySendError::Disconnected(block)) => {
                let newlines = memchr::memchr_iter(b'\n', &block.bytes).count();
                Written::Dropped(newlines as u64)
            }
        }
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        self.flush();
    }
}
