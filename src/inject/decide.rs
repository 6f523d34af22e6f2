//! Is this pod to have a sidecar?
//!
//! A pure function of the pod, its namespace and the settings. That somebody asked is taken for
//! granted: the selectors of the webhook's configuration say whom the API server asks about.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use serde_json::{Map, Value};

use super::fault::Fault;
use super::settings::{Annotation, Port, Settings};
use super::{CONTAINER, INJECTED, LABEL, sidecar};

/// What is to be done with a pod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// It gets a sidecar with these settings.
    Inject(Box<Settings>),
    /// It has ours, which listens at this port: containers that came later get the variables.
    Complete(Port),
    /// It stays as it is.
    Skip(Skip),
    /// It is not created.
    Refuse(Fault),
}

/// Why a pod stays as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Skip {
    OptedOut,
    HostNetwork,
    Windows,
    MirrorPod,
    NamespaceNotServed,
    NameTaken,
    NotANewPod,
}

/// The namespaces whose pods find a controller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Served {
    /// Every one.
    All,
    /// These.
    Only(BTreeSet<String>),
}

/// Who wants the sidecar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    /// The pod itself, by its label.
    ByPod,
    /// Its namespace, or whoever calls.
    Otherwise,
}

/// What is to be done with this pod of this namespace.
pub fn decide(pod: &Value, namespace: &str, settings: &Settings, served: &Served) -> Decision {
    match wish(pod) {
        Err(fault) => return Decision::Refuse(fault),
        Ok(Some(Wish::No)) => return Decision::Skip(Skip::OptedOut),
        Ok(Some(Wish::Yes) | None) => {}
    }
    if let Some(port) = port_of_ours(pod) {
        return Decision::Complete(port);
    }
    if let Some(skip) = skip(pod, namespace, served) {
        return Decision::Skip(skip);
    }
    let wanted = settings.overridden(annotations(pod));
    let fitting = wanted.and_then(|settings| fits(pod, &settings).map(|()| settings));
    match fitting {
        Ok(settings) => Decision::Inject(Box::new(settings)),
        Err(fault) => Decision::Refuse(fault),
    }
}

/// Who wants it.
pub(super) fn asked(pod: &Value) -> Asked {
    match wish(pod) {
        Ok(Some(Wish::Yes)) => Asked::ByPod,
        Ok(Some(Wish::No) | None) | Err(_) => Asked::Otherwise,
    }
}

/// A pod's annotations.
pub(super) fn annotations(pod: &Value) -> &Map<String, Value> {
    static NONE: LazyLock<Map<String, Value>> = LazyLock::new(Map::new);
    pod.pointer("/metadata/annotations").and_then(Value::as_object).unwrap_or(&NONE)
}

/// The containers of a list of the pod's spec.
pub(super) fn containers<'a>(pod: &'a Value, list: &str) -> &'a [Value] {
    let found = pod.get("spec").and_then(|spec| spec.get(list)).and_then(Value::as_array);
    found.map_or(&[], Vec::as_slice)
}

/// Is it the container that is put in here?
pub(super) fn is_sidecar(container: &Value) -> bool {
    container.get("name").and_then(Value::as_str) == Some(CONTAINER)
}

// === what the pod says ===

enum Wish {
    Yes,
    No,
}

fn wish(pod: &Value) -> Result<Option<Wish>, Fault> {
    let label = pod.pointer("/metadata/labels").and_then(|labels| labels.get(LABEL));
    match label.map(Value::as_str) {
        None => Ok(None),
        Some(Some("true")) => Ok(Some(Wish::Yes)),
        Some(Some("false")) => Ok(Some(Wish::No)),
        Some(_) => {
            let message = "says neither yes nor no: write \"true\" or \"false\"";
            Err(Fault::new(format!("label {LABEL}"), message))
        }
    }
}

/// Where the sidecar listens that was put in before.
fn port_of_ours(pod: &Value) -> Option<Port> {
    annotations(pod).get(INJECTED)?;
    let ours = containers(pod, "initContainers").iter().find(|container| is_sidecar(container))?;
    sidecar::port(ours)
}

