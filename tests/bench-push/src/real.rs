//! A real sidecar among the lean ones: `pillion proxy`, asked for the table that it runs.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::ensure;
use pillion_cluster::Cluster;
use pillion_playground::servers::Server;
use tokio::time::{Instant, sleep, timeout};

use crate::http;
use crate::sidecar::edition;
use crate::town::Resident;

const PATIENCE: Duration = Duration::from_secs(60);
/// Between two looks: what is told of it is later than the truth by at most this and a page.
const PAUSE: Duration = Duration::from_millis(1);

/// The sidecar.
pub(crate) struct Real(Server);

// === impl Real ===

impl Real {
    pub(crate) async fn start(
        cluster: &Cluster,
        pillion: &Path,
        controller: SocketAddr,
        resident: &Resident,
    ) -> anyhow::Result<Self> {
        let server = Server::sidecar(cluster, pillion, controller, &resident.pod).await?;
        let real = Self(server);
        real.runs(0, Instant::now()).await?;
        Ok(real)
    }

    /// Waits until it runs this edition; says how long after `answered` that was.
    pub(crate) async fn runs(&self, wanted: u64, answered: Instant) -> anyhow::Result<Duration> {
        let runs = async {
            loop {
                let table = http::page(self.0.admin, "/table").await?;
                if edition(table.as_bytes()) >= Some(wanted) {
                    return anyhow::Ok(answered.elapsed());
                }
                sleep(PAUSE).await;
            }
        };
        timeout(PATIENCE, runs).await?
    }

    /// It must go on with this edition, whatever became of its controller.
    pub(crate) async fn must_still_run(&self, wanted: u64) -> anyhow::Result<()> {
        let table = http::page(self.0.admin, "/table").await?;
        ensure!(edition(table.as_bytes()) == Some(wanted), "the real sidecar has lost its table");
        ensure!(http::is_ready(self.0.admin).await, "the real sidecar is not ready any more");
        Ok(())
    }
}
