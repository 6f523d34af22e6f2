//! The members of a bundle, as serde writes and reads them.
//!
//! Objects travel as what `compile` reads of them, secrets with only the keys that are there.
//! Equal worlds give equal members, whatever the order of their objects.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};
use kube::ResourceExt;
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::DecodeError;
use crate::api::{LlmRoute, LlmRouteSpec, ProviderSecret, ProviderSecretSpec};
use crate::compile::World;
use crate::compile::world::Workloads;
use crate::secret::{Secret, SecretError};

/// What this build writes and reads.
pub(super) const FORMAT: u32 = 1;

/// A bundle.
#[derive(Serialize, Deserialize)]
pub(super) struct Wire {
    pub(super) format: u32,
    pub(super) version: String,
    routes: Vec<Object<LlmRouteSpec>>,
    providers: Vec<Object<ProviderSecretSpec>>,
    secrets: Vec<Keys>,
    namespaces: BTreeMap<String, BTreeMap<String, String>>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Object<S> {
    namespace: String,
    name: String,
    /// Decides between equal matches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    creation_timestamp: Option<String>,
    spec: S,
}

/// A Secret.
#[derive(Serialize, Deserialize)]
struct Keys {
    namespace: String,
    name: String,
    keys: BTreeMap<String, Key>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Key {
    Value(KeyText),
    Error(#[serde(with = "KeyError")] SecretError),
}

struct KeyText(Secret);

#[derive(Serialize, Deserialize)]
#[serde(remote = "SecretError", rename_all = "camelCase")]
enum KeyError {
    Empty,
    NotHeaderSafe,
}

// === impl Wire ===

impl Wire {
    /// The world's members.
    pub(super) fn of(world: &World, version: String) -> Self {
        Self {
            format: FORMAT,
            version,
            routes: objects(&world.routes, |route| route.spec.clone()),
            providers: objects(&world.providers, |provider| provider.spec.clone()),
            secrets: world.secrets.iter().map(Keys::of).collect(),
            namespaces: world.namespaces.clone(),
        }
    }

    /// The world that the members make up.
    pub(super) fn into_world(self) -> Result<World, DecodeError> {
        let routes = self.routes.into_iter().enumerate().map(|(index, route)| {
            let (metadata, spec) = route.parts(&format!("routes[{index}]"))?;
            Ok(LlmRoute { metadata, spec, status: None })
        });
        let providers = self.providers.into_iter().enumerate().map(|(index, provider)| {
            let (metadata, spec) = provider.parts(&format!("providers[{index}]"))?;
            Ok(ProviderSecret { metadata, spec, status: None })
        });
        let world = World {
            routes: routes.collect::<Result<_, _>>()?,
            providers: providers.collect::<Result<_, _>>()?,
            secrets: self.secrets.into_iter().map(Keys::into_entry).collect(),
            namespaces: self.namespaces,
            workloads: Workloads::Selected,
        };
        each_once("routes", &world.routes)?;
        each_once("providers", &world.providers)?;
        Ok(world)
    }
}

fn objects<T: ResourceExt, S>(objects: &[T], spec: impl Fn(&T) -> S) -> Vec<Object<S>> {
    let mut wires: Vec<_> = objects.iter().map(|object| Object::of(object, spec(object))).collect();
    wires.sort_by(|a, b| (&a.namespace, &a.name).cmp(&(&b.namespace, &b.name)));
    wires
}

/// Of two objects with one name, which one runs would be chance.
fn each_once<T: ResourceExt>(field: &str, objects: &[T]) -> Result<(), DecodeError> {
    let mut seen = BTreeSet::new();
    for (index, object) in objects.iter().enumerate() {
        if !seen.insert((object.namespace(), object.name_any())) {
            return Err(DecodeError::Malformed(format!("{field}[{index}].name")));
        }
    }
    Ok(())
}

// === impl Object ===

impl<S> Object<S> {
    fn of<T: ResourceExt>(object: &T, spec: S) -> Self {
        let created = object.meta().creation_timestamp.as_ref();
        Self {
            namespace: object.namespace().unwrap_or_default(),
            name: object.name_any(),
            // With its fraction, which Kubernetes' own form would cut off.
            creation_timestamp: created.map(|time| time.0.to_string()),
            spec,
        }
    }

    fn parts(self, path: &str) -> Result<(ObjectMeta, S), DecodeError> {
        let created = self.creation_timestamp.map(|text| text.parse::<Timestamp>());
        let created = created.transpose();
        let metadata = ObjectMeta {
            namespace: Some(self.namespace).filter(|namespace| !namespace.is_empty()),
            name: Some(self.name),
            creation_timestamp: created
                .map_err(|_| DecodeError::Malformed(format!("{path}.creationTimestamp")))?
                .map(Time),
            ..ObjectMeta::default()
        };
        Ok((metadata, self.spec))
    }
}

// === impl Keys ===

/// A Secret's keys as a world holds them.
type KeyMap = BTreeMap<String, Result<Secret, SecretError>>;

impl Keys {
    fn of(((namespace, name), keys): (&(String, String), &KeyMap)) -> Self {
        let key = |key: &Result<Secret, SecretError>| match key {
            Ok(secret) => Key::Value(KeyText(secret.clone())),
            Err(error) => Key::Error(*error),
        };
        Self {
            namespace: namespace.clone(),
            name: name.clone(),
            keys: keys.iter().map(|(name, value)| (name.clone(), key(value))).collect(),
        }
    }

    fn into_entry(self) -> ((String, String), KeyMap) {
        let value = |key| match key {
            Key::Value(KeyText(secret)) => Ok(secret),
            Key::Error(error) => Err(error),
        };
        let keys = self.keys.into_iter().map(|(name, key)| (name, value(key)));
        ((self.namespace, self.name), keys.collect())
    }
}

// === impl KeyText ===

impl Serialize for KeyText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.expose_for_bundle(serializer)
    }
}

impl<'de> Deserialize<'de> for KeyText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(KeyVisitor)
    }
}

/// Takes the key from the reader's buffer, without a copy that nobody wipes.
struct KeyVisitor;

impl Visitor<'_> for KeyVisitor {
    type Value = KeyText;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<KeyText, E> {
        Secret::new(text.as_bytes()).map(KeyText).map_err(E::custom)
    }
}
