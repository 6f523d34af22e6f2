//! What `scripts/bench` found on this machine and was asked for. The only reader of the environment.

use std::env;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;

/// How thorough a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extent {
    Quick,
    Full,
}

/// Where the programs are. One that is missing here is left out of the tables.
#[derive(Debug)]
pub(crate) struct Programs {
    pub(crate) nginx: Option<PathBuf>,
    pub(crate) haproxy: Option<PathBuf>,
    pub(crate) envoy: Option<PathBuf>,
    pub(crate) pillion: PathBuf,
}

#[derive(Debug)]
pub(crate) struct Settings {
    /// For configurations, logs and certificates of the run.
    pub(crate) folder: PathBuf,
    pub(crate) programs: Programs,
    pub(crate) extent: Extent,
    /// Measured for each cell and peer, all rounds together.
    pub(crate) cell: Duration,
    pub(crate) rounds: u32,
    /// The processor that peers run on, if there is one to spare.
    pub(crate) peer_cpu: Option<String>,
    pub(crate) date: String,
    pub(crate) commit: String,
    pub(crate) processors: String,
}

// === impl Settings ===

impl Settings {
    pub(crate) fn read(folder: &Path) -> anyhow::Result<Self> {
        let extent = if given("BENCH_FULL").is_some() { Extent::Full } else { Extent::Quick };
        let (seconds, rounds) = match extent {
            Extent::Quick => (3.0, 3),
            Extent::Full => (15.0, 5),
        };
        let seconds = match given("BENCH_SECONDS") {
            Some(text) => text.parse().context("BENCH_SECONDS is a number of seconds")?,
            None => seconds,
        };
        let path = |name| given(name).map(PathBuf::from);
        let programs = Programs {
            nginx: path("NGINX_BIN"),
            haproxy: path("HAPROXY_BIN"),
            envoy: path("ENVOY_BIN"),
            pillion: path("PILLION_BIN").context("PILLION_BIN says where Pillion is")?,
        };
        Ok(Self {
            folder: folder.to_owned(),
            programs,
            extent,
            cell: Duration::try_from_secs_f64(seconds).context("BENCH_SECONDS")?,
            rounds,
            peer_cpu: given("BENCH_PEER_CPU"),
            date: given("BENCH_DATE").unwrap_or_default(),
            commit: given("BENCH_COMMIT").unwrap_or_default(),
            processors: given("BENCH_PROCESSORS").unwrap_or_default(),
        })
    }
}

fn given(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}
