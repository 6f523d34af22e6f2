//! A cluster's life: start, readiness, the API server's end and return, the end.
//!
//! Order matters twice: etcd is there before the API server and goes after it, and the folder goes
//! last. The fields stand in the order in which they are dropped.

use std::path::{Path, PathBuf};

use anyhow::Context;
use kube::Client;
use tokio::sync::OnceCell;

use crate::access::Access;
use crate::certificates::{Authority, write_token_keys};
use crate::control_plane::{AUDIT_LOG, ControlPlane};
use crate::folder::Folder;
use crate::ground::Ground;
use crate::manifests;
use crate::patience::until;
use crate::process::{Process, Program};
use crate::tools::{self, Tools};

/// Whether the API server keeps a log of requests.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Audit {
    /// It does not.
    #[default]
    Off,
    /// Who asked for what, without bodies: [`Cluster::audit_log`].
    Metadata,
}

/// How a cluster is to be.
#[derive(Debug, Clone, Copy, Default)]
pub struct Settings {
    /// The log of requests.
    pub audit: Audit,
}

/// A cluster with Pillion's resource definitions; ends when it is dropped.
///
/// The API server can be stopped by whoever owns the cluster, and not by those who share it.
#[derive(Debug)]
pub struct Cluster {
    controllers: OnceCell<Process>,
    api: Option<Process>,
    etcd: Process,
    pub(crate) control_plane: ControlPlane,
    pub(crate) access: Access,
    pub(crate) folder: Folder,
}

// === impl Cluster ===

impl Cluster {
    /// Starts one and waits until it is ready, which takes seconds.
    ///
    /// # Errors
    /// When the tools are missing, or a server does not come up; the message has its last words.
    pub async fn start(settings: Settings) -> anyhow::Result<Self> {
        let cluster = Self::start_on(Ground::Machine, settings, Folder::create()?).await?;
        cluster.install_definitions().await.context("cannot install crds/")?;
        Ok(cluster)
    }

    /// Starts one somewhere, without any definitions.
    pub(crate) async fn start_on(
        ground: Ground,
        settings: Settings,
        folder: Folder,
    ) -> anyhow::Result<Self> {
        let address = ground.address();
        let control_plane = ControlPlane::new(Tools::find()?, settings.audit, ground)?;
        let etcd = control_plane.start_etcd(&folder)?;
        write_token_keys(&folder)?;
        let authority = Authority::create(address, &folder)?;
        let access = Access::create(control_plane.url(), authority, &folder).await?;
        let controllers = OnceCell::new();
        let mut cluster = Self { controllers, api: None, etcd, control_plane, access, folder };
        cluster.start_api().await?;
        Ok(cluster)
    }

    /// Kills the API server. Its data stays, and its port refuses connections.
    pub fn stop_api(&mut self) {
        self.api = None;
    }

    /// Starts the API server on the port and the data that it had, and waits until it is ready.
    ///
    /// # Errors
    /// When it does not come up; the message has its last words.
    pub async fn start_api(&mut self) -> anyhow::Result<()> {
        let process = self.api.insert(self.control_plane.start_api(&self.folder)?);
        let client = self.access.client()?;
        let etcd = &mut self.etcd;
        let ready = until("the API server's readiness", async || {
            etcd.must_run()?;
            process.must_run()?;
            Ok(is_ready(&client).await)
        });
        ready.await.context("the API server did not start")
    }

    /// Starts the controller manager if it does not run yet, and waits until it works. It is what
    /// makes ServiceAccounts and Pods of Deployments, and collects what lost its owner.
    ///
    /// # Errors
    /// When it does not come up; the message has its last words.
    pub async fn start_controllers(&self) -> anyhow::Result<()> {
        let start = async || {
            let kubeconfig = self.access.controller_manager().display().to_string();
            let mut process =
                self.control_plane.start_controller_manager(&kubeconfig, &self.folder)?;
            let works = until("the controller manager's work", async || {
                process.must_run()?;
                self.has_controllers().await
            });
            works.await?;
            Ok(process)
        };
        self.controllers.get_or_try_init(start).await.map(|_| ())
    }

    /// Where the API server logs requests, a JSON object a line, if [`Settings::audit`] says so.
    pub fn audit_log(&self) -> PathBuf {
        self.folder.path().join(AUDIT_LOG)
    }

    /// Starts a program that is none of the cluster's own. It ends with the value that is returned;
    /// drop that before the cluster, whose folder has its log.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn run(&self, program: Program) -> anyhow::Result<Process> {
        Process::run(program, &self.folder)
    }

    /// Writes a file that only its owner can read into the cluster's folder, and returns its path.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, name: &str, content: &str) -> anyhow::Result<PathBuf> {
        self.folder.write(name, content)
    }

    /// The folder that has kubectl.
    pub fn tools(&self) -> &Path {
        let kubectl = &self.control_plane.tools().kubectl;
        kubectl.parent().unwrap_or(kubectl)
    }

    async fn install_definitions(&self) -> anyhow::Result<()> {
        let client = self.access.client()?;
        manifests::install(&client, &tools::project().join("crds")).await
    }
}

async fn is_ready(client: &Client) -> bool {
    manifests::get(client, "/readyz").await.is_ok_and(|text| text == "ok")
}
