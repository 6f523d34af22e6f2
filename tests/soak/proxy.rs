//! The Pillion under test: the binary as a process, its access log, its admin pages, its memory.

use std::fs;
use std::io::{self, BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::wire::Wire;

/// It is up by then.
const GUARD: Duration = Duration::from_secs(20);

/// The process; killed when dropped.
pub(crate) struct Proxy {
    child: Child,
    pub(crate) address: SocketAddr,
    pub(crate) admin: Admin,
    /// The lines of the access log.
    pub(crate) lines: UnboundedReceiver<String>,
    /// What it said on standard error, all of it once it has ended.
    said: thread::JoinHandle<Vec<String>>,
}

/// The admin pages, and the folder that is watched.
#[derive(Debug, Clone)]
pub(crate) struct Admin {
    address: SocketAddr,
    pub(crate) folder: PathBuf,
}

impl Proxy {
    pub(crate) fn start(folder: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_pillion"))
            .env_clear()
            .arg("proxy")
            .arg("--manifests")
            .arg(folder)
            .args(["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--workers", "2"])
            .args(["--leave-delay", "0s", "--grace", "5s"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (sender, lines) = unbounded_channel();
        let log = BufReader::new(child.stdout.take().unwrap());
        thread::spawn(move || log.lines().map_while(Result::ok).try_for_each(|l| sender.send(l)));
        let (listening, told) = mpsc::channel();
        let errors = BufReader::new(child.stderr.take().unwrap());
        let said = thread::spawn(move || {
            let lines = errors.lines().map_while(Result::ok);
            let heard = lines.inspect(|line| {
                let line: Value = serde_json::from_str(line).unwrap_or_default();
                if line["message"] == "listening" {
                    let _ = listening.send(line);
                }
            });
            // Each failed call may be told: only what is worse is kept.
            heard.filter(|line| is_news(line)).collect()
        });
        let told = told.recv_timeout(GUARD).unwrap();
        let port = |name: &str| told[name].as_str().unwrap().parse().unwrap();
        let admin = Admin { address: port("admin"), folder: folder.to_owned() };
        Self { address: port("proxy"), admin, lines, child, said }
    }

    /// Resident memory, in bytes.
    pub(crate) fn resident(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()));
        let status = status.unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
        kilobytes.unwrap_or_default() << 10
    }

    /// Open descriptors.
    pub(crate) fn descriptors(&self) -> usize {
        fs::read_dir(format!("/proc/{}/fd", self.child.id())).map_or(0, Iterator::count)
    }

    /// Ends it by SIGTERM; gives what it said.
    pub(crate) fn end(mut self) -> (bool, Vec<String>) {
        let pid = self.child.id().to_string();
        let _ = Command::new("kill").args(["-TERM", &pid]).status();
        let ended = self.child.wait().is_ok_and(|status| status.success());
        let said = std::mem::replace(&mut self.said, thread::spawn(Vec::new));
        (ended, said.join().unwrap())
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // It may have ended already, which is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

// === impl Admin ===

impl Admin {
    pub(crate) async fn page(&self, path: &str) -> io::Result<String> {
        let mut wire = Wire::connect(self.address).await?;
        wire.write(format!("GET {path} HTTP/1.1\r\nhost: soak\r\nconnection: close\r\n\r\n"))
            .await?;
        let head = wire.head().await?.ok_or(io::ErrorKind::UnexpectedEof)?;
        let body = wire.rest(head.body()).await?;
        Ok(String::from_utf8_lossy(&body).into_owned())
    }
}

/// The sum of the series of this name that have all these labels.
pub(crate) fn sum(page: &str, name: &str, labels: &[(&str, &str)]) -> f64 {
    let series = page.lines().filter_map(|line| line.rsplit_once(' ')).filter(|(series, _)| {
        let rest = series.strip_prefix(name);
        let named = rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('{'));
        named && labels.iter().all(|(k, v)| series.contains(&format!("{k}=\"{v}\"")))
    });
    series.filter_map(|(_, value)| value.parse::<f64>().ok()).sum()
}

/// Is it more than the soak's own doing?
fn is_news(line: &str) -> bool {
    let parsed: Value = serde_json::from_str(line).unwrap_or_default();
    let level = parsed["level"].as_str().unwrap_or("ERROR");
    let scripted = parsed["target"] == "pillion::cli::reload";
    matches!(level, "ERROR" | "WARN") && !scripted
}
