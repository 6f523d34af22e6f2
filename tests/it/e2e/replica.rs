//! `pillion controller` as a process, under its own ServiceAccount.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::thread;
use std::time::Instant;

use serde_json::Value;

use super::service::Service;
use crate::support::GUARD;
use crate::support::client::Client;
use crate::support::metrics::Samples;
use crate::support::proxy::{Process, has_key};

/// One replica. Dropping it kills the process, and searches what it said for keys.
pub(crate) struct Replica {
    process: Process,
    service: Service,
    /// Where sidecars connect.
    pub(crate) address: SocketAddr,
    admin: SocketAddr,
    webhook: Option<SocketAddr>,
}

/// How to start one.
#[derive(Clone)]
pub(crate) struct Order {
    pub(super) flags: BTreeMap<String, String>,
    pub(super) service: Service,
}

impl Order {
    /// Sets a flag; of the same name twice the later one counts.
    pub(crate) fn flag(mut self, name: &str, value: &str) -> Self {
        self.flags.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Takes a flag away.
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.flags.remove(name);
        self
    }

    /// Starts it and waits until it is ready; sidecars then find it through the Service.
    #[track_caller]
    pub(crate) fn start(self, kubeconfig: &Path) -> Replica {
        let replica = self.start_without_waiting(kubeconfig);
        replica.wait_ready();
        replica
    }

    /// Starts it; sidecars find it at once.
    #[track_caller]
    pub(crate) fn start_without_waiting(self, kubeconfig: &Path) -> Replica {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pillion"));
        command
            .env_clear()
            .env("KUBECONFIG", kubeconfig)
            .arg("controller")
            .args(["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"])
            .args(self.flags.iter().flat_map(|(name, value)| [name, value]))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let process = Process::start(command);
        let listening = process.wait_log(|line| line["message"] == "listening");
        let port = |name: &str| listening[name].as_str().unwrap().parse().unwrap();
        let (address, admin) = (port("listen"), port("admin"));
        let webhook = listening["webhook"].as_str().map(|address| address.parse().unwrap());
        self.service.add(address);
        Replica { process, service: self.service, address, admin, webhook }
    }
}

impl Replica {
    /// Where the API server asks about pods.
    #[track_caller]
    pub(crate) fn webhook(&self) -> SocketAddr {
        self.webhook.unwrap()
    }

    /// An admin page: status and text.
    pub(crate) fn page(&self, path: &str) -> (u16, String) {
        let answer = Client::connect(self.admin).get(path, &[("connection", "close")]);
        (answer.status(), answer.text().to_owned())
    }

    /// What a family comes to, all its series together.
    pub(crate) fn metric(&self, name: &str) -> f64 {
        Samples::of(&self.page("/metrics").1).sum(name, &[])
    }

    /// Asks until it comes to that.
    #[track_caller]
    pub(crate) fn wait_metric(&self, name: &str, value: f64) {
        let began = Instant::now();
        while self.metric(name) != value {
            assert!(began.elapsed() < GUARD, "{name} never was {value}: {:?}", self.log());
            thread::yield_now();
        }
    }

    /// Asks `/readyz` until it says yes.
    #[track_caller]
    pub(crate) fn wait_ready(&self) {
        let began = Instant::now();
        while self.page("/readyz").0 != 200 {
            assert!(began.elapsed() < GUARD, "never ready: {:?}", self.log());
            thread::yield_now();
        }
    }

    /// Waits for a line of its log.
    #[track_caller]
    pub(crate) fn wait_log(&self, wanted: impl Fn(&Value) -> bool) -> Value {
        self.process.wait_log(wanted)
    }

    /// Its log so far, as it was written.
    pub(crate) fn log(&self) -> Vec<String> {
        self.process.stderr.so_far()
    }

    /// The lines of its log that are warnings or worse.
    pub(crate) fn complaints(&self) -> Vec<String> {
        let is_one = |line: &String| line.contains("\"WARN\"") || line.contains("\"ERROR\"");
        self.log().into_iter().filter(is_one).collect()
    }

    /// SIGTERM, and waits for the end. Sidecars do not find it any more.
    #[track_caller]
    pub(crate) fn stop(&mut self) -> ExitStatus {
        self.service.remove(self.address);
        self.process.terminate();
        self.process.wait_exit()
    }

    /// SIGKILL. Sidecars do not find it any more.
    pub(crate) fn kill(&mut self) {
        self.process.kill();
        self.service.remove(self.address);
    }
}

impl Drop for Replica {
    fn drop(&mut self) {
        if thread::panicking() {
            // The test has failed already; what the process said helps to see why.
            for line in self.log() {
                eprintln!("controller: {line}");
            }
            return self.kill();
        }
        if self.process.is_running() {
            let (_, metrics) = self.page("/metrics");
            assert!(!has_key(metrics.as_bytes()), "a key came out in the controller's metrics");
        }
        self.kill();
        let said = [self.process.stdout.so_far(), self.log()].concat().join("\n");
        assert!(!has_key(said.as_bytes()), "a key came out in the controller's log");
    }
}