fn skip(pod: &Value, namespace: &str, served: &Served) -> Option<Skip> {
    let spec = pod.get("spec");
    let is = |pointer: &str, wanted: &str| {
        spec.and_then(|spec| spec.pointer(pointer)).and_then(Value::as_str) == Some(wanted)
    };
    let host_network = spec.and_then(|spec| spec.get("hostNetwork")).and_then(Value::as_bool);
    let all = || ["initContainers", "containers"].into_iter().flat_map(|it| containers(pod, it));
    if annotations(pod).contains_key("kubernetes.io/config.mirror") {
        Some(Skip::MirrorPod)
    } else if is("/os/name", "windows") || is("/nodeSelector/kubernetes.io~1os", "windows") {
        Some(Skip::Windows)
    } else if host_network == Some(true) {
        Some(Skip::HostNetwork)
    } else if !served.contains(namespace) {
        Some(Skip::NamespaceNotServed)
    } else if all().any(is_sidecar) {
        Some(Skip::NameTaken)
    } else {
        None
    }
}

/// Is there room for it?
fn fits(pod: &Value, settings: &Settings) -> Result<(), Fault> {
    let named = |list: &str, name: &str| {
        containers(pod, list).iter().any(|it| it.get("name").and_then(Value::as_str) == Some(name))
    };
    for volume in sidecar::VOLUMES {
        if named("volumes", volume) {
            let message = "is a name that the sidecar needs: rename the pod's volume";
            return Err(Fault::new(format!("volume {volume}"), message));
        }
    }
    for (port, annotation) in
        [(settings.port, Annotation::Port), (settings.admin_port, Annotation::AdminPort)]
    {
        if let Some(container) = who_has(pod, port) {
            let message = format!(
                "is declared by container {container}, and the sidecar needs it: set annotation \
                 {} to another one",
                annotation.name()
            );
            return Err(Fault::new(format!("port {port}"), message));
        }
    }
    Ok(())
}

/// The container that declares a port.
fn who_has(pod: &Value, port: Port) -> Option<&str> {
    let all = ["initContainers", "containers"].into_iter().flat_map(|it| containers(pod, it));
    let is_it = |declared: &Value| {
        let protocol = declared.get("protocol").and_then(Value::as_str).unwrap_or("TCP");
        let number = declared.get("containerPort").and_then(Value::as_u64);
        protocol == "TCP" && number == Some(u64::from(port.number()))
    };
    let declares = |container: &&Value| {
        let ports = container.get("ports").and_then(Value::as_array);
        ports.is_some_and(|ports| ports.iter().any(is_it))
    };
    let found = all.into_iter().find(declares)?;
    found.get("name").and_then(Value::as_str)
}

// === impl Served ===

impl Served {
    fn contains(&self, namespace: &str) -> bool {
        match self {
            Self::All => true,
            Self::Only(names) => names.contains(namespace),
        }
    }
}

// === impl Skip ===

impl Skip {
    /// All of them, in the order of the manual.
    pub const ALL: [Self; 7] = [
        Self::OptedOut,
        Self::HostNetwork,
        Self::Windows,
        Self::MirrorPod,
        Self::NamespaceNotServed,
        Self::NameTaken,
        Self::NotANewPod,
    ];

    /// As a label of a metric.
    pub fn label(self) -> &'static str {
        match self {
            Self::OptedOut => "opted_out",
            Self::HostNetwork => "host_network",
            Self::Windows => "windows",
            Self::MirrorPod => "mirror_pod",
            Self::NamespaceNotServed => "namespace_not_served",
            Self::NameTaken => "name_taken",
            Self::NotANewPod => "not_a_new_pod",
        }
    }

    /// For people: why, and what to do.
    pub fn text(self) -> &'static str {
        match self {
            Self::OptedOut => "its label pillion.dev/inject is \"false\"",
            Self::HostNetwork => {
                "it uses the host's network, where the sidecar's ports would be every pod's: take \
                 hostNetwork away, or send its calls to a gateway"
            }
            Self::Windows => "it runs on Windows, for which there is no sidecar",
            Self::MirrorPod => {
                "it mirrors a static pod of a node, which nobody but the node can change"
            }
            Self::NamespaceNotServed => {
                "the controller does not watch its namespace: add it to the controller's \
                 --namespaces"
            }
            Self::NameTaken => {
                "it has a container named pillion of its own: give that another name"
            }
            Self::NotANewPod => "only pods that are created can be given a sidecar",
        }
    }
}
