//! A cluster in which pods run: scheduler, containerd, kubelet, kube-proxy and CoreDNS besides the
//! servers of every cluster, all of them on one node.
//!
//! Needs root, and what `scripts/node-tools`, `scripts/node-images` and `scripts/cluster-tools
//! node` provide. The node is isolated from the machine (see `isolation`): its pods reach each
//! other and the API server, and nothing else. Images are not pulled: [`Node::load`]. Nothing of
//! Pillion is in it, so that its chart can be installed.

mod configuration;
mod tools;

use std::path::Path;

use anyhow::Context;
use k8s_openapi::api::core::v1;
use kube::Api;

use crate::certificates::User;
use crate::cluster::{Cluster, Settings};
use crate::command;
use crate::folder::Folder;
use crate::ground::Ground;
use crate::health;
use crate::isolation::{Isolation, Reach};
use crate::patience::until;
use crate::process::Process;
use tools::Tools;

/// A cluster with a node; ends when it is dropped, with all that runs in its pods.
#[derive(Debug)]
pub struct Node {
    /// In the order in which they end.
    servers: Vec<Process>,
    cluster: Cluster,
}

/// Where containerd keeps what the kubelet runs.
const KUBELETS: &str = "k8s.io";

/// Ports of health pages.
const PROXY_HEALTH: u16 = 10256;
const DNS_READY: u16 = 8181;

// === impl Node ===

impl Node {
    /// Starts one and waits until pods can run, which takes some ten seconds.
    ///
    /// # Errors
    /// When the tools are missing, or a server does not come up; the message has its last words.
    pub async fn start(settings: Settings) -> anyhow::Result<Self> {
        let tools = Tools::find()?;
        let folder = Folder::create()?;
        let ground = Ground::Isolated(Isolation::create(&folder).await?);
        let cluster = Cluster::start_on(ground, settings, folder).await?;
        let mut node = Self { servers: Vec::new(), cluster };
        node.start_containerd().await?;
        node.load(&tools.shell).context("the image that pods begin with")?;
        node.cluster.start_controllers().await?;
        node.start_servers(&tools)?;
        until("the node's readiness", async || node.is_ready().await).await?;
        Ok(node)
    }

    /// The cluster that it is part of.
    pub fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    /// Makes the images of an archive known to the node, by the names that the archive has.
    ///
    /// # Errors
    /// When containerd refuses it.
    pub fn load(&self, archive: &Path) -> anyhow::Result<()> {
        self.ctr(&["images", "import", &archive.display().to_string()])
    }

    /// Kills a container, as a lack of memory would.
    ///
    /// # Errors
    /// When there is none.
    pub fn kill(&self, container: &str) -> anyhow::Result<()> {
        self.ctr(&["tasks", "kill", "--signal", "SIGKILL", container])
    }

    /// The folder with the logs of the node's servers, `NAME.log` each.
    pub fn folder(&self) -> &Path {
        self.cluster.folder.path()
    }

    async fn start_containerd(&mut self) -> anyhow::Result<()> {
        let arguments = configuration::containerd(&self.cluster.folder)?;
        self.start_server(Path::new("containerd"), &arguments, Reach::All)?;
        let answers = async || {
            self.must_run()?;
            Ok(self.ctr(&["version"]).is_ok())
        };
        until("containerd's answer", answers).await
    }

    fn start_servers(&mut self, tools: &Tools) -> anyhow::Result<()> {
        let kubelet = User { name: "system:node:node", group: Some("system:nodes") };
        let scheduler = User { name: "system:kube-scheduler", group: None };
        let proxy = User { name: "system:kube-proxy", group: None };
        let [kubelet, scheduler, proxy] =
            [self.kubeconfig(kubelet)?, self.kubeconfig(scheduler)?, self.kubeconfig(proxy)?];
        let admin = self.cluster.kubeconfig().display().to_string();
        let folder = &self.cluster.folder;
        let [kubelet, scheduler, proxy, dns] = [
            configuration::kubelet(&kubelet, folder)?,
            configuration::scheduler(&scheduler),
            configuration::proxy(&proxy, folder)?,
            configuration::dns(&admin, folder)?,
        ];
        self.start_server(&tools.kubelet, &kubelet, Reach::All)?;
        self.start_server(&tools.scheduler, &scheduler, Reach::Network)?;
        self.start_server(&tools.proxy, &proxy, Reach::Network)?;
        self.start_server(&tools.dns, &dns, Reach::Network)
    }

    /// Whether pods can be scheduled, Services are reached and names are known.
    async fn is_ready(&mut self) -> anyhow::Result<bool> {
        self.must_run()?;
        let nodes: Api<v1::Node> = Api::all(self.cluster.client()?);
        let node = nodes.get_opt(configuration::NAME).await?;
        let address = self.cluster.control_plane.ground.address();
        Ok(node.is_some_and(|node| takes_pods(&node))
            && health::is_ok((address, PROXY_HEALTH).into(), "/healthz").await
            && health::is_ok((address, DNS_READY).into(), "/ready").await)
    }

    fn start_server(
        &mut self,
        path: &Path,
        arguments: &[String],
        reach: Reach,
    ) -> anyhow::Result<()> {
        let Ground::Isolated(isolation) = &self.cluster.control_plane.ground else {
            anyhow::bail!("a node on the machine's own ground");
        };
        let server = isolation.start(path, arguments, reach, &self.cluster.folder)?;
        self.servers.insert(0, server);
        Ok(())
    }

    fn kubeconfig(&self, user: User<'_>) -> anyhow::Result<String> {
        let file = self.cluster.access.kubeconfig_of(user, &self.cluster.folder)?;
        Ok(file.display().to_string())
    }

    fn must_run(&mut self) -> anyhow::Result<()> {
        self.servers.iter_mut().try_for_each(Process::must_run)
    }

    fn ctr(&self, arguments: &[&str]) -> anyhow::Result<()> {
        let socket = self.cluster.folder.file(configuration::SOCKET);
        let whose = ["--address", &socket, "--namespace", KUBELETS];
        command::run("ctr", &[&whose, arguments].concat()).map(|_| ())
    }
}

/// Whether it says that it is ready, and nothing keeps pods away any more.
fn takes_pods(node: &v1::Node) -> bool {
    let conditions = node.status.as_ref().and_then(|status| status.conditions.as_ref());
    let ready =
        |condition: &v1::NodeCondition| condition.type_ == "Ready" && condition.status == "True";
    let taints = node.spec.as_ref().and_then(|spec| spec.taints.as_ref());
    conditions.is_some_and(|all| all.iter().any(ready)) && taints.is_none_or(Vec::is_empty)
}
