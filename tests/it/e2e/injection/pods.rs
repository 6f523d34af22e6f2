//! Pods of every shape, as the API server makes them.

use std::fs;

use pillion::feed::documents;
use serde_json::Value;

use super::{Injection, asking, is_injected, pod};
use crate::support::cluster::refusal;

/// Of the fixtures, what the API server itself has another opinion of.
const PASSED_OVER: [&str; 3] = [
    // It drops what it does not know before it asks.
    "fields_of_the_future",
    // Its settings are not the controller's.
    "all_settings",
    // No pod may say so of itself.
    "mirror_pod",
];

#[track_caller]
fn yaml(path: &str) -> Value {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{path}: {error}"));
    documents::values(&text).remove(0).unwrap()
}

/// Is all of `part` in `whole`? Lists may have more items, in order.
fn contains(whole: &Value, part: &Value) -> bool {
    match (whole, part) {
        (Value::Object(whole), Value::Object(part)) => part
            .iter()
            .all(|(name, part)| whole.get(name).is_some_and(|whole| contains(whole, part))),
        (Value::Array(whole), Value::Array(part)) => {
            let mut whole = whole.iter();
            part.iter().all(|part| whole.any(|whole| contains(whole, part)))
        }
        (whole, part) => whole == part,
    }
}

/// Takes out what is another in this cluster, or what the API server writes in another form.
fn comparable(mut pod: Value) -> Value {
    let metadata = pod["metadata"].as_object_mut().unwrap();
    metadata.remove("namespace");
    if let Some(Value::Object(annotations)) = metadata.get_mut("annotations") {
        annotations.remove("pillion.dev/controller-ca");
    }
    let lists = ["initContainers", "containers"];
    for list in lists {
        for container in pod["spec"][list].as_array_mut().into_iter().flatten() {
            if container["name"] == "pillion" {
                container.as_object_mut().unwrap().remove("image");
            }
            // An empty value is none.
            for variable in container["env"].as_array_mut().into_iter().flatten() {
                variable.as_object_mut().unwrap().retain(|_, value| value != "");
            }
        }
    }
    pod
}

#[test]
fn pods_become_what_the_fixtures_say() {
    let injection = Injection::new();
    injection.label_namespace(&[("pillion.dev/inject", "true")]);
    injection
        .stage
        .block_on(injection.stage.cluster().service_account(&injection.stage.namespace, "app"))
        .unwrap();
    let mut seen = 0;
    for entry in fs::read_dir("tests/fixtures/inject").unwrap() {
        let folder = entry.unwrap().path();
        let name = folder.file_name().unwrap().to_str().unwrap();
        let file = |file: &str| folder.join(file).to_str().unwrap().to_owned();
        if PASSED_OVER.contains(&name) {
            continue;
        }
        let mut asked = yaml(&file("in.yaml"));
        asked["metadata"].as_object_mut().unwrap().remove("namespace");
        let became = injection.try_out(&asked);
        match fs::read_to_string(file("out.txt")) {
            Ok(said) if said.starts_with("refused: ") => {
                let status = refusal(became);
                let said = said.trim().strip_prefix("refused: ").unwrap();
                assert_eq!(status.code, 400, "{name}: {status:?}");
                assert!(status.message.ends_with(said), "{name}: {status:?}");
            }
            Ok(_) => {
                let pod = serde_json::to_value(became.unwrap()).unwrap();
                assert!(!pod.to_string().contains("OPENAI_API_BASE"), "{name}: {pod}");
            }
            Err(_) => {
                let pod = serde_json::to_value(became.unwrap()).unwrap();
                let expected = comparable(yaml(&file("out.yaml")));
                let pod = comparable(pod);
                assert!(contains(&pod, &expected), "{name}: {pod:#} without all of {expected:#}");
            }
        }
        seen += 1;
    }
    assert!(seen > 30);
}

#[test]
fn who_is_asked_about_is_said_by_two_labels() {
    let injection = Injection::new();
    let is = |pod: &Value| is_injected(&injection.try_out(pod).unwrap());
    let (yes, no) = ([("pillion.dev/inject", "true")], [("pillion.dev/inject", "false")]);
    assert!(is(&pod("a", &yes)));
    assert!(!is(&pod("a", &[])) && !is(&pod("a", &no)));
    injection.label_namespace(&yes);
    assert!(is(&pod("a", &yes)) && is(&pod("a", &[])));
    assert!(!is(&pod("a", &no)));
    injection.label_namespace(&no);
    assert!(!is(&pod("a", &yes)) && !is(&pod("a", &[])));
}

