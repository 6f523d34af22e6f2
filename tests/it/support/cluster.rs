//! The Kubernetes API server that the tests share.
//!
//! It starts with the first test that asks for it and ends with the process, see `pillion_cluster`.
//! Tests keep apart by a namespace each. A test that stops the API server starts a cluster of its
//! own.

use std::process::Output;

use pillion_cluster::{Cluster, Settings};
use tokio::sync::OnceCell;

/// The shared cluster.
pub(crate) async fn shared() -> &'static Cluster {
    static SHARED: OnceCell<Cluster> = OnceCell::const_new();
    SHARED.get_or_init(|| private(Settings::default())).await
}

/// A cluster for one test alone.
pub(crate) async fn private(settings: Settings) -> Cluster {
    let started = Cluster::start(settings).await;
    started.unwrap_or_else(|error| panic!("the test cluster did not start: {error:#}"))
}

/// What kubectl prints when all is well.
pub(crate) async fn kubectl(cluster: &Cluster, arguments: &[&str]) -> String {
    let Output { status, stdout, stderr } = cluster.kubectl(arguments).await.unwrap();
    let errors = String::from_utf8_lossy(&stderr);
    assert!(status.success(), "kubectl {arguments:?}: {errors}");
    String::from_utf8(stdout).unwrap()
}

/// The status of a refusal.
pub(crate) fn refusal<T: std::fmt::Debug>(outcome: kube::Result<T>) -> kube::core::Status {
    match outcome {
        Err(kube::Error::Api(status)) => *status,
        other => panic!("not refused: {other:?}"),
    }
}
