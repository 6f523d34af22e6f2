//! What is watched, and what is kept of it: specs without their bulk, labels, nothing of Secrets
//! beyond what is asked for ([`super::secrets`]).
//!
//! What does not fit our types is an object all the same, with a message that names the field and
//! never says its value: one bad object must not stop a watch.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use k8s_openapi::api::core::v1::{Namespace, Pod};
use kube::Resource;
use kube::core::{ObjectMeta, PartialObjectMeta};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};

use super::super::store::{Id, Kept, Told, Unreadable};
use crate::api::{LlmRoute, ProviderSecret};
use crate::compile::Selector;

/// Labels by key.
pub type Labels = BTreeMap<String, String>;

/// What is kept of a pod.
#[derive(Debug, PartialEq, Eq)]
pub struct PodFacts {
    /// Tells it from another one that had its name before.
    pub uid: String,
    /// What selectors look at.
    pub labels: Labels,
}

/// What is kept of a namespace.
#[derive(Debug, PartialEq, Eq)]
pub struct NamespaceFacts {
    /// What selectors look at.
    pub labels: Labels,
}

/// Something that can be watched.
pub trait Watched:
    Resource<DynamicType = ()> + Clone + fmt::Debug + DeserializeOwned + Send
{
    /// What is kept of it.
    type Kept: Kept;

    /// Leaves out everything else.
    fn told(self) -> Told<Self::Kept>;
}

/// An object that may turn out not to be one: `kube`'s `DeserializeGuard`, but its message names
/// the place and never says a value.
#[derive(Debug, Clone)]
pub struct Guarded<K>(Result<K, Box<Broken>>);

#[derive(Debug, Clone)]
struct Broken {
    metadata: ObjectMeta,
    message: String,
}

// === impl Guarded ===

impl<'de, K: Resource<DynamicType = ()> + DeserializeOwned> Deserialize<'de> for Guarded<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = serde_json::Value::deserialize(deserializer)?;
        Ok(Self(serde_path_to_error::deserialize(&value).map_err(|error| {
            let place = error.path().to_string();
            let message = without_values(&place, &error.into_inner().to_string());
            // Metadata are the API server's own work and can always be read; an object whose
            // cannot has no name to report it under.
            let partial = PartialObjectMeta::<K>::deserialize(&value);
            let metadata = partial.map(|partial| partial.metadata).unwrap_or_default();
            Box::new(Broken { metadata, message })
        })))
    }
}

impl<K: Resource> Resource for Guarded<K> {
    type DynamicType = K::DynamicType;
    type Scope = K::Scope;

    fn kind(dynamic: &Self::DynamicType) -> Cow<'_, str> {
        K::kind(dynamic)
    }

    fn group(dynamic: &Self::DynamicType) -> Cow<'_, str> {
        K::group(dynamic)
    }

    fn version(dynamic: &Self::DynamicType) -> Cow<'_, str> {
        K::version(dynamic)
    }

    fn plural(dynamic: &Self::DynamicType) -> Cow<'_, str> {
        K::plural(dynamic)
    }

    fn meta(&self) -> &ObjectMeta {
        self.0.as_ref().map_or_else(|broken| &broken.metadata, K::meta)
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        self.0.as_mut().map_or_else(|broken| &mut broken.metadata, K::meta_mut)
    }
}

// === impl Watched ===

impl Watched for Guarded<LlmRoute> {
    type Kept = LlmRoute;

    fn told(self) -> Told<LlmRoute> {
        let checked = self.0.and_then(|route| match selector_fault(&route) {
            Some(message) => Err(Box::new(Broken { metadata: route.metadata, message })),
            None => Ok(route),
        });
        told(checked)
    }
}

impl Watched for Guarded<ProviderSecret> {
    type Kept = ProviderSecret;

    fn told(self) -> Told<ProviderSecret> {
        told(self.0)
    }
}

impl Watched for PartialObjectMeta<Pod> {
    type Kept = PodFacts;

    fn told(self) -> Told<PodFacts> {
        let id = id(&self.metadata);
        let uid = self.metadata.uid.unwrap_or_default();
        Told { id, object: Ok(PodFacts { uid, labels: self.metadata.labels.unwrap_or_default() }) }
    }
}

impl Watched for PartialObjectMeta<Namespace> {
    type Kept = NamespaceFacts;

    fn told(self) -> Told<NamespaceFacts> {
        let id = id(&self.metadata);
        let labels = self.metadata.labels.unwrap_or_default();
        Told { id, object: Ok(NamespaceFacts { labels }) }
    }
}

// === impl Kept ===

impl Kept for LlmRoute {
    fn uid(&self) -> Option<&str> {
        self.metadata.uid.as_deref()
    }
}

impl Kept for ProviderSecret {
    fn uid(&self) -> Option<&str> {
        self.metadata.uid.as_deref()
    }
}

impl Kept for PodFacts {
    fn uid(&self) -> Option<&str> {
        Some(&self.uid)
    }
}

impl Kept for NamespaceFacts {
    fn uid(&self) -> Option<&str> {
        None
    }
}

