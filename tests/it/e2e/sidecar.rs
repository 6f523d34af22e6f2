//! `pillion proxy --controller` as a process, in the name of a Pod object.

use std::fs;
use std::ops::Deref;
use std::thread;
use std::time::Instant;

use tempfile::TempDir;

use crate::support::GUARD;
use crate::support::client::{Answer, Client};
use crate::support::dialects::CHAT;
use crate::support::manifests::Manifests;
use crate::support::proxy::{Launch, Proxy};

/// A call that is no stream.
pub(crate) const CALL: &str = r#"{"model":"m","messages":[]}"#;

/// A sidecar; also the [`Proxy`] that it is.
pub(crate) struct Sidecar {
    proxy: Proxy,
    /// The volume in memory.
    cache: TempDir,
}

/// What it takes to start one.
pub(crate) struct Seat {
    /// `ca.crt` and `token`.
    pub(crate) files: Manifests,
    pub(crate) launch: Launch,
}

impl Seat {
    /// Sets a flag.
    pub(crate) fn flag(mut self, name: &str, value: &str) -> Self {
        self.launch = self.launch.flag(name, value);
        self
    }

    /// Does not wait until it is ready.
    pub(crate) fn without_waiting(mut self) -> Self {
        self.launch = self.launch.without_waiting();
        self
    }

    /// Starts it and waits until it is ready.
    #[track_caller]
    pub(crate) fn start(self) -> Sidecar {
        let cache = memory();
        let launch = self.launch.flag("--cache", cache.path().to_str().unwrap());
        Sidecar { proxy: launch.start_from(self.files), cache }
    }
}

/// A folder in memory, where the machine has one.
fn memory() -> TempDir {
    TempDir::new_in("/dev/shm").or_else(|_| TempDir::new()).unwrap()
}

/// One call on a connection.
#[track_caller]
pub(crate) fn call(client: &mut Client) -> Answer {
    client.post(CHAT.target, &[], CALL)
}

impl Sidecar {
    /// One call on a connection of its own.
    #[track_caller]
    pub(crate) fn call(&self) -> Answer {
        call(&mut self.client())
    }

    /// Calls until an answer is as wanted.
    #[track_caller]
    pub(crate) fn until(&self, wanted: impl Fn(&Answer) -> bool) -> Answer {
        let (began, mut client) = (Instant::now(), self.client());
        loop {
            let answer = call(&mut client);
            if wanted(&answer) {
                return answer;
            }
            assert!(began.elapsed() < GUARD, "never came: {answer:?}; {:?}", self.log());
            thread::yield_now();
        }
    }

    /// What it keeps for a restart: all that it was sent.
    pub(crate) fn cached(&self) -> String {
        fs::read_to_string(self.cache.path().join("bundle.json")).unwrap_or_default()
    }
}

impl Deref for Sidecar {
    type Target = Proxy;

    fn deref(&self) -> &Proxy {
        &self.proxy
    }
}
