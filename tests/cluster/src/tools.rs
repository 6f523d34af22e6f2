//! Where the servers' programs are.
//!
//! `KUBEBUILDER_ASSETS`, if it has etcd, kube-apiserver and kubectl; else what `scripts/cluster-tools`
//! has built. The controller manager and Helm, which are not part of those assets by custom, may
//! also be on the `PATH`.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::bail;

/// The programs.
#[derive(Debug, Clone)]
pub(crate) struct Tools {
    pub(crate) etcd: PathBuf,
    pub(crate) api_server: PathBuf,
    pub(crate) kubectl: PathBuf,
    pub(crate) controller_manager: PathBuf,
}

/// What a folder must have to be used.
const ASSETS: [&str; 3] = ["etcd", "kube-apiserver", "kubectl"];
const CONTROLLER_MANAGER: &str = "kube-controller-manager";

/// The project that this package is a part of.
pub(crate) fn project() -> &'static Path {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.ancestors().nth(2).unwrap_or(package)
}

/// Helm.
///
/// # Errors
/// When it is missing; the message says how it is built.
pub(crate) fn helm() -> anyhow::Result<PathBuf> {
    program("helm")
}

// === impl Tools ===

impl Tools {
    /// Finds them.
    ///
    /// # Errors
    /// When some are missing; the message says how they are built.
    pub(crate) fn find() -> anyhow::Result<Self> {
        let folders = folders();
        let complete = |folder: &&PathBuf| ASSETS.iter().all(|tool| folder.join(tool).is_file());
        let Some(folder) = folders.iter().find(complete) else {
            bail!("the test cluster's tools are not built: run scripts/cluster-tools");
        };
        let controller_manager = program(CONTROLLER_MANAGER)?;
        let [etcd, api_server, kubectl] = ASSETS.map(|tool| folder.join(tool));
        Ok(Self { etcd, api_server, kubectl, controller_manager })
    }
}

/// What has the tools, best first.
fn folders() -> Vec<PathBuf> {
    let built = project().join(".cache/cluster");
    let supplied = env::var_os("KUBEBUILDER_ASSETS").map(PathBuf::from);
    supplied.into_iter().chain([built]).collect()
}

/// A program in one of the folders, or else on the `PATH`.
fn program(name: &str) -> anyhow::Result<PathBuf> {
    let path: Vec<PathBuf> = env::var_os("PATH").iter().flat_map(env::split_paths).collect();
    let mut places = folders().into_iter().chain(path).map(|place| place.join(name));
    let Some(program) = places.find(|place| place.is_file()) else {
        bail!("there is no {name}: run scripts/cluster-tools");
    };
    Ok(program)
}
