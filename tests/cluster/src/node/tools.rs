//! The programs of a node, and the image that it begins with.

use std::path::PathBuf;

use anyhow::{Context, ensure};

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
        let built = |name| tools::program(name).context("run scripts/cluster-tools node");
        let shell = tools::project().join(".cache/node/shell.tar");
        ensure!(shell.is_file(), "there is no {}: run scripts/node-images", shell.display());
        Ok(Self {
            scheduler: built("kube-scheduler")?,
            kubelet: built("kubelet")?,
            proxy: built("kube-proxy")?,
            dns: built("coredns")?,
            shell,
        })
    }
}
