//! Providers of another namespace, before a controller that watches all of them.

use k8s_openapi::api::core::v1::Namespace;
use kube::Api;
use kube::api::{Patch, PatchParams};
use serde_json::json;

use super::live::{last_key, named};
use super::roles;
use super::stage::Stage;
use crate::support::yaml::{bearer, key, object, provider};

/// Gives a namespace the label `team`, or takes it.
fn label(stage: &Stage, namespace: &str, team: Option<&str>) {
    let namespaces: Api<Namespace> = Api::all(stage.client.clone());
    let patch = Patch::Merge(json!({"metadata": {"labels": {"team": team}}}));
    stage.block_on(namespaces.patch(namespace, &PatchParams::default(), &patch)).unwrap();
}

#[test]
fn a_foreign_provider_is_refused_until_its_owner_allows_it() {
    let mut stage = Stage::alone();
    let upstream = named("owned");
    let owner = stage.block_on(stage.cluster().namespace()).unwrap();
    let allow = |from: &str| {
        let more = format!("  allowedRoutes: {{ namespaces: {from} }}\n");
        let yaml = provider("owned", &upstream.url(), &more);
        stage.apply(&yaml.replace("namespace: default", &format!("namespace: {owner}")));
    };
    allow("{ from: Same }");
    let target = format!("{{ provider: {{ name: owned, namespace: {owner} }} }}");
    let rules = format!("  rules: [{{ name: all, targets: [{target}] }}]\n");
    stage.apply(&object("LlmRoute", "foreign", &rules));
    let mut controller = stage.controller("one");
    let sidecar = stage.sidecar(&stage.pod("app", &[]));
    assert_eq!(sidecar.call().refusal(), "503 unservable openai/server_error");
    assert!(!sidecar.cached().is_empty() && !sidecar.cached().contains(&key("owned")));
    stage.until_said("foreign", "ResolvedRefs", "RefNotPermitted");

    allow("{ from: All }");
    sidecar.until(|answer| answer.status() == 200);
    assert_eq!(last_key(&upstream), bearer("owned"));
    stage.until_said("foreign", "ResolvedRefs", "ResolvedRefs");

    allow("{ from: Selector, selector: { matchLabels: { team: search } } }");
    sidecar.until(|answer| answer.status() == 503);
    label(&stage, &stage.namespace, Some("search"));
    sidecar.until(|answer| answer.status() == 200);
    label(&stage, &stage.namespace, Some("support"));
    sidecar.until(|answer| answer.status() == 503);
    label(&stage, &stage.namespace, Some("search"));
    sidecar.until(|answer| answer.status() == 200);

    // The owner's own pods go on, wherever its other guests are.
    let pod = stage.pod_in(&owner, "own", &[]);
    let own = stage.sidecar(&pod);
    assert_eq!(own.call().status(), 404);
    assert_eq!(controller.complaints(), Vec::<String>::new());
    assert!(controller.stop().success());
    roles::check(&stage);

    // Whoever runs does so without the controller and the API server.
    stage.stop_api();
    assert_eq!(sidecar.call().status(), 200);
    stage.start_api();
}
