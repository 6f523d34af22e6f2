//! An API server that is away, and one that holds what nobody can read.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::Api;
use kube::api::{Patch, PatchParams};
use pillion::api::{LlmRoute, ProviderSecret};
use pillion::bundle::push::AUDIENCE;
use serde_json::json;
use tempfile::TempDir;

use super::replicas::runs;
use super::stage::Stage;
use super::traffic::{Traffic, telling};
use crate::support::dialects::CHAT;
use crate::support::yaml::{all_to, object, provider};

const CALL: &str = r#"{"model":"m","messages":[]}"#;

#[test]
fn fault_38_an_api_server_that_is_away_costs_no_call_and_all_recovers_by_itself() {
    let mut stage = Stage::alone();
    let (first, second) = (telling("first"), telling("second"));
    stage.apply(&(provider("there", &first.url(), "") + &all_to("there")));
    let controller = stage.controller("one");
    let sidecar = stage.sidecar(&stage.pod("app", &[]));
    let traffic = Traffic::through(&sidecar);
    traffic.goes_on(10);

    // One that ran before, and one that never did.
    let (cache, pod) = (TempDir::new().unwrap(), stage.pod("again", &[]));
    let cached = || {
        let seat = stage.seat(&stage.token(&pod, AUDIENCE));
        (seat.launch.flag("--cache", cache.path().to_str().unwrap()), seat.files)
    };
    let (launch, files) = cached();
    drop(launch.start_from(files));
    let (launch, files) = cached();
    let late = stage.seat(&stage.token(&stage.pod("late", &[]), AUDIENCE));

    stage.stop_api();
    controller.wait_log(|line| line["message"].as_str().unwrap().starts_with("a watch fails"));
    let again = launch.start_from(files);
    let answer = again.client().post(CHAT.target, &[], CALL);
    assert_eq!((answer.status(), answer.text()), (200, "\"first\""));
    let late = late.launch.without_waiting().start_from(late.files);
    late.wait_log(|line| line["message"].as_str().unwrap().contains("503"));
    assert_eq!(late.page("/readyz").0, 503);
    assert_eq!(late.client().post(CHAT.target, &[], CALL).status(), 503);
    assert_eq!(controller.page("/readyz").0, 200, "it has what it had");
    traffic.goes_on(100);

    stage.start_api();
    stage.apply(&provider("there", &second.url(), ""));
    sidecar.until(|answer| answer.text() == "\"second\"");
    late.wait_ready();
    stage.until::<LlmRoute>("everything", |route| runs(route, 3));
    traffic.goes_on(10);
}

/// Lets the API server take whatever stands under `spec`, as an older definition might have.
fn loosen(stage: &Stage, plural: &str) {
    let definitions: Api<CustomResourceDefinition> = Api::all(stage.client.clone());
    let anything = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    let patch = json!([{
        "op": "replace",
        "path": "/spec/versions/0/schema/openAPIV3Schema/properties/spec",
        "value": anything,
    }]);
    let patch: Patch<()> = Patch::Json(serde_json::from_value(patch).unwrap());
    let name = format!("{plural}.pillion.dev");
    let parameters = PatchParams::default();
    drop(stage.block_on(definitions.patch(&name, &parameters, &patch)).unwrap());
}

/// Applies what a definition refuses until it has been loosened everywhere.
fn force(stage: &Stage, yaml: &str) {
    let applied = async { while stage.cluster().apply(&stage.namespace, yaml).await.is_err() {} };
    stage.block_on(applied);
}

/// By kubectl, which need not know what a route is.
fn kubectl(stage: &Stage, verb: &str, arguments: &[&str]) -> String {
    let whose = [verb, "llmroute", "broken", "--namespace", &stage.namespace];
    stage.kubectl(&[&whose[..], arguments].concat())
}

#[test]
fn fault_39_what_cannot_be_read_stops_no_watch_and_is_said() {
    const UNDECODABLE: &str = "pillion_controller_undecodable_objects";
    let stage = Stage::alone();
    let (first, second) = (telling("first"), telling("second"));
    stage.apply(&(provider("there", &first.url(), "") + &all_to("there")));
    let mut controller = stage.controller("one");
    let sidecar = stage.sidecar(&stage.pod("app", &[]));
    let traffic = Traffic::through(&sidecar);
    traffic.goes_on(10);
    loosen(&stage, "llmroutes");
    loosen(&stage, "providersecrets");

    // Another object, and the one that runs: its last good version goes on.
    let broken = |name: &str| object("LlmRoute", name, "  rules: none\n");
    let here = format!("namespace: {}", stage.namespace);
    force(&stage, &broken("broken").replace("namespace: default", &here));
    let condition = "--for=jsonpath={.status.conditions[0].reason}=Undecodable";
    kubectl(&stage, "wait", &[condition, "--timeout=20s"]);
    stage.apply(&provider("there", &second.url(), ""));
    sidecar.until(|answer| answer.text() == "\"second\"");
    force(&stage, &broken("everything").replace("namespace: default", &here));
    controller.wait_metric(UNDECODABLE, 2.0);
    traffic.goes_on(20);

    // One that starts with them there lists all the same; what is right again runs.
    stage.apply(&all_to("there"));
    controller.wait_metric(UNDECODABLE, 1.0);
    controller.kill();
    let controller = stage.controller("two");
    assert_eq!(controller.metric(UNDECODABLE), 1.0);
    stage.apply(&provider("there", &first.url(), ""));
    sidecar.until(|answer| answer.text() == "\"first\"");
    kubectl(&stage, "delete", &[]);
    controller.wait_metric(UNDECODABLE, 0.0);
    traffic.goes_on(10);
    drop(traffic);

    // FAULTS 30: what a definition would have refused, the controller refuses too.
    for header in ["Host", "Content-Length", ":path", "x-a\\r\\nx-evil"] {
        let headers = format!("  headers: {{ set: {{ \"{header}\": \"1\" }} }}\n");
        let yaml = provider("there", &first.url(), &headers);
        force(&stage, &yaml.replace("namespace: default", &here));
        let judged = stage.until::<ProviderSecret>("there", |provider| {
            let status = provider.status.as_ref();
            status.is_some_and(|status| {
                status.conditions.iter().any(|condition| {
                    condition.reason == "Invalid"
                        && condition.observed_generation == provider.metadata.generation
                })
            })
        });
        let status = serde_json::to_string(&judged.status).unwrap();
        assert!(status.contains("spec.headers"), "{status}");
        assert!(first.requests().iter().all(|sent| sent.head.header("x-evil").is_none()));
    }
}
