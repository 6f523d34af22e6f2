//! Pillion on a node, as its chart installs it, with two applications that call: what `make cluster`
//! is where it is root.

use std::path::Path;

use crate::namespace::{self, NAMESPACE};
use crate::screen::Screen;
use crate::site::Site;
use crate::steps;

const APPLICATIONS: &str = include_str!("../manifests/applications.yaml");

/// Installs everything and waits until both routes run, which takes half a minute.
///
/// # Errors
/// When something does not come up.
pub async fn set_up(site: &Site, screen: &Screen) -> anyhow::Result<()> {
    screen.line("Pillion", "helm install: controller and webhook, two replicas")?;
    site.install()?;
    site.await_controllers().await?;
    screen.line("provider", "a script, as a pod; its keys are made up")?;
    site.start_provider().await?;
    screen
        .line("pods", "chat and agent call every five seconds: a label, and with it a sidecar")?;
    let cluster = site.node.cluster();
    namespace::create(cluster).await?;
    namespace::write_routes(cluster, "provider.provider").await?;
    cluster.apply(NAMESPACE, APPLICATIONS).await?;
    for pod in ["pod/chat", "pod/agent"] {
        site.wait(NAMESPACE, pod, "condition=Ready").await?;
    }
    namespace::programmed(cluster).await
}

/// What another terminal needs before the steps; `pillion` is the binary.
pub fn environment(site: &Site, pillion: &Path) -> Vec<String> {
    let cluster = site.node.cluster();
    let folders = [cluster.tools(), site.helm.folder(), pillion.parent().unwrap_or(pillion)];
    steps::environment(cluster.kubeconfig(), &folders)
}
