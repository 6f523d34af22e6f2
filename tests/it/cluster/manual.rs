//! `kubectl explain` reads as a manual: each field of each resource has its text.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::support::cluster::{kubectl, shared};

/// The paths of everything in `schema` that has fields of its own, below `path`.
fn objects(schema: &Value, path: &str, found: &mut Vec<String>) {
    let item = schema.get("items").unwrap_or(schema);
    let Some(properties) = item.get("properties").and_then(Value::as_object) else { return };
    found.push(path.to_owned());
    for (name, property) in properties {
        objects(property, &format!("{path}.{name}"), found);
    }
}

#[tokio::test]
async fn explain_has_a_text_for_every_field() {
    let cluster = shared().await;
    let mut paths = Vec::new();
    for name in ["llmroutes", "providersecrets"] {
        let file = format!("crds/pillion.dev_{name}.yaml");
        let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap();
        let definition: Value = serde_norway::from_str(&text).unwrap();
        let schema = &definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
        objects(schema, name, &mut paths);
    }
    assert!(paths.len() > 20, "{paths:?}");
    for path in &paths {
        let page = kubectl(cluster, &["explain", path]).await;
        assert!(page.contains("\nDESCRIPTION:\n"), "{path}: {page}");
        assert!(page.contains("\nFIELDS:\n"), "{path}: {page}");
        assert!(!page.contains("<empty>"), "{path} has no text: {page}");
        assert!(!page.contains("<no description>"), "a field of {path} has no text: {page}");
    }
}

#[tokio::test]
async fn explain_shows_what_a_field_means_and_may_be() {
    let cluster = shared().await;
    let page = kubectl(cluster, &["explain", "providersecret.spec.clientCredentials"]).await;
    assert!(page.contains("ENUM:\n    Replace\n    Forward\n    ForwardIfProviderKey\n"), "{page}");
    assert!(page.contains("What happens to credentials that the caller sends."), "{page}");
}
