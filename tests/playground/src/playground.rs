//! All that runs, and the order in which it starts and ends.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::Context;
use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt;
use kube::api::DynamicObject;
use pillion_cluster::{Cluster, Settings};

use crate::namespace::{self, NAMESPACE};
use crate::provider::{Listener, Provider};
use crate::screen::Screen;
use crate::servers::{self, Server};

const PODS: &str = include_str!("../manifests/pods.yaml");

/// What runs; the fields stand in the order in which they are dropped.
#[derive(Debug)]
pub struct Playground {
    chat: Server,
    agent: Server,
    controller: Server,
    provider: Provider,
    cluster: Cluster,
    pillion: PathBuf,
}

// === impl Playground ===

impl Playground {
    /// Starts everything and waits until both routes run, which takes some ten seconds. `pillion`
    /// is the binary; `listener` hears of the requests that the provider gets.
    ///
    /// # Errors
    /// When something does not come up; the message has its last words.
    pub async fn start(
        pillion: &Path,
        screen: &Screen,
        listener: Listener,
    ) -> anyhow::Result<Self> {
        screen.line("cluster", "etcd and kube-apiserver start")?;
        let cluster = Cluster::start(Settings::default()).await?;
        screen.line("", "kube-controller-manager starts")?;
        cluster.start_controllers().await?;
        screen.line("Pillion", "the controller starts")?;
        namespace::create(&cluster).await?;
        let pods = pods(&cluster).await?;
        servers::allow(&cluster).await?;
        let controller = Server::controller(&cluster, pillion, "controller").await?;
        let provider = Provider::start(listener).context("the scripted provider")?;
        namespace::write_routes(&cluster, &provider.address.to_string()).await?;
        let sidecar =
            async |name| start_sidecar(&cluster, pillion, controller.address, &pods, name).await;
        screen.line("", "two sidecars start")?;
        let (chat, agent) = (sidecar("chat").await?, sidecar("agent").await?);
        namespace::programmed(&cluster).await?;
        let pillion = pillion.to_owned();
        Ok(Self { chat, agent, controller, provider, cluster, pillion })
    }

    /// Where the sidecar of pod `chat` takes calls.
    pub fn chat(&self) -> SocketAddr {
        self.chat.address
    }

    /// Where the sidecar of pod `agent` takes calls.
    pub fn agent(&self) -> SocketAddr {
        self.agent.address
    }

    /// The scripted provider.
    pub fn provider(&self) -> SocketAddr {
        self.provider.address
    }

    /// Which file kubectl needs.
    pub fn kubeconfig(&self) -> &Path {
        self.cluster.kubeconfig()
    }

    /// The folders with `kubectl` and `pillion`.
    pub fn programs(&self) -> [&Path; 2] {
        [self.cluster.tools(), self.pillion.parent().unwrap_or(&self.pillion)]
    }

    /// What the controller and the sidecars say.
    pub fn logs(&self) -> [&Path; 3] {
        [self.controller.log(), self.chat.log(), self.agent.log()]
    }
}

async fn pods(cluster: &Cluster) -> anyhow::Result<Vec<Pod>> {
    let applied = cluster.apply(NAMESPACE, PODS).await?;
    let pods = applied.into_iter().map(DynamicObject::try_parse);
    Ok(pods.collect::<Result<_, _>>()?)
}

async fn start_sidecar(
    cluster: &Cluster,
    pillion: &Path,
    controller: SocketAddr,
    pods: &[Pod],
    name: &str,
) -> anyhow::Result<Server> {
    let pod = pods.iter().find(|pod| pod.name_any() == name);
    let pod = pod.with_context(|| format!("manifests/pods.yaml has no pod {name}"))?;
    Server::sidecar(cluster, pillion, controller, pod).await
}
