//! What the definitions forbid is refused by the API server with the message that they promise, and
//! nothing else is.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use kube::Api;
use kube::api::{DynamicObject, PostParams};
use kube::core::{ApiResource, GroupVersionKind};
use pillion_cluster::Cluster;
use serde_json::{Value, json};

use crate::support::cluster::{refusal, shared};

use super::{providers, routes};

/// A spec, and the field and message of the one thing that is wrong with it; or none.
pub(super) struct Case {
    pub(super) spec: Value,
    pub(super) expected: Option<(&'static str, &'static str)>,
}

/// With `field: message` as what is wrong.
pub(super) fn bad(spec: Value, expected: &'static str) -> Case {
    Case { spec, expected: Some(expected.split_once(": ").unwrap()) }
}

pub(super) fn good(spec: Value) -> Case {
    Case { spec, expected: None }
}

/// `fields` in addition to those of `base`, in place of those of the same name.
pub(super) fn with(mut base: Value, fields: Value) -> Value {
    let Value::Object(fields) = fields else { panic!("not an object: {fields}") };
    base.as_object_mut().unwrap().extend(fields);
    base
}

/// Asks the API server what it would do with `spec`, and says how that differs from what is
/// expected.
async fn wrong(cluster: &Cluster, kind: &str, case: &Case) -> Option<String> {
    let resource = ApiResource::from_gvk(&GroupVersionKind::gvk("pillion.dev", "v1alpha1", kind));
    let objects = Api::default_namespaced_with(cluster.client().unwrap(), &resource);
    let object = DynamicObject::new("case", &resource).data(json!({"spec": case.spec}));
    let dry_run = PostParams { dry_run: true, field_manager: None };
    let outcome = objects.create(&dry_run, &object).await;
    let told = match (case.expected, outcome) {
        (None, Ok(_)) => return None,
        (Some((field, message)), outcome @ Err(_)) => {
            let causes = refusal(outcome).details.unwrap().causes;
            // Said beside whatever a schema refuses, of an object that has rules too.
            let unchecked = "some validation rules were not checked";
            let told: Vec<_> =
                causes.iter().filter(|cause| !cause.message.contains(unchecked)).collect();
            let about = !told.is_empty() && told.iter().all(|cause| cause.field == field);
            if about && told.iter().any(|cause| cause.message.contains(message)) {
                return None;
            }
            format!("{told:?}")
        }
        (_, outcome) => format!("{outcome:?}"),
    };
    Some(format!("{kind} {}\n  expected {:?}\n  got {told}", case.spec, case.expected))
}

#[tokio::test]
async fn what_the_definitions_forbid_and_nothing_else() {
    let cluster = shared().await;
    let mut faults = Vec::new();
    let (routes, providers) = (routes::cases(), providers::cases());
    for case in &routes {
        faults.extend(wrong(cluster, "LlmRoute", case).await);
    }
    for case in &providers {
        faults.extend(wrong(cluster, "ProviderSecret", case).await);
    }
    assert!(faults.is_empty(), "{} of them:\n{}", faults.len(), faults.join("\n"));
}

/// The messages of the rules in a definition.
fn messages(schema: &Value, found: &mut BTreeSet<String>) {
    match schema {
        Value::Object(fields) => {
            let rules = fields.get("x-kubernetes-validations").and_then(Value::as_array);
            for rule in rules.into_iter().flatten() {
                found.insert(rule["message"].as_str().unwrap().to_owned());
            }
            fields.values().for_each(|field| messages(field, found));
        }
        Value::Array(items) => items.iter().for_each(|item| messages(item, found)),
        _ => {}
    }
}

#[test]
fn every_rule_has_its_case() {
    let mut rules = BTreeSet::new();
    for name in ["llmroutes", "providersecrets"] {
        let path = format!("crds/pillion.dev_{name}.yaml");
        let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap();
        messages(&serde_norway::from_str(&text).unwrap(), &mut rules);
    }
    let cases: Vec<Case> = routes::cases().into_iter().chain(providers::cases()).collect();
    let said: Vec<&str> = cases.iter().filter_map(|case| Some(case.expected?.1)).collect();
    let missing: Vec<_> = rules.iter().filter(|rule| !said.contains(&rule.as_str())).collect();
    assert!(missing.is_empty(), "rules without a case in tests/it/cluster: {missing:?}");
    assert!(rules.len() > 5);
}

/// Typing errors: kubectl asks the API server to be strict.
#[tokio::test]
async fn kubectl_is_told_of_unknown_fields() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("route.yaml");
    let text = "
        apiVersion: pillion.dev/v1alpha1
        kind: LlmRoute
        metadata: { name: typo }
        spec: { rules: [{ target: [], targets: [{ provider: { name: p } }] }] }
    ";
    fs::write(&path, text).unwrap();
    let output = shared().await.kubectl(&["apply", "-f", path.to_str().unwrap()]).await.unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    assert!(errors.contains(r#"unknown field "spec.rules[0].target""#), "{errors}");
}
