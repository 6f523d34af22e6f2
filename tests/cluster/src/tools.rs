//! Where the servers' programs are.
//!
//! `KUBEBUILDER_ASSETS`, if it has etcd, kube-apiserver and kubectl; else what `scripts/cluster-tools`
//! has built. The controller manager, which is not part of those assets by custom, may also be on
//! the `PATH`. What only a node needs is always of our own building (`scripts/cluster-tools node`).

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{bail, ensure};

/// The programs.
#[derive(Debug, Clone)]
pub(crate) struct Tools {
    pub(crate) etcd: PathBuf,
    pub(crate) api_server: PathBuf,
    pub(crate) kubectl: PathBuf,
    pub(crate) controller_manager: PathBuf,
}

/// The programs that a node has besides.
#[derive(Debug, Clone)]
pub(crate) struct NodeTools {
    pub(crate) scheduler: PathBuf,
    pub(crate) kubelet: PathBuf,
    pub(crate) proxy: PathBuf,
    pub(crate) dns: PathBuf,
    /// An image with a shell, as an archive: what holds a pod's namespaces runs in it.
    pub(crate) shell: PathBuf,
}

/// What a folder must have to be used.
const ASSETS: [&str; 3] = ["etcd", "kube-apiserver", "kubectl"];
const CONTROLLER_MANAGER: &str = "kube-controller-manager";

/// The project that this package is a part of.
pub(crate) fn project() -> &'static Path {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.ancestors().nth(2).unwrap_or(package)
}

// === impl NodeTools ===

impl NodeTools {
    /// Finds them.
    ///
    /// # Errors
    /// When some are missing; the message says how they are built.
    pub(crate) fn find() -> anyhow::Result<Self> {
        let cache = project().join(".cache");
        let tool = |path: &str, remedy: &str| {
            let path = cache.join(path);
            ensure!(path.is_file(), "there is no {}: run {remedy}", path.display());
            Ok(path)
        };
        let built = |name: &str| tool(&format!("cluster/{name}"), "scripts/cluster-tools node");
        Ok(Self {
            scheduler: built("kube-scheduler")?,
            kubelet: built("kubelet")?,
            proxy: built("kube-proxy")?,
            dns: built("coredns")?,
            shell: tool("node/shell.tar", "scripts/node-images")?,
        })
    }
}

// === impl Tools ===

impl Tools {
    /// Finds them.
    ///
    /// # Errors
    /// When some are missing; the message says how they are built.
    pub(crate) fn find() -> anyhow::Result<Self> {
        let built = project().join(".cache/cluster");
        let supplied = env::var_os("KUBEBUILDER_ASSETS").map(PathBuf::from);
        let folders: Vec<PathBuf> = supplied.into_iter().chain([built]).collect();
        let complete = |folder: &&PathBuf| ASSETS.iter().all(|tool| folder.join(tool).is_file());
        let Some(folder) = folders.iter().find(complete) else {
            bail!("the test cluster's tools are not built: run scripts/cluster-tools");
        };
        let path: Vec<PathBuf> = env::var_os("PATH").iter().flat_map(env::split_paths).collect();
        let places = folders.iter().chain(&path).map(|place| place.join(CONTROLLER_MANAGER));
        let Some(controller_manager) = places.into_iter().find(|place| place.is_file()) else {
            bail!("there is no {CONTROLLER_MANAGER}: run scripts/cluster-tools");
        };
        let [etcd, api_server, kubectl] = ASSETS.map(|tool| folder.join(tool));
        Ok(Self { etcd, api_server, kubectl, controller_manager })
    }
}
