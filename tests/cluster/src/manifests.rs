//! YAML documents to the API server: applied as `kubectl apply --server-side` would.
//!
//! Knows no kind of object; the API server says what there is.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{DynamicObject, Patch, PatchParams};
use kube::core::GroupVersionKind;
use kube::discovery::{self, Scope};
use kube::runtime::{conditions, wait};
use kube::{Api, Client, ResourceExt};
use serde::Deserialize;

use crate::cluster::Cluster;
use crate::patience::until;

/// The documents of a YAML text.
///
/// # Errors
/// When it is not YAML, or not of objects.
pub fn documents(yaml: &str) -> anyhow::Result<Vec<DynamicObject>> {
    let documents = serde_norway::Deserializer::from_str(yaml);
    let objects = documents.map(Option::<DynamicObject>::deserialize);
    let objects: Result<Vec<_>, _> = objects.collect();
    Ok(objects?.into_iter().flatten().collect())
}

/// A page of the API server.
pub(crate) async fn get(client: &Client, path: &str) -> anyhow::Result<String> {
    let request = http::Request::get(path).body(Vec::new())?;
    Ok(client.request_text(request).await?)
}

/// Applies the definitions in a folder, and waits until their objects can be asked for and kubectl
/// can explain them.
pub(crate) async fn install(client: &Client, folder: &Path) -> anyhow::Result<()> {
    let entries = fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    let paths: Result<Vec<PathBuf>, _> =
        entries.map(|entry| entry.map(|entry| entry.path())).collect();
    for path in paths? {
        for object in documents(&fs::read_to_string(path)?)? {
            apply(client, "", &object, &by_us()).await?;
            await_served(client, &object.name_any()).await?;
        }
    }
    Ok(())
}

// === impl Cluster ===

impl Cluster {
    /// Applies the documents of `yaml` by the server, each in its own namespace or, if it says none,
    /// in `namespace`. Returns them as the API server has them.
    ///
    /// # Errors
    /// When the API server refuses one; those before it stay.
    pub async fn apply(&self, namespace: &str, yaml: &str) -> anyhow::Result<Vec<DynamicObject>> {
        self.apply_with(namespace, yaml, &by_us()).await
    }

    /// As [`Cluster::apply`], but nothing is kept.
    ///
    /// # Errors
    /// When the API server refuses one.
    pub async fn dry_run(&self, namespace: &str, yaml: &str) -> anyhow::Result<Vec<DynamicObject>> {
        self.apply_with(namespace, yaml, &by_us().dry_run()).await
    }

    async fn apply_with(
        &self,
        namespace: &str,
        yaml: &str,
        how: &PatchParams,
    ) -> anyhow::Result<Vec<DynamicObject>> {
        let client = self.client()?;
        let mut applied = Vec::new();
        for object in documents(yaml)? {
            applied.push(apply(&client, namespace, &object, how).await?);
        }
        Ok(applied)
    }
}

fn by_us() -> PatchParams {
    PatchParams::apply("tests").force().validation_strict()
}

async fn apply(
    client: &Client,
    namespace: &str,
    object: &DynamicObject,
    how: &PatchParams,
) -> anyhow::Result<DynamicObject> {
    let types = object.types.as_ref().ok_or_else(|| anyhow!("an object without kind"))?;
    let kind = GroupVersionKind::try_from(types)?;
    let (resource, capabilities) = discovery::pinned_kind(client, &kind).await?;
    let namespace = object.metadata.namespace.as_deref().unwrap_or(namespace);
    let objects: Api<DynamicObject> = match capabilities.scope {
        Scope::Cluster => Api::all_with(client.clone(), &resource),
        Scope::Namespaced => Api::namespaced_with(client.clone(), namespace, &resource),
    };
    let name = object.name_any();
    let applied = objects.patch(&name, how, &Patch::Apply(object)).await;
    applied.with_context(|| format!("{} {name}", types.kind))
}

/// Established is said a moment before the API server's parts know of it.
async fn await_served(client: &Client, name: &str) -> anyhow::Result<()> {
    let definitions: Api<CustomResourceDefinition> = Api::all(client.clone());
    wait::await_condition(definitions.clone(), name, conditions::is_crd_established()).await?;
    let CustomResourceDefinition { spec, .. } = definitions.get(name).await?;
    for version in &spec.versions {
        let group = format!("apis/{}/{}", spec.group, version.name);
        let objects = format!("/{group}/{}?limit=1", spec.names.plural);
        until(&objects, async || Ok(get(client, &objects).await.is_ok())).await?;
        let documented = async || Ok(get(client, "/openapi/v3").await?.contains(&group));
        until("the documentation of objects", documented).await?;
    }
    Ok(())
}
