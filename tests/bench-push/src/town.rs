//! The objects: one namespace with the sidecars' pods and the route that is edited, and many with
//! routes that concern nobody here.

use anyhow::Context;
use futures_util::future::try_join_all;
use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use kube::api::{DynamicObject, Patch, PatchParams, PostParams};
use kube::core::{ApiResource, GroupVersionKind};
use pillion_cluster::Cluster;
use pillion_playground::servers;
use serde_json::{Value, json};
use tokio::time::Instant;

/// Where the sidecars' pods are.
const NAMESPACE: &str = "bench";
/// Requests to the API server at once.
const AT_ONCE: usize = 16;
const OBJECTS: &str = "
apiVersion: v1
kind: Namespace
metadata: { name: bench }
---
apiVersion: v1
kind: ServiceAccount
metadata: { name: default, namespace: bench }
---
apiVersion: v1
kind: Secret
metadata: { name: keys }
stringData: { key: made-up-key-of-the-benchmark }
---
apiVersion: pillion.dev/v1alpha1
kind: ProviderSecret
metadata: { name: openai }
spec: { provider: OpenAi, keys: [{ name: main, secretRef: { name: keys, key: key } }] }
---
apiVersion: pillion.dev/v1alpha1
kind: LlmRoute
metadata: { name: chat }
spec:
  workloads: { podSelector: { matchLabels: { app: chat } } }
  rules:
    - name: gpt
      matches: [{ model: \"gpt-*\" }]
      targets: [{ provider: { name: openai }, model: edition-0 }]
";

/// A pod with its sidecar's token.
#[derive(Debug, Clone)]
pub(crate) struct Resident {
    pub(crate) pod: Pod,
    pub(crate) token: String,
}

/// Makes the namespace and its route.
pub(crate) async fn found(cluster: &Cluster) -> anyhow::Result<()> {
    cluster.apply(NAMESPACE, OBJECTS).await?;
    Ok(())
}

/// Makes so many pods.
pub(crate) async fn settle(cluster: &Cluster, count: usize) -> anyhow::Result<Vec<Resident>> {
    let mut residents = Vec::new();
    let names: Vec<usize> = (0..count).collect();
    for names in names.chunks(AT_ONCE) {
        let made = names.iter().map(|number| resident(cluster, *number));
        residents.extend(try_join_all(made).await?);
    }
    Ok(residents)
}

/// Makes the route send calls to another model, and says when the API server had answered.
pub(crate) async fn edit(cluster: &Cluster, edition: u64) -> anyhow::Result<Instant> {
    let model = format!("edition-{edition}");
    let patch = json!([
        {"op": "replace", "path": "/spec/rules/0/targets/0/model", "value": model}
    ]);
    let patch: Patch<()> = Patch::Json(serde_json::from_value(patch)?);
    let routes = routes(cluster, NAMESPACE)?;
    routes.patch("chat", &PatchParams::default(), &patch).await.context("an edit")?;
    Ok(Instant::now())
}

/// Makes namespaces with a provider and routes each.
pub(crate) async fn crowd(
    cluster: &Cluster,
    namespaces: usize,
    routes: usize,
) -> anyhow::Result<()> {
    let numbers: Vec<usize> = (0..namespaces).collect();
    for numbers in numbers.chunks(AT_ONCE) {
        try_join_all(numbers.iter().map(|number| village(cluster, *number, routes))).await?;
    }
    Ok(())
}

async fn resident(cluster: &Cluster, number: usize) -> anyhow::Result<Resident> {
    let pods: Api<Pod> = Api::namespaced(cluster.client()?, NAMESPACE);
    let pod = json!({
        "metadata": {"name": format!("chat-{number}"), "labels": {"app": "chat"}},
        "spec": {"containers": [{"name": "app", "image": "application"}]},
    });
    let pod = pods.create(&PostParams::default(), &serde_json::from_value(pod)?).await?;
    let token = servers::token(cluster, &pod).await?;
    Ok(Resident { pod, token })
}

async fn village(cluster: &Cluster, number: usize, count: usize) -> anyhow::Result<()> {
    let name = format!("team-{number}");
    let home = json!({
        "apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name},
    });
    let key = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "keys", "namespace": name},
        "stringData": {"key": "made-up-key-of-a-team"},
    });
    let key_ref = json!({"name": "keys", "key": "key"});
    let provider = json!({
        "apiVersion": "pillion.dev/v1alpha1", "kind": "ProviderSecret",
        "metadata": {"name": "openai", "namespace": name},
        "spec": {"provider": "OpenAi", "keys": [{"name": "main", "secretRef": key_ref}]},
    });
    let yaml = [home, key, provider].map(|object| object.to_string()).join("\n---\n");
    cluster.apply(&name, &yaml).await?;
    let routes = routes(cluster, &name)?;
    for number in 0..count {
        let route = serde_json::from_value(route(number))?;
        routes.create(&PostParams::default(), &route).await.context("a route")?;
    }
    Ok(())
}

fn route(number: usize) -> Value {
    let app = format!("app-{number}");
    json!({
        "apiVersion": "pillion.dev/v1alpha1", "kind": "LlmRoute", "metadata": {"name": app},
        "spec": {
            "workloads": {"podSelector": {"matchLabels": {"app": app}}},
            "rules": [
                {"name": "gpt", "matches": [{"model": "gpt-*"}],
                 "targets": [{"provider": {"name": "openai"}}]},
                {"name": "alias", "matches": [{"model": "fast"}, {"model": "small"}],
                 "targets": [{"provider": {"name": "openai"}, "model": "gpt-4o-mini"}]},
            ],
        },
    })
}

fn routes(cluster: &Cluster, namespace: &str) -> anyhow::Result<Api<DynamicObject>> {
    let kind = GroupVersionKind::gvk("pillion.dev", "v1alpha1", "LlmRoute");
    Ok(Api::namespaced_with(cluster.client()?, namespace, &ApiResource::from_gvk(&kind)))
}
