//! A real Pillion: the binary, as a process of its own, fed from a folder that the test may edit.
//!
//! Everything that comes out of it (logs, metrics, the table dump, each byte of each answer) is
//! kept, and searched for [`CANARY`] when the process ends: every test is also a test that no key
//! comes out, provided that the keys of its manifests carry the canary.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use base64::Engine;
use serde_json::Value;

use super::GUARD;
use super::client::Client;
use super::gate::wait_until;
use super::manifests::Manifests;
use super::wire::Transcript;

/// Part of every key that a test writes into its manifests. It must reach the provider only.
pub(crate) const CANARY: &str = "c4n4ry7Q2xV9";

/// A running proxy. Dropping it ends the process (SIGTERM, then by force) and makes the search.
pub(crate) struct Proxy {
    /// The folder that it watches.
    pub(crate) manifests: Manifests,
    process: Process,
    address: SocketAddr,
    admin: SocketAddr,
    answers: Transcript,
}

/// How to start one.
#[derive(Clone)]
pub(crate) struct Launch {
    flags: BTreeMap<String, String>,
    environment: BTreeMap<String, String>,
    under: Vec<String>,
    first: First,
    controller: Option<SocketAddr>,
}

/// What [`Launch::start`] waits for beside the ports.
#[derive(Clone, Copy)]
enum First {
    Ready,
    Nothing,
}

/// A process of ours, and what it says.
pub(crate) struct Process {
    pub(crate) child: Child,
    pub(crate) stdout: Lines,
    pub(crate) stderr: Lines,
    readers: Vec<JoinHandle<()>>,
}

/// The lines of one output so far.
#[derive(Clone, Default)]
pub(crate) struct Lines(Arc<(Mutex<Vec<String>>, Condvar)>);

// === impl Launch ===

impl Launch {
    /// Ports on loopback, one worker, no delay before the drain, a grace of two seconds, a clean environment.
    pub(crate) fn new() -> Self {
        let launch = Self {
            flags: BTreeMap::new(),
            environment: BTreeMap::new(),
            under: Vec::new(),
            first: First::Ready,
            controller: None,
        };
        launch
            .flag("--listen", "127.0.0.1:0")
            .flag("--admin", "127.0.0.1:0")
            .flag("--workers", "1")
            .flag("--leave-delay", "0s")
            .flag("--grace", "2s")
    }

    /// Sets a flag; of the same name twice the later one counts.
    pub(crate) fn flag(mut self, name: &str, value: &str) -> Self {
        self.flags.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Sets an environment variable.
    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Starts it by another command, which must become it (`exec "$@"`).
    pub(crate) fn under(mut self, command: &[&str]) -> Self {
        self.under = command.iter().map(|word| (*word).to_owned()).collect();
        self
    }

    /// Does not wait for `/readyz`.
    pub(crate) fn without_waiting(mut self) -> Self {
        self.first = First::Nothing;
        self
    }

    /// Fed by a controller; its CA and the token are files of the folder, `ca.crt` and `token`.
    pub(crate) fn subscribed(mut self, controller: SocketAddr) -> Self {
        self.controller = Some(controller);
        self
    }

    /// Starts a proxy from one file of manifests.
    #[track_caller]
    pub(crate) fn start(self, yaml: &str) -> Proxy {
        let manifests = Manifests::new();
        manifests.write("all.yaml", yaml);
        self.start_from(manifests)
    }

    /// Starts a proxy from a folder.
    #[track_caller]
    pub(crate) fn start_from(self, manifests: Manifests) -> Proxy {
        let process = Process::start(self.command(&manifests));
        let listening = process.wait_log(|line| line["message"] == "listening");
        let port = |name: &str| listening[name].as_str().unwrap().parse().unwrap();
        let proxy = Proxy {
            address: port("proxy"),
            admin: port("admin"),
            manifests,
            process,
            answers: Transcript::default(),
        };
        match self.first {
            First::Ready => proxy.wait_ready(),
            First::Nothing => {}
        }
        proxy
    }

    fn command(&self, manifests: &Manifests) -> Command {
        let own = env!("CARGO_BIN_EXE_pillion");
        let mut words = self.under.iter().map(String::as_str).chain([own]);
        let mut command = Command::new(words.next().unwrap_or(own));
        command
            .args(words)
            .env_clear()
            .envs(&self.environment)
            .arg("proxy")
            .args(self.feed(manifests))
            .args(self.flags.iter().flat_map(|(name, value)| [name, value]))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }
}

impl Launch {
    fn feed(&self, manifests: &Manifests) -> Vec<OsString> {
        let folder = manifests.path();
        match self.controller {
            None => vec!["--manifests".into(), folder.into()],
            Some(address) => vec![
                "--controller".into(),
                address.to_string().into(),
                "--controller-ca".into(),
                folder.join("ca.crt").into(),
                "--token".into(),
                folder.join("token").into(),
            ],
        }
    }
}

// === impl Proxy ===

impl Proxy {
    /// A proxy from one file of manifests, started as [`Launch::new`] says.
    #[track_caller]
    pub(crate) fn start(yaml: &str) -> Self {
        Launch::new().start(yaml)
    }

