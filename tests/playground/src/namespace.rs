//! The namespace of the applications and their routes, in either kind of cluster.

use anyhow::ensure;
use kube::Api;
use kube::api::DynamicObject;
use kube::core::{ApiResource, GroupVersionKind};
use pillion_cluster::{Cluster, until};

/// Its name.
pub(crate) const NAMESPACE: &str = "playground";

const NAMESPACE_ITSELF: &str = include_str!("../manifests/namespace.yaml");
const ROUTES: &str = include_str!("../manifests/routes.yaml");

/// Makes it, and makes it the one that kubectl and `pillion status` look at.
pub(crate) async fn create(cluster: &Cluster) -> anyhow::Result<()> {
    cluster.apply(NAMESPACE, NAMESPACE_ITSELF).await?;
    let namespace = format!("--namespace={NAMESPACE}");
    let output = cluster.kubectl(&["config", "set-context", "--current", &namespace]).await?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "kubectl config: {said}");
    Ok(())
}

/// Writes the routes, which lead to a provider at this address.
pub(crate) async fn write_routes(cluster: &Cluster, provider: &str) -> anyhow::Result<()> {
    cluster.apply(NAMESPACE, &ROUTES.replace("PROVIDER", provider)).await.map(|_| ())
}

/// Waits until the controller says of the routes that they run.
pub(crate) async fn programmed(cluster: &Cluster) -> anyhow::Result<()> {
    let kind = GroupVersionKind::gvk("pillion.dev", "v1alpha1", "LlmRoute");
    let resource = ApiResource::from_gvk(&kind);
    let routes: Api<DynamicObject> = Api::namespaced_with(cluster.client()?, NAMESPACE, &resource);
    for name in ["chat", "agent"] {
        let what = format!("`Programmed` of LlmRoute {name}");
        until(&what, async || Ok(is_programmed(&routes.get(name).await?))).await?;
    }
    Ok(())
}

fn is_programmed(route: &DynamicObject) -> bool {
    let conditions = route.data.pointer("/status/conditions").and_then(|list| list.as_array());
    let mut conditions = conditions.into_iter().flatten();
    conditions.any(|condition| condition["type"] == "Programmed" && condition["status"] == "True")
}
