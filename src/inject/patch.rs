//! The operations (RFC 6902) that make a decision true of a pod, and their effect.
//!
//! All of them add, and none removes or replaces anything but our own annotations: whatever else
//! the pod says stays as it was written.

use serde::Serialize;
use serde_json::{Map, Value};

use super::decide::{self, Decision};
use super::settings::{Port, Settings};
use super::{CONTROLLER_CA, INJECTED, environment, sidecar};

/// One operation: put `value` at `path`; in an array, before what stands there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Operation {
    op: &'static str,
    path: String,
    value: Value,
}

/// What has to be done to a pod. The certificates are those that its sidecar is to believe.
pub fn operations(pod: &Value, decision: &Decision, authorities: &str) -> Vec<Operation> {
    match decision {
        Decision::Inject(settings) => inject(pod, settings, authorities),
        Decision::Complete(port) => {
            let mut operations = variables(pod, *port);
            operations.extend(annotations(pod, &[(CONTROLLER_CA, authorities)]));
            operations
        }
        Decision::Skip(_) | Decision::Refuse(_) => Vec::new(),
    }
}

/// Does what the operations say, as the API server would.
pub fn apply(pod: &mut Value, operations: &[Operation]) {
    for Operation { path, value, .. } in operations {
        let (parent, last) = path.rsplit_once('/').unwrap_or_default();
        match pod.pointer_mut(parent) {
            Some(Value::Array(items)) => {
                let at = last.parse().unwrap_or(items.len());
                items.insert(at.min(items.len()), value.clone());
            }
            Some(Value::Object(members)) => {
                let name = last.replace("~1", "/").replace("~0", "~");
                members.insert(name, value.clone());
            }
            _ => {}
        }
    }
}

fn inject(pod: &Value, settings: &Settings, authorities: &str) -> Vec<Operation> {
    let version = env!("CARGO_PKG_VERSION");
    let mut operations = variables(pod, settings.port);
    operations.extend(list(pod, "volumes", sidecar::volumes(), "-"));
    // Last: it moves those whose variables were added by number.
    let container = sidecar::container(settings);
    operations.extend(list(pod, "initContainers", vec![container], "0"));
    operations.extend(annotations(pod, &[(INJECTED, version), (CONTROLLER_CA, authorities)]));
    operations
}

/// Items into a list of the spec, at this place.
fn list(pod: &Value, name: &str, items: Vec<Value>, place: &str) -> Vec<Operation> {
    let there = pod.get("spec").and_then(|spec| spec.get(name));
    match there.is_some_and(Value::is_array) {
        true => items.into_iter().map(|it| add(format!("/spec/{name}/{place}"), it)).collect(),
        false => vec![add(format!("/spec/{name}"), items.into())],
    }
}

/// What containers lack, before what they have: others may then refer to it.
fn variables(pod: &Value, port: Port) -> Vec<Operation> {
    let mut operations = Vec::new();
    for name in ["initContainers", "containers"] {
        for (number, container) in decide::containers(pod, name).iter().enumerate() {
            if decide::is_sidecar(container) {
                continue;
            }
            let (missing, path) =
                (environment::missing(container, port), format!("/spec/{name}/{number}/env"));
            match container.get("env").is_some_and(Value::is_array) {
                true => operations.extend(
                    (0..).zip(missing).map(|(at, it): (usize, _)| add(format!("{path}/{at}"), it)),
                ),
                false if missing.is_empty() => {}
                false => operations.push(add(path, missing.into())),
            }
        }
    }
    operations
}

/// Annotations that do not say so yet. An empty one is not worth having.
fn annotations(pod: &Value, wanted: &[(&str, &str)]) -> Vec<Operation> {
    const PATH: &str = "/metadata/annotations";
    let there = decide::annotations(pod);
    let missing: Vec<_> = wanted
        .iter()
        .filter(|(name, text)| {
            !text.is_empty() && there.get(*name).and_then(Value::as_str) != Some(text)
        })
        .collect();
    if missing.is_empty() {
        return Vec::new();
    }
    if pod.pointer(PATH).is_some_and(Value::is_object) {
        let escaped = |name: &str| format!("{PATH}/{}", name.replace('/', "~1"));
        return missing.iter().map(|(name, text)| add(escaped(name), (*text).into())).collect();
    }
    let all = missing.iter().map(|(name, text)| ((*name).to_owned(), (*text).into()));
    let all: Value = all.collect::<Map<_, _>>().into();
    match pod.get("metadata").is_some_and(Value::is_object) {
        true => vec![add(PATH.to_owned(), all)],
        // A template need not have any.
        false => vec![add("/metadata".to_owned(), serde_json::json!({ "annotations": all }))],
    }
}

fn add(path: String, value: Value) -> Operation {
    Operation { op: "add", path, value }
}