    /// Where callers connect.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where the admin pages are.
    pub(crate) fn admin(&self) -> SocketAddr {
        self.admin
    }

    /// The id of the process.
    pub(crate) fn pid(&self) -> u32 {
        self.process.child.id()
    }

    /// A new connection; what is answered on it is searched too.
    pub(crate) fn client(&self) -> Client {
        Client::copying(self.address, self.answers.clone())
    }

    /// An admin page: status and text.
    pub(crate) fn page(&self, path: &str) -> (u16, String) {
        let close = [("connection", "close")];
        let answer = Client::copying(self.admin, self.answers.clone()).get(path, &close);
        (answer.status(), answer.text().to_owned())
    }

    /// The metrics as text.
    pub(crate) fn metrics(&self) -> String {
        self.page("/metrics").1
    }

    /// The value of the series with exactly this name and these labels, as `/metrics` writes it
    /// (`pillion_requests_total{a="b",c="d"}`).
    #[track_caller]
    pub(crate) fn metric(&self, series: &str) -> Option<f64> {
        let metrics = self.metrics();
        let mut lines = metrics.lines().filter_map(|line| line.rsplit_once(' '));
        let found = lines.find(|(name, _)| *name == series);
        found.map(|(_, value)| value.parse().unwrap())
    }

    /// Waits until there are `count` lines in the access log; gives all that there are.
    #[track_caller]
    pub(crate) fn wait_access_log(&self, count: usize) -> Vec<Value> {
        let lines = self.process.stdout.wait(|lines| {
            let enough = lines.len() >= count;
            enough.then(|| lines.to_vec())
        });
        lines.iter().map(|line| parsed(line)).collect()
    }

    /// The access log so far, as it was written.
    pub(crate) fn raw_access_log(&self) -> String {
        self.process.stdout.so_far().join("\n")
    }

    /// Waits for a line of the process log.
    #[track_caller]
    pub(crate) fn wait_log(&self, wanted: impl Fn(&Value) -> bool) -> Value {
        self.process.wait_log(wanted)
    }

    /// The process log so far.
    pub(crate) fn log(&self) -> Vec<Value> {
        let lines = self.process.stderr.so_far();
        lines.iter().map(|line| parsed(line)).collect()
    }

    /// Asks `/readyz` until it says yes.
    #[track_caller]
    pub(crate) fn wait_ready(&self) {
        let began = Instant::now();
        while self.page("/readyz").0 != 200 {
            assert!(began.elapsed() < GUARD, "never ready: {:?}", self.process.stderr.so_far());
            thread::yield_now();
        }
    }

    /// Sends SIGTERM and does not wait.
    pub(crate) fn terminate(&self) {
        self.process.terminate();
    }

    /// Waits for the end of the process.
    #[track_caller]
    pub(crate) fn wait_exit(&mut self) -> ExitStatus {
        self.process.wait_exit()
    }

    /// All that came out of the process, and out of the clients' connections.
    fn everything(&self) -> Vec<(&'static str, Vec<u8>)> {
        vec![
            ("standard output", self.process.stdout.bytes()),
            ("standard error", self.process.stderr.bytes()),
            ("an answer", self.answers.lock().unwrap().clone()),
        ]
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        if thread::panicking() {
            // The test has failed already; what the process said helps to see why.
            for line in self.process.stderr.so_far() {
                eprintln!("pillion: {line}");
            }
            self.process.kill();
            return;
        }
        if self.process.is_running() {
            // Read so that they are searched.
            self.page("/metrics");
            self.page("/table");
            self.terminate();
        }
        self.wait_exit();
        for (whence, bytes) in self.everything() {
            assert!(!has_key(&bytes), "a key came out in {whence}");
        }
    }
}

// === impl Process ===

impl Process {
    /// Starts a command whose outputs are pipes.
    pub(crate) fn start(mut command: Command) -> Self {
        let mut child = command.spawn().unwrap();
        let (stdout, stderr) = (Lines::default(), Lines::default());
        let readers = vec![
            stdout.gather(child.stdout.take().unwrap()),
            stderr.gather(child.stderr.take().unwrap()),
        ];
        Self { child, stdout, stderr, readers }
    }

