//! A run: starts everybody, puts each cell's load on each in turn, several times over, and reports.
//!
//! Peers take turns within a round, so that a machine that is slow for a while is slow for all.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;

use crate::check;
use crate::dialect::Pair;
use crate::load::{self, Load, Seen};
use crate::machine::Machine;
use crate::median::percentile;
use crate::pauses;
use crate::peer::{BESIDE, Kind, Peer, Scene, Scheme};
use crate::plan::{self, Cell, Drive, OPEN_STREAMS, ROUTES, Section};
use crate::proc;
use crate::process::{Process, Program};
use crate::report::{self, Report};
use crate::request;
use crate::results::{BodyLimit, Measured, Memory, Results, Round};
use crate::settings::Settings;
use crate::streams;

/// Measures everything; prints the tables and writes them to `file`.
pub(crate) fn run(folder: &Path, file: &Path) -> anyhow::Result<()> {
    let settings = Settings::read(folder)?;
    let machine = Machine::look(&settings);
    let began = Instant::now();
    let pauses = pauses::look(&settings)?;
    let bench = Bench::start(&settings)?;
    let (mut cells, idle) = bench.plain()?;
    let memory = bench.memory(&idle)?;
    cells.extend(bench.section(Section::Tls, Scheme::Https, &bench.everybody())?);
    cells.extend(bench.routes()?);
    cells.extend(bench.translated(Pair::ChatToMessages)?);
    cells.extend(bench.translated(Pair::MessagesToChat)?);
    let body_limit = bench.body_limit()?;
    drop(bench);
    let results = Results { cells, memory, body_limit, pauses, took: began.elapsed() };
    let report = Report { settings: &settings, machine: &machine, results: &results };
    report::publish(&report, file)
}

/// The provider, and what a run is made with.
struct Bench<'a> {
    settings: &'a Settings,
    provider: Process,
    http: u16,
    https: u16,
}

/// Resident memory before there was any load.
type Idle = (Kind, u64);

const MEBI: usize = 1 << 20;
const WARM_UP: Duration = Duration::from_millis(200);

/// What is read at both edges of a window.
struct Edge {
    at: Instant,
    peer: Option<Duration>,
    machine: Duration,
    harness: Duration,
    resident: u64,
}

// === impl Bench ===

impl<'a> Bench<'a> {
    fn start(settings: &'a Settings) -> anyhow::Result<Self> {
        let own = std::env::current_exe()?.to_string_lossy().into_owned();
        let folder = settings.folder.as_path();
        let command = vec![own, "upstream".to_owned(), folder.to_string_lossy().into_owned()];
        let program = Program { name: "upstream".to_owned(), command, folder, cpu: None };
        let (provider, line) = program.start_and_read()?;
        let (http, https) = line.split_once(' ').context("the provider's ports")?;
        Ok(Self { settings, provider, http: http.parse()?, https: https.parse()? })
    }