#[test]
fn a_sidecar_is_given_the_ca_and_comes_once() {
    let injection = Injection::new();
    let made = injection.create(&asking("app")).unwrap();
    let annotations = made.metadata.annotations.as_ref().unwrap();
    assert_eq!(annotations["pillion.dev/controller-ca"], injection.stage.ca());
    assert_eq!(annotations["pillion.dev/injected"], env!("CARGO_PKG_VERSION"));
    // Somebody creates what `kubectl get` has shown, with a container more.
    let mut copy = serde_json::to_value(&made).unwrap();
    copy["metadata"] = serde_json::json!({
        "name": "copy",
        "labels": copy["metadata"]["labels"],
        "annotations": copy["metadata"]["annotations"],
    });
    let mut late = copy["spec"]["containers"][0].clone();
    late["name"] = "late".into();
    late["env"] = Value::Null;
    copy["spec"]["containers"].as_array_mut().unwrap().push(late);
    let copied = injection.create(&copy).unwrap();
    assert!(is_injected(&copied));
    assert_eq!(copied.spec.as_ref().unwrap().init_containers.as_ref().unwrap().len(), 1);
    let reviews = injection.controller.page("/metrics").1;
    for outcome in ["injected", "completed"] {
        let series =
            format!("pillion_injection_reviews_total{{outcome=\"{outcome}\",reason=\"\"}}");
        assert!(reviews.contains(&series), "{reviews}");
    }
    assert!(reviews.contains("pillion_injection_review_seconds_count"), "{reviews}");
}

#[test]
fn who_asked_is_warned_when_there_is_no_sidecar() {
    let injection = Injection::new();
    let namespace = &injection.stage.namespace;
    let mut host = asking("host");
    host["spec"]["hostNetwork"] = true.into();
    let mut typo = asking("typo");
    typo["metadata"]["annotations"] = serde_json::json!({ "pillion.dev/prot": "9000" });
    for (pod, said) in [(host, "uses the host's network"), (typo, "pillion.dev/prot")] {
        let name = format!("{namespace}-{}.json", pod["metadata"]["name"].as_str().unwrap());
        let file = injection.stage.cluster().write(&name, &pod.to_string()).unwrap();
        let arguments =
            ["create", "--dry-run=server", "-n", namespace, "-f", file.to_str().unwrap()];
        let output = injection.stage.block_on(injection.stage.cluster().kubectl(&arguments));
        let error = String::from_utf8(output.unwrap().stderr).unwrap();
        assert!(error.contains("Warning: pillion") && error.contains(said), "{error}");
    }
}

#[test]
fn a_restricted_namespace_takes_the_sidecar() {
    let injection = Injection::new();
    injection.label_namespace(&[
        ("pillion.dev/inject", "true"),
        ("pod-security.kubernetes.io/enforce", "restricted"),
        ("pod-security.kubernetes.io/enforce-version", "latest"),
    ]);
    assert_eq!(refusal(injection.create(&pod("loose", &[]))).code, 403);
    let mut strict = pod("strict", &[]);
    strict["spec"]["securityContext"] =
        serde_json::json!({ "runAsNonRoot": true, "seccompProfile": { "type": "RuntimeDefault" } });
    strict["spec"]["containers"][0]["securityContext"] = serde_json::json!({
        "allowPrivilegeEscalation": false,
        "capabilities": { "drop": ["ALL"] },
    });
    assert!(is_injected(&injection.create(&strict).unwrap()));
    // What the pod says of all its containers must not be what makes ours fit.
    let context = &mut strict["spec"]["securityContext"];
    let context = std::mem::take(context);
    strict["spec"]["containers"][0]["securityContext"]["runAsNonRoot"] = true.into();
    strict["spec"]["containers"][0]["securityContext"]["seccompProfile"] =
        context["seccompProfile"].clone();
    strict["metadata"]["name"] = "by-container".into();
    assert!(is_injected(&injection.create(&strict).unwrap()));
}
