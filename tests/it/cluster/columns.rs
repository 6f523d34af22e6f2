//! What `kubectl get` shows.

use serde_json::{Value, json};

use crate::support::cluster::{kubectl, shared};

const OBJECTS: &str = "
apiVersion: pillion.dev/v1alpha1
kind: ProviderSecret
metadata: { name: router }
spec: { provider: OpenRouter }
---
apiVersion: pillion.dev/v1alpha1
kind: LlmRoute
metadata: { name: chat }
spec: { rules: [{ targets: [{ provider: { name: router } }] }] }
";

#[tokio::test]
async fn get_prints_the_columns() {
    let cluster = shared().await;
    let namespace = cluster.namespace().await.unwrap();
    cluster.apply(&namespace, OBJECTS).await.unwrap();
    for (what, header, row) in [
        ("providersecrets", &["NAME", "PROVIDER", "AGE"][..], &["router", "OpenRouter"][..]),
        ("provsec", &["NAME", "PROVIDER", "AGE"], &["router", "OpenRouter"]),
        ("llmroutes", &["NAME", "AGE"], &["chat"]),
        ("llmr", &["NAME", "AGE"], &["chat"]),
    ] {
        let table = kubectl(cluster, &["get", what, "--namespace", &namespace]).await;
        let lines: Vec<Vec<&str>> =
            table.lines().map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(lines[0], header, "{table}");
        assert_eq!(lines[1][..row.len()], *row, "{table}");
        assert_eq!(lines.len(), 2, "{table}");
    }
    let both = kubectl(cluster, &["get", "pillion", "--namespace", &namespace]).await;
    assert!(both.contains("/router") && both.contains("/chat"), "{both}");
}

/// The defaults are the API server's too, so that `kubectl get -o yaml` tells what holds.
#[tokio::test]
async fn defaults_are_filled_in() {
    let cluster = shared().await;
    let namespace = cluster.namespace().await.unwrap();
    let applied = cluster.apply(&namespace, OBJECTS).await.unwrap();
    let [provider, route]: [Value; 2] = applied
        .into_iter()
        .map(|object| object.data["spec"].clone())
        .collect::<Vec<_>>()
        .try_into()
        .unwrap();
    assert_eq!(provider["clientCredentials"], "Replace");
    assert_eq!(provider["allowedRoutes"], json!({"namespaces": {"from": "Same"}}));
    assert_eq!(route["rules"][0]["targets"][0]["weight"], 1);
}
