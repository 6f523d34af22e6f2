//! Replicas of the controller.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::ensure;
use pillion_cluster::{Cluster, until};
use pillion_playground::servers::Server;
use tokio::time::{Instant, sleep};

use crate::http;

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(2);

/// Starts one and waits until it is ready. Says how long that took.
pub(crate) async fn start(
    cluster: &Cluster,
    pillion: &Path,
    name: &str,
) -> anyhow::Result<(Server, Duration)> {
    let begun = Instant::now();
    let server = Server::controller(cluster, pillion, name).await?;
    while !http::is_ready(server.admin).await {
        sleep(PAUSE).await;
    }
    Ok((server, begun.elapsed()))
}

/// Asks one to end, as Kubernetes does. Says when.
pub(crate) fn terminate(server: &mut Server) -> anyhow::Result<Instant> {
    let pid = server.process().id().to_string();
    let asked = Instant::now();
    ensure!(Command::new("kill").args(["-TERM", &pid]).status()?.success(), "kill -TERM {pid}");
    Ok(asked)
}

/// Waits until one that was asked to end has ended.
pub(crate) async fn gone(mut server: Server) -> anyhow::Result<()> {
    until("a replica's end", async || Ok(server.process().must_run().is_err())).await
}