    fn scene(&self, scheme: Scheme) -> Scene<'a> {
        let upstream = match scheme {
            Scheme::Http => self.http,
            Scheme::Https => self.https,
        };
        Scene { settings: self.settings, scheme, upstream }
    }

    fn everybody(&self) -> Vec<Kind> {
        let beside = BESIDE.into_iter().filter(|kind| kind.is_here(&self.settings.programs));
        beside.chain([Kind::Pillion]).collect()
    }

    fn peers(&self, scheme: Scheme, kinds: &[Kind]) -> anyhow::Result<Vec<Peer>> {
        let scene = self.scene(scheme);
        kinds.iter().map(|kind| Peer::start(&scene, *kind)).collect()
    }

    fn plain(&self) -> anyhow::Result<(Vec<Measured>, Vec<Idle>)> {
        let kinds = [vec![Kind::Direct], self.everybody()].concat();
        let peers = self.peers(Scheme::Http, &kinds)?;
        let idle = peers.iter().map(|peer| Ok((peer.kind, peer.resident()?)));
        let idle = idle.collect::<anyhow::Result<Vec<_>>>()?;
        Ok((self.cells(Section::Plain, &peers)?, idle))
    }

    /// Cells that fresh processes of their own are started for.
    fn section(
        &self,
        section: Section,
        scheme: Scheme,
        kinds: &[Kind],
    ) -> anyhow::Result<Vec<Measured>> {
        self.cells(section, &self.peers(scheme, kinds)?)
    }

    fn cells(&self, section: Section, peers: &[Peer]) -> anyhow::Result<Vec<Measured>> {
        let cells = plan::cells(self.settings.extent, section);
        cells.into_iter().map(|cell| self.cell(cell, peers)).collect()
    }

    fn translated(&self, pair: Pair) -> anyhow::Result<Vec<Measured>> {
        let pillion = Peer::start(&self.scene(Scheme::Http), Kind::Pillion)?;
        check::translated(pillion.address, pair)
            .with_context(|| format!("a translated call{}", pair.name()))?;
        self.cells(Section::Translated(pair), &[pillion])
    }

    fn routes(&self) -> anyhow::Result<Vec<Measured>> {
        let kinds: Vec<Kind> =
            [Kind::Pillion].into_iter().chain(ROUTES.map(Kind::PillionWith)).collect();
        self.section(Section::Routes, Scheme::Http, &kinds)
    }

    fn memory(&self, idle: &[Idle]) -> anyhow::Result<Vec<Memory>> {
        eprintln!("{OPEN_STREAMS} open streams");
        let one = |kind| {
            let peer = Peer::start(&self.scene(Scheme::Http), kind)?;
            let before = peer.resident()?;
            let after = streams::open(peer.address, OPEN_STREAMS, || peer.resident())
                .with_context(|| kind.name())?;
            let stream = after.saturating_sub(before) as f64 / OPEN_STREAMS as f64;
            let idle = idle.iter().find(|(other, _)| *other == kind).map_or(before, |idle| idle.1);
            Ok(Memory { kind, idle, stream })
        };
        self.everybody().into_iter().map(one).collect()
    }

    fn body_limit(&self) -> anyhow::Result<BodyLimit> {
        let peer = Peer::start(&self.scene(Scheme::Http), Kind::Pillion)?;
        let largest = check::status(peer.address, 32 * MEBI - 1024)?;
        let beyond = check::status(peer.address, 32 * MEBI + 1024)?;
        Ok(BodyLimit { largest, beyond })
    }

    fn cell(&self, cell: Cell, peers: &[Peer]) -> anyhow::Result<Measured> {
        eprintln!("{}", cell.name());
        let takes_part = |peer: &&Peer| peer.kind != Kind::Direct || cell.needs_direct();
        let peers: Vec<&Peer> = peers.iter().filter(takes_part).collect();
        let mut rows: Vec<_> = peers.iter().map(|peer| (peer.kind, Vec::new())).collect();
        for _ in 0..self.settings.rounds * cell.repeats() {
            for (peer, (_, rounds)) in peers.iter().zip(&mut rows) {
                let round = self.round(cell, peer);
                let context = || format!("{}: {}", peer.kind.name(), cell.name());
                rounds.push(round.with_context(context)?);
            }
        }
        Ok(Measured { cell, rows })
    }

    fn round(&self, cell: Cell, peer: &Peer) -> anyhow::Result<Round> {
        let mut request = request::bytes(cell.pair(), cell.shape, cell.body);
        if peer.kind == Kind::Direct {
            request = request::with_key(&request);
        }
        let load = Load {
            address: peer.address,
            request: Arc::from(request),
            warm_up: WARM_UP,
            window: self.settings.cell / self.settings.rounds,
        };
        let mut edges = Vec::new();
        let mut edge = || {
            edges.push(self.edge(peer)?);
            Ok(())
        };
        let seen = match cell.drive {
            Drive::Closed(connections) => load::closed(&load, connections, &mut edge),
            Drive::Rate(rate) => load::rate(&load, rate, &mut edge),
        }?;
        peer.empty_log()?;
        let [opened, closed] = edges.as_slice() else { anyhow::bail!("a window has two edges") };
        Ok(round(&seen, opened, closed))
    }

    fn edge(&self, peer: &Peer) -> anyhow::Result<Edge> {
        let provider = proc::cpu(self.provider.pid())?;
        Ok(Edge {
            at: Instant::now(),
            peer: peer.cpu()?,
            machine: proc::machine_cpu()?,
            harness: provider + proc::cpu(std::process::id())?,
            resident: peer.resident()?,
        })
    }
}

fn round(seen: &Seen, opened: &Edge, closed: &Edge) -> Round {
    let window = closed.at - opened.at;
    let cpu = closed.peer.zip(opened.peer).map(|(after, before)| after.saturating_sub(before));
    let ours = closed.harness.saturating_sub(opened.harness) + cpu.unwrap_or_default();
    let others = closed.machine.saturating_sub(opened.machine).saturating_sub(ours);
    let micros = |hundredths| percentile(&seen.latencies, hundredths).map_or(f64::NAN, f64::from);
    Round {
        calls: seen.calls,
        window,
        cpu,
        p50: micros(50),
        p99: micros(99),
        resident: closed.resident,
        others: others.as_secs_f64() / window.as_secs_f64(),
    }
}