/// A route whose selector cannot be read must not leave the pods that it was for; whom it is for
/// is decided here and nowhere else, so that no sidecar could hold on to it.
fn selector_fault(route: &LlmRoute) -> Option<String> {
    let workloads = route.spec.workloads.as_ref()?;
    let message = Selector::new(&workloads.pod_selector).err()?;
    Some(format!("spec.workloads.podSelector: {message}"))
}

fn told<K: Resource>(object: Result<K, Box<Broken>>) -> Told<K> {
    match object {
        Ok(mut object) => {
            prune(object.meta_mut());
            Told { id: id(object.meta()), object: Ok(object) }
        }
        Err(broken) => {
            let Broken { metadata, message } = *broken;
            let id = id(&metadata);
            let (uid, generation) = (metadata.uid, metadata.generation);
            Told { id, object: Err(Unreadable { uid, generation, message }) }
        }
    }
}

pub(super) fn id(metadata: &ObjectMeta) -> Id {
    (metadata.namespace.clone().unwrap_or_default(), metadata.name.clone().unwrap_or_default())
}

/// What compiling and status need. The rest is bulk, or changes without meaning anything to us.
fn prune(metadata: &mut ObjectMeta) {
    let kept = std::mem::take(metadata);
    *metadata = ObjectMeta {
        namespace: kept.namespace,
        name: kept.name,
        uid: kept.uid,
        generation: kept.generation,
        // Tells the writer of status whether what it has written has been seen here.
        resource_version: kept.resource_version,
        // Decides which of two routes is older.
        creation_timestamp: kept.creation_timestamp,
        ..ObjectMeta::default()
    };
}

/// An error of deserialising, without what it quotes of the object.
fn without_values(place: &str, error: &str) -> String {
    const QUOTING: [&str; 4] =
        ["invalid type", "invalid value", "invalid length", "unknown variant"];
    let quotes = QUOTING.iter().any(|start| error.starts_with(start));
    let expected = error.rfind(", expected ").filter(|_| quotes);
    let what = match (error.starts_with("missing field "), expected) {
        (true, _) => error.to_owned(),
        (false, Some(at)) => format!("not what this controller knows: {}", &error[at + 2..]),
        (false, None) => "not what this controller knows".to_owned(),
    };
    format!("{place}: {what}")
}

#[cfg(test)]
mod tests {
    use kube::runtime::watcher::Event;
    use serde_json::json;

    use super::*;

    fn route(metadata: serde_json::Value, spec: serde_json::Value) -> Told<LlmRoute> {
        let object = json!({
            "apiVersion": "pillion.dev/v1alpha1", "kind": "LlmRoute",
            "metadata": metadata, "spec": spec,
        });
        let event: Event<Guarded<LlmRoute>> = Event::Apply(serde_json::from_value(object).unwrap());
        match event {
            Event::Apply(guarded) => guarded.told(),
            _ => unreachable!(),
        }
    }

    #[test]
    fn keeps_what_decides_precedence_and_drops_bulk() {
        let told = route(
            json!({
                "namespace": "ns", "name": "r", "uid": "u", "generation": 3,
                "creationTimestamp": "2026-01-01T00:00:00Z", "resourceVersion": "9",
                "managedFields": [{"manager": "kubectl"}],
                "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{}"},
            }),
            json!({"rules": []}),
        );
        let metadata = told.object.unwrap().metadata;
        assert!(metadata.creation_timestamp.is_some());
        assert_eq!((metadata.uid.as_deref(), metadata.generation), (Some("u"), Some(3)));
        assert!(metadata.managed_fields.is_none() && metadata.annotations.is_none());
        assert_eq!(metadata.resource_version.as_deref(), Some("9"));
    }

    #[test]
    fn a_broken_object_has_a_name_and_a_place_and_no_value() {
        for (spec, message) in [
            (json!({}), "spec: missing field `rules`"),
            (
                json!({"rules": [{"targets": "canary"}]}),
                "spec.rules[0].targets: not what this controller knows: expected a sequence",
            ),
            (
                json!({"rules": [{
                    "targets": [], "matches": [{"api": "canary, expected canary"}]}]}),
                "spec.rules[0].matches[0].api: not what this controller knows: expected one of \
                 `OpenAiChat`, `OpenAiResponses`, `OpenAiEmbeddings`, `OpenAi`, \
                 `AnthropicMessages`, `Gemini`",
            ),
            (
                json!({"rules": [], "workloads": {"podSelector": {
                    "matchExpressions": [{"key": "canary", "operator": "In"}]}}}),
                "spec.workloads.podSelector: In needs values",
            ),
        ] {
            let metadata = json!({"namespace": "ns", "name": "r", "uid": "u", "generation": 7});
            let told = route(metadata, spec);
            let unreadable = told.object.unwrap_err();
            assert_eq!(told.id, ("ns".to_owned(), "r".to_owned()));
            assert_eq!((unreadable.uid.as_deref(), unreadable.generation), (Some("u"), Some(7)));
            assert_eq!(unreadable.message, message);
        }
    }
}
