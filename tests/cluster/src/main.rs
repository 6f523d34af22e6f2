//! Brings a cluster up and keeps it until it is interrupted: `cargo run -p pillion-cluster`, after
//! `scripts/cluster-tools`; with `-- node`, one that runs pods.

use std::env;
use std::future::pending;
use std::io::{self, Write};
use std::path::Path;

use pillion_cluster::{Cluster, Node, Settings};
use tokio::signal::unix::{SignalKind, signal};

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let stays = async {
        if env::args().nth(1).is_some_and(|kind| kind == "node") {
            let node = Node::start(Settings::default()).await?;
            tell(node.cluster().kubeconfig())?;
            return pending().await;
        }
        let cluster = Cluster::start(Settings::default()).await?;
        cluster.start_controllers().await?;
        tell(cluster.kubeconfig())?;
        pending().await
    };
    tokio::select! {
        failed = stays => return failed,
        interrupted = tokio::signal::ctrl_c() => interrupted?,
        _ = terminate.recv() => {}
    }
    Ok(())
}

fn tell(kubeconfig: &Path) -> io::Result<()> {
    writeln!(io::stdout(), "export KUBECONFIG={}", kubeconfig.display())
}
