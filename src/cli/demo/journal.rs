//! The proxy's access log, written to a file and read along: what the demo says of a call, it has
//! from here.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context, bail};
use serde::Deserialize;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::timeout;

use crate::telemetry::LineSink;

/// A line is written when its call has ended and is flushed soon after; this only ends a hang.
const PATIENCE: Duration = Duration::from_secs(10);

/// What the log says of a call.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Entry {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) route: Option<String>,
    pub(super) rule: Option<String>,
    pub(super) provider: Option<String>,
    pub(super) account: Option<String>,
    pub(super) model: Option<String>,
    pub(super) model_sent: Option<String>,
    pub(super) status: u16,
    pub(super) outcome: String,
    pub(super) request_id: Option<String>,
    pub(super) duration_ms: f64,
    pub(super) first_byte_ms: Option<f64>,
    pub(super) first_token_ms: Option<f64>,
    pub(super) input_tokens: Option<u64>,
    pub(super) output_tokens: Option<u64>,
    pub(super) cache_read_tokens: Option<u64>,
}

/// The reading end.
pub(super) struct Journal {
    lines: UnboundedReceiver<Entry>,
    early: VecDeque<Entry>,
}

/// Starts the log: a sink for the proxy, its thread, and the reading end.
pub(super) fn start(path: &Path) -> anyhow::Result<(LineSink, JoinHandle<()>, Journal)> {
    let file = File::create(path).context("cannot make the access log")?;
    let (sender, lines) = unbounded_channel();
    let (sink, thread) = LineSink::start(Tee { file, sender })?;
    let early = VecDeque::new();
    Ok((sink, thread, Journal { lines, early }))
}

impl Journal {
    /// The entry of the call with this request id; of one that never reached a provider, without.
    pub(super) async fn entry(&mut self, request_id: Option<&str>) -> anyhow::Result<Entry> {
        let is_it = |entry: &Entry| entry.request_id.as_deref() == request_id;
        if let Some(at) = self.early.iter().position(is_it) {
            return self.early.remove(at).context("it was there");
        }
        loop {
            let entry = timeout(PATIENCE, self.next()).await;
            match entry.context("the access log does not tell of a call")? {
                Some(entry) if is_it(&entry) => return Ok(entry),
                Some(entry) => self.early.push_back(entry),
                None => bail!("the access log has ended"),
            }
        }
    }

    /// The next entry that is written.
    pub(super) async fn next(&mut self) -> Option<Entry> {
        self.lines.recv().await
    }
}

/// Writes to the file, and hands each line on.
struct Tee {
    file: File,
    sender: UnboundedSender<Entry>,
}

impl Write for Tee {
    /// Takes all of it: the sink writes whole lines at a time.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write_all(bytes)?;
        let lines = bytes.split(|byte| *byte == b'\n');
        for entry in lines.filter_map(|line| serde_json::from_slice(line).ok()) {
            // Nobody reads any more when the demo ends.
            let _ = self.sender.send(entry);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
