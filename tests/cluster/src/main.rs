//! Brings a cluster up and keeps it until it is interrupted:
//! `cargo run -p pillion-cluster`, after `scripts/cluster-tools`.

use std::io::{self, Write};

use pillion_cluster::{Cluster, Settings};
use tokio::signal::unix::{SignalKind, signal};

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let cluster = Cluster::start(Settings::default()).await?;
    cluster.start_controllers().await?;
    writeln!(io::stdout(), "export KUBECONFIG={}", cluster.kubeconfig().display())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted?,
        _ = terminate.recv() => {}
    }
    Ok(())
}
