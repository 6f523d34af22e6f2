//! The programs of a node, which are always of our own building.

use std::path::PathBuf;

use anyhow::ensure;

use crate::tools;

/// The programs.
#[derive(Debug, Clone)]
pub(super) struct Tools {
    pub(super) scheduler: PathBuf,
    pub(super) kubelet: PathBuf,
    pub(super) proxy: PathBuf,
    pub(super) dns: PathBuf,
    /// An image with a shell, as an archive: what holds a pod's namespaces runs in it.
    pub(super) shell: PathBuf,
}

// === impl Tools ===

impl Tools {
    /// Finds them.
    ///
    /// # Errors
    /// When some are missing; the message says how they are built.
    pub(super) fn find() -> anyhow::Result<Self> {
        let built = |name: &str| find(&format!("cluster/{name}"), "scripts/cluster-tools node");
        Ok(Self {
            scheduler: built("kube-scheduler")?,
            kubelet: built("kubelet")?,
            proxy: built("kube-proxy")?,
            dns: built("coredns")?,
            shell: find("node/shell.tar", "scripts/node-images")?,
        })
    }
}

fn find(path: &str, remedy: &str) -> anyhow::Result<PathBuf> {
    let path = tools::project().join(".cache").join(path);
    ensure!(path.is_file(), "there is no {}: run {remedy}", path.display());
    Ok(path)
}
