//! The container that is put in, and its volumes.
//!
//! It fits the restricted Pod Security Standard, whatever the pod's own security context says. Its
//! token and the certificates by which it believes its controller come by a projected volume, the
//! latter from the pod's own annotation: no object in the pod's namespace is needed.

use serde_json::{Value, json};

use super::settings::{Amounts, Port, Settings};
use super::{CONTAINER, CONTROLLER_CA};

/// The volumes' names.
pub(super) const VOLUMES: [&str; 2] = [IDENTITY, CACHE];

const IDENTITY: &str = "pillion-identity";
const CACHE: &str = "pillion-cache";
/// Where `pillion proxy` looks unless it is told otherwise.
const IDENTITY_PATH: &str = "/var/run/secrets/pillion.dev";
const CACHE_PATH: &str = "/var/run/pillion";
/// The longest bundle twice, for one is written beside the other, and some room.
const CACHE_SIZE: &str = "40Mi";
/// The image's own.
const USER: u32 = 65532;
const AUDIENCE: &str = "pillion.dev";
/// How long the first table may take, in seconds: the application starts after it.
const PATIENCE: u32 = 120;

/// The container.
pub(super) fn container(settings: &Settings) -> Value {
    json!({
        "name": CONTAINER,
        "image": settings.image.as_str(),
        "imagePullPolicy": settings.image_pull_policy.as_str(),
        "args": arguments(settings),
        "restartPolicy": "Always",
        "ports": [{
            "name": "pillion-admin",
            "containerPort": settings.admin_port.number(),
            "protocol": "TCP",
        }],
        "startupProbe": probe(settings, 1, PATIENCE),
        "readinessProbe": probe(settings, 5, 2),
        "resources": resources(settings),
        "securityContext": {
            "allowPrivilegeEscalation": false,
            "capabilities": { "drop": ["ALL"] },
            "privileged": false,
            "readOnlyRootFilesystem": true,
            "runAsGroup": USER,
            "runAsNonRoot": true,
            "runAsUser": USER,
            "seccompProfile": { "type": "RuntimeDefault" },
        },
        "volumeMounts": [
            { "name": IDENTITY, "mountPath": IDENTITY_PATH, "readOnly": true },
            { "name": CACHE, "mountPath": CACHE_PATH },
        ],
    })
}

/// Its volumes.
pub(super) fn volumes() -> Vec<Value> {
    let field = format!("metadata.annotations['{CONTROLLER_CA}']");
    let token = json!({ "audience": AUDIENCE, "expirationSeconds": 3600, "path": "token" });
    let authorities = json!({ "path": "ca.crt", "fieldRef": { "fieldPath": field } });
    vec![
        json!({ "name": IDENTITY, "projected": { "sources": [
            { "serviceAccountToken": token },
            { "downwardAPI": { "items": [authorities] } },
        ] } }),
        json!({ "name": CACHE, "emptyDir": { "medium": "Memory", "sizeLimit": CACHE_SIZE } }),
    ]
}

/// Where such a container listens.
pub(super) fn port(container: &Value) -> Option<Port> {
    let arguments = container.get("args")?.as_array()?;
    let at = arguments.iter().position(|argument| argument == "--listen")?;
    arguments.get(at + 1)?.as_str()?.strip_prefix("127.0.0.1:")?.parse().ok()
}

fn arguments(settings: &Settings) -> Value {
    json!([
        "proxy",
        "--controller",
        settings.controller.as_str(),
        "--listen",
        format!("127.0.0.1:{}", settings.port),
        "--admin",
        format!("[::]:{}", settings.admin_port),
        "--cache",
        CACHE_PATH,
        "--log",
        settings.log_level.as_str(),
        "--access-log",
        settings.access_log.as_str(),
    ])
}

fn probe(settings: &Settings, seconds: u32, failures: u32) -> Value {
    json!({
        "httpGet": { "path": "/readyz", "port": settings.admin_port.number() },
        "periodSeconds": seconds,
        "timeoutSeconds": 1,
        "failureThreshold": failures,
    })
}

fn resources(settings: &Settings) -> Value {
    let lists =
        [("requests", &settings.resources.requests), ("limits", &settings.resources.limits)];
    let set = lists.into_iter().filter(|(_, amounts)| **amounts != Amounts::default());
    set.map(|(name, amounts)| (name.to_owned(), list(amounts)))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

fn list(amounts: &Amounts) -> Value {
    let amounts = [("cpu", &amounts.cpu), ("memory", &amounts.memory)];
    let set = amounts.into_iter().filter_map(|(name, amount)| Some((name, amount.as_ref()?)));
    set.map(|(name, amount)| (name.to_owned(), amount.to_string().into()))
        .collect::<serde_json::Map<_, _>>()
        .into()
}
