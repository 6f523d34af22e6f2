//! The phases, in order.

use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use anyhow::ensure;
use pillion_cluster::{Cluster, Settings};
use pillion_playground::servers::{self, Server};
use tokio::time::{Instant, sleep};

use crate::figures::{Crowd, Figures, Move, Size, Spread};
use crate::fleet::Fleet;
use crate::real::Real;
use crate::town::{self, Resident};
use crate::{proc, replicas, report};

/// Lean sidecars that are connected, phase by phase.
const SIZES: [usize; 3] = [1, 100, 500];
/// Changes in a phase.
const CHANGES: u32 = 100;
/// Between two changes; not a multiple of anything.
const BETWEEN: Duration = Duration::from_millis(137);
/// How long rest is measured: two rounds of pings.
const REST: Duration = Duration::from_secs(10);
/// Namespaces, and routes in each.
const CROWD: (usize, usize) = (200, 10);

/// What the phases share.
struct Bench {
    pillion: PathBuf,
    cluster: Cluster,
    fleet: Rc<Fleet>,
    edition: u64,
}

/// All phases.
pub(crate) async fn all(pillion: &Path) -> anyhow::Result<Figures> {
    report::step("a cluster, and pods with their tokens")?;
    let cluster = Cluster::start(Settings::default()).await?;
    servers::allow(&cluster).await?;
    town::found(&cluster).await?;
    let residents = town::settle(&cluster, SIZES[SIZES.len() - 1] + 1).await?;
    let (one, _) = replicas::start(&cluster, pillion, "one").await?;
    let fleet = Fleet::new(&servers::ca(&cluster).await?)?;
    let mut bench = Bench { pillion: pillion.to_owned(), cluster, fleet, edition: 0 };
    bench.phases(one, &residents).await
}

// === impl Bench ===

impl Bench {
    async fn phases(&mut self, mut one: Server, all: &[Resident]) -> anyhow::Result<Figures> {
        let alone = proc::resident(one.process().id())?;
        let (real, lean) = all.split_at(1);
        let real = Real::start(&self.cluster, &self.pillion, one.address, &real[0]).await?;
        self.fleet.lead_to(vec![one.address]);
        let (mut sizes, mut before) = (Vec::new(), 0);
        for sidecars in SIZES {
            report::step(&format!("{sidecars} sidecars"))?;
            let connect = self.fleet.grow(&lean[before..sidecars]).await?;
            sizes.push(Size { connect, ..self.size(&mut one, &real, sidecars).await? });
            before = sidecars;
        }
        report::step("a replica with all sidecars ends")?;
        let (two, three) = (self.replica("two").await?, self.replica("three").await?);
        let end = self.replace(one, [&two, &three]).await?;
        real.must_still_run(self.edition).await?;
        report::step("a rolling restart of two replicas")?;
        let edition = self.edition;
        let (rolling, replicas) = self.roll(two, three).await?;
        // Its controller, the first one, is away for good.
        real.must_still_run(edition).await?;
        let crowd = self.crowd().await?;
        drop(replicas);
        let complaints = self.fleet.complaints();
        Ok(Figures { alone, sizes, end, rolling, crowd, complaints })
    }

    async fn size(
        &mut self,
        replica: &mut Server,
        real: &Real,
        sidecars: usize,
    ) -> anyhow::Result<Size> {
        let pid = replica.process().id();
        sleep(Duration::from_secs(2)).await;
        let rest = proc::cpu(pid)?;
        sleep(REST).await;
        let rest = (proc::cpu(pid)? - rest).div_f64(REST.as_secs_f64());
        let before = proc::cpu(pid)?;
        let (received, applied) = self.changes(Some(real)).await?;
        let change = (proc::cpu(pid)? - before) / CHANGES;
        Ok(Size {
            sidecars,
            connect: Duration::ZERO,
            received,
            applied: Some(applied),
            resident: proc::resident(pid)?,
            rest,
            change,
        })
    }

    /// Edits the route again and again. Says when the lean sidecars had it, and when the real one
    /// ran it.
    async fn changes(&mut self, real: Option<&Real>) -> anyhow::Result<(Spread, Spread)> {
        let (mut received, mut applied) = (Vec::new(), Vec::new());
        for _ in 0..CHANGES {
            self.edition += 1;
            let answered = town::edit(&self.cluster, self.edition).await?;
            let runs = async {
                match real {
                    Some(real) => real.runs(self.edition, answered).await.map(Some),
                    None => Ok(None),
                }
            };
            let (have, runs) = tokio::join!(self.fleet.have(self.edition, answered), runs);
            received.extend(have?);
            applied.extend(runs?);
            sleep(BETWEEN).await;
        }
        Ok((Spread::of(received), Spread::of(applied)))
    }

    async fn replica(&self, name: &str) -> anyhow::Result<Server> {
        Ok(replicas::start(&self.cluster, &self.pillion, name).await?.0)
    }

    /// Ends a replica whose sidecars then find these.
    async fn replace(&self, mut old: Server, new: [&Server; 2]) -> anyhow::Result<Move> {
        let before = self.fleet.backwards();
        self.fleet.call_roll();
        self.fleet.lead_to(new.map(|server| server.address).to_vec());
        let asked = replicas::terminate(&mut old)?;
        replicas::gone(old).await?;
        let away = self.fleet.back().await?;
        let backwards = self.fleet.backwards() - before;
        Ok(Move { whole: asked.elapsed(), away: Spread::of(away), backwards })
    }

    /// As a Deployment does it: a new one is ready before an old one is asked to end.
    async fn roll(&mut self, first: Server, second: Server) -> anyhow::Result<(Move, [Server; 2])> {
        let begun = Instant::now();
        let four = self.replica("four").await?;
        let one = self.replace(first, [&second, &four]).await?;
        let five = self.replica("five").await?;
        let two = self.replace(second, [&four, &five]).await?;
        let whole = begun.elapsed();
        let away = [one.away, two.away].into_iter().flat_map(Spread::into_values).collect();
        let backwards = one.backwards + two.backwards;
        // Everybody is told of the next change, wherever he is now.
        self.edition += 1;
        let answered = town::edit(&self.cluster, self.edition).await?;
        let told = self.fleet.have(self.edition, answered).await?;
        ensure!(told.len() == SIZES[SIZES.len() - 1], "a sidecar is missing");
        Ok((Move { whole, away: Spread::of(away), backwards }, [four, five]))
    }

    async fn crowd(&mut self) -> anyhow::Result<Crowd> {
        let (namespaces, each) = CROWD;
        let routes = namespaces * each;
        report::step(&format!("{routes} routes in {namespaces} namespaces"))?;
        town::crowd(&self.cluster, namespaces, each).await?;
        let (mut fresh, start) = replicas::start(&self.cluster, &self.pillion, "fresh").await?;
        let resident = proc::resident(fresh.process().id())?;
        drop(fresh);
        let (received, _) = self.changes(None).await?;
        Ok(Crowd { namespaces, routes, start, resident, received })
    }
}