    /// Waits for a line of its log.
    #[track_caller]
    pub(crate) fn wait_log(&self, wanted: impl Fn(&Value) -> bool) -> Value {
        self.stderr.wait(|lines| {
            let mut lines = lines.iter().map(|line| parsed(line));
            lines.find(|line| wanted(line))
        })
    }

    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Sends SIGTERM and does not wait.
    pub(crate) fn terminate(&self) {
        let kill = format!("kill -TERM {}", self.child.id());
        let status = Command::new("sh").args(["-c", &kill]).status().unwrap();
        assert!(status.success());
    }

    /// Its outputs end with it, so their readers are what can be waited for without polling.
    #[track_caller]
    pub(crate) fn wait_exit(&mut self) -> ExitStatus {
        for output in [&self.stdout, &self.stderr] {
            output.wait_end();
        }
        let status = self.child.wait().unwrap();
        for reader in self.readers.drain(..) {
            reader.join().unwrap();
        }
        status
    }

    /// Sends SIGKILL and waits.
    pub(crate) fn kill(&mut self) {
        // It may have ended already, which is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

// === impl Lines ===

/// Stands after the last line.
const END: &str = "\0";

impl Lines {
    fn gather(&self, output: impl Read + Send + 'static) -> JoinHandle<()> {
        let lines = self.clone();
        thread::spawn(move || {
            for line in BufReader::new(output).split(b'\n') {
                lines.push(String::from_utf8_lossy(&line.unwrap()).into_owned());
            }
            lines.push(END.to_owned());
        })
    }

    fn push(&self, line: String) {
        self.0.0.lock().unwrap().push(line);
        self.0.1.notify_all();
    }

    #[track_caller]
    fn wait<T>(&self, mut done: impl FnMut(&[String]) -> Option<T>) -> T {
        let found = wait_until(&self.0.0, &self.0.1, |lines: &Vec<String>| {
            let (said, ended) = match lines.split_last() {
                Some((last, said)) if last == END => (said, true),
                _ => (&lines[..], false),
            };
            match done(said) {
                Some(found) => Some(Some(found)),
                None => ended.then_some(None),
            }
        });
        found.unwrap_or_else(|| panic!("ended without the line: {:?}", self.so_far()))
    }

    #[track_caller]
    fn wait_end(&self) {
        wait_until(&self.0.0, &self.0.1, |lines: &Vec<String>| {
            (lines.last()? == END).then_some(())
        });
    }

    /// What was said so far.
    pub(crate) fn so_far(&self) -> Vec<String> {
        let mut lines = self.0.0.lock().unwrap().clone();
        lines.retain(|line| line != END);
        lines
    }

    fn bytes(&self) -> Vec<u8> {
        self.so_far().join("\n").into_bytes()
    }
}

#[track_caller]
fn parsed(line: &str) -> Value {
    serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))
}

/// Is the canary there, in any case of its letters, or in base64 at any alignment?
pub(crate) fn has_key(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes).to_lowercase();
    let encoded = (0..3).map(|shift| {
        let shifted = format!("{}{CANARY}", "~".repeat(shift));
        let encoded = base64::engine::general_purpose::STANDARD.encode(shifted);
        // The ends share a character with what stands beside them.
        encoded[4..encoded.len() - 4].to_lowercase()
    });
    let mut forms = encoded.chain([CANARY.to_lowercase()]);
    forms.any(|form| text.contains(&form))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::support::upstream::{Upstream, json_answer};
    use crate::support::yaml::{all_to, bearer, provider};

    #[test]
    fn the_search_finds_what_it_should() {
        for before in ["", "a", "ab", "abc"] {
            let key = format!("{before}{CANARY}zz");
            assert!(has_key(format!("x {key} y").as_bytes()));
            let encoded = base64::engine::general_purpose::STANDARD.encode(&key);
            assert!(has_key(format!("x {encoded} y").as_bytes()), "{encoded}");
        }
        assert!(!has_key(b"sk-ant-something-else"));
    }

    #[test]
    fn a_proxy_starts_serves_and_ends() {
        let upstream = Upstream::replying(|_| json_answer("200 OK", "{\"ok\": true}"));
        let mut proxy =
            Proxy::start(&format!("{}{}", provider("there", &upstream.url(), ""), all_to("there")));
        let answer = proxy.client().post("/v1/chat/completions", &[], "{\"model\":\"m\"}");
        assert_eq!(answer.status(), 200, "{}", answer.text());
        let sent = upstream.wait_requests(1);
        assert_eq!(sent[0].target(), "/v1/chat/completions");
        assert_eq!(sent[0].head.header("authorization"), Some(bearer("there").as_str()));
        assert_eq!(proxy.wait_access_log(1)[0]["status"], 200);
        assert_ne!(proxy.pid(), 0);
        proxy.terminate();
        assert!(proxy.wait_exit().success());
    }
}
