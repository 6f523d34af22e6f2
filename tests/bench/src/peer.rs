//! The peers: who they are, how each is set up, and what each uses.
//!
//! All have one worker thread, connections that are kept alive on both sides, an access log, and
//! set the provider's key. Their configurations are in `tests/bench/peers`.

mod setup;

use std::fs::OpenOptions;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::check;
use crate::dialect;
use crate::proc;
use crate::process::Process;
use crate::settings::Programs;

pub(crate) use setup::{Scene, Scheme};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The provider itself: what the harness alone can do.
    Direct,
    Nginx,
    Haproxy,
    Envoy,
    Relay,
    Pillion,
    /// Pillion with this many routes besides the one that is used.
    PillionWith(u32),
}

/// A peer that runs and has shown that it forwards.
#[derive(Debug)]
pub(crate) struct Peer {
    pub(crate) kind: Kind,
    pub(crate) address: SocketAddr,
    /// None for the provider itself.
    running: Option<Running>,
}

#[derive(Debug)]
struct Running {
    /// Held for its end.
    _process: Process,
    /// The process and its workers.
    all: Vec<u32>,
    /// Those that serve: the workers of one that has any.
    serving: Vec<u32>,
    access_log: PathBuf,
}

/// Those that stand beside Pillion.
pub(crate) const BESIDE: [Kind; 4] = [Kind::Nginx, Kind::Haproxy, Kind::Envoy, Kind::Relay];

// === impl Kind ===

impl Kind {
    pub(crate) fn name(self) -> String {
        match self {
            Self::Direct => "no proxy".to_owned(),
            Self::Nginx => "nginx".to_owned(),
            Self::Haproxy => "HAProxy".to_owned(),
            Self::Envoy => "Envoy".to_owned(),
            Self::Relay => "bare relay".to_owned(),
            Self::Pillion => "Pillion".to_owned(),
            Self::PillionWith(routes) => format!("Pillion-{routes}"),
        }
    }

    /// Is its program here?
    pub(crate) fn is_here(self, programs: &Programs) -> bool {
        match self {
            Self::Nginx => programs.nginx.is_some(),
            Self::Haproxy => programs.haproxy.is_some(),
            Self::Envoy => programs.envoy.is_some(),
            Self::Direct | Self::Relay | Self::Pillion | Self::PillionWith(_) => true,
        }
    }

    /// The model that the provider must get to see.
    fn model(self) -> &'static str {
        match self {
            Self::Pillion | Self::PillionWith(_) => dialect::MODEL,
            _ => dialect::ALIAS,
        }
    }
}

// === impl Peer ===

impl Peer {
    /// Starts one and waits until it forwards both shapes of calls, byte for byte.
    pub(crate) fn start(scene: &Scene<'_>, kind: Kind) -> anyhow::Result<Self> {
        let Some(mut started) = scene.start(kind)? else {
            return Ok(Self { kind, address: scene.provider(), running: None });
        };
        let address = started.address;
        started.process.await_ready(|| check::calls(address, kind.model()))?;
        let pid = started.process.pid();
        let workers = proc::children(pid)?;
        let serving = if workers.is_empty() { vec![pid] } else { workers.clone() };
        let all = [vec![pid], workers].concat();
        let access_log = started.access_log;
        let running = Running { _process: started.process, all, serving, access_log };
        Ok(Self { kind, address, running: Some(running) })
    }

    pub(crate) fn cpu(&self) -> anyhow::Result<Option<Duration>> {
        let Some(running) = &self.running else { return Ok(None) };
        running.all.iter().map(|pid| proc::cpu(*pid)).sum::<anyhow::Result<Duration>>().map(Some)
    }

    /// Resident memory in bytes.
    pub(crate) fn resident(&self) -> anyhow::Result<u64> {
        let Some(running) = &self.running else { return Ok(0) };
        running.serving.iter().map(|pid| proc::resident(*pid)).sum()
    }

    /// Empties the access log: a run writes more than a small disk holds.
    pub(crate) fn empty_log(&self) -> anyhow::Result<()> {
        if let Some(running) = &self.running
            && running.access_log.exists()
        {
            OpenOptions::new().write(true).open(&running.access_log)?.set_len(0)?;
        }
        Ok(())
    }
}
