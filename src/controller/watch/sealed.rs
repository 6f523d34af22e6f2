//! A Secret as it is watched: a type that can be handed around by `kube` without ever being
//! printed, and whose values are wiped when it is dropped.
//!
//! What `kube` itself holds of an answer while it reads it is not wiped; nobody there keeps it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret as CoreSecret;
use kube::Resource;
use kube::core::ObjectMeta;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::super::store::Told;
use super::super::store::secrets::Data;
use super::objects::{Watched, id};

/// Metadata and data, nothing else.
#[derive(Clone, Deserialize)]
pub(super) struct Sealed {
    metadata: ObjectMeta,
    #[serde(default, deserialize_with = "data")]
    data: Data,
}

fn data<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Data, D::Error> {
    let data = Option::<BTreeMap<String, ByteString>>::deserialize(deserializer)?;
    let data = data.unwrap_or_default().into_iter();
    Ok(Data(data.map(|(name, value)| (name, Zeroizing::new(value.0))).collect()))
}

impl Resource for Sealed {
    type DynamicType = ();
    type Scope = <CoreSecret as Resource>::Scope;

    fn kind(dynamic: &()) -> Cow<'_, str> {
        CoreSecret::kind(dynamic)
    }

    fn group(dynamic: &()) -> Cow<'_, str> {
        CoreSecret::group(dynamic)
    }

    fn version(dynamic: &()) -> Cow<'_, str> {
        CoreSecret::version(dynamic)
    }

    fn plural(dynamic: &()) -> Cow<'_, str> {
        CoreSecret::plural(dynamic)
    }

    fn meta(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.metadata
    }
}

impl Watched for Sealed {
    type Kept = Data;

    fn told(self) -> Told<Data> {
        Told { id: id(&self.metadata), object: Ok(self.data) }
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret {:?} ({:?})", self.metadata.name, self.data)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_watched_secret_shows_names_only() {
        let json = r#"{"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"},
            "data": {"api-key": "Y2FuYXJ5"}}"#;
        let sealed: Sealed = serde_json::from_str(json).unwrap();
        assert_eq!(**sealed.data.0.get("api-key").unwrap(), b"canary"[..]);
        let shown = format!("{sealed:?} {:?}", sealed.clone().told());
        assert!(shown.contains("api-key") && !shown.contains("canary"), "{shown}");
        // "canary" in bytes.
        assert!(!shown.contains("99, 97, 110"), "{shown}");
    }
}
