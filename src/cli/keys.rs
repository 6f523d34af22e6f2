//! Keys that are in no manifest: from the environment (`--key NAMESPACE/SECRET/KEY=VARIABLE`), or
//! assumed (`--no-keys`), for commands that send nothing.

use anyhow::{Context, bail};
use kube::ResourceExt;

use crate::api::SecretKeySelector;
use crate::compile::World;
use crate::feed::GivenKey;
use crate::secret::Secret;

/// Looks the variables up.
///
/// # Errors
/// When a mapping cannot be read, or its variable is not set.
pub(super) fn given(mappings: &[String]) -> anyhow::Result<Vec<GivenKey>> {
    mappings.iter().map(|mapping| one(mapping)).collect()
}

/// Puts a placeholder where a key is referred to and not there: `NAMESPACE/SECRET/KEY`.
///
/// A key that is there stays, also one that cannot be used. Placeholders look like no vendor's
/// keys, so what depends on a key's prefix (OAuth tokens) cannot be seen with them.
pub(super) fn assume(world: &mut World) {
    let mut wanted: Vec<(String, SecretKeySelector)> = Vec::new();
    for provider in &world.providers {
        let namespace = provider.namespace().unwrap_or_default();
        let keys = provider.spec.keys.iter();
        wanted.extend(keys.map(|key| (namespace.clone(), key.secret_ref.clone())));
    }
    for route in &world.routes {
        let namespace = route.namespace().unwrap_or_default();
        let clients = route.spec.clients.iter();
        wanted.extend(clients.map(|client| (namespace.clone(), client.key_ref.clone())));
    }
    for (namespace, SecretKeySelector { name, key }) in wanted {
        let placeholder = Secret::new(format!("{namespace}/{name}/{key}").as_bytes());
        let secret = world.secrets.entry((namespace, name)).or_default();
        secret.entry(key).or_insert(placeholder);
    }
}

fn one(mapping: &str) -> anyhow::Result<GivenKey> {
    let parts = mapping.split_once('=').and_then(|(place, variable)| {
        let mut names = place.splitn(3, '/');
        Some((names.next()?, names.next()?, names.next()?, variable))
    });
    let Some((namespace, secret, key, variable)) = parts else {
        bail!(
            "--key {mapping}: write NAMESPACE/SECRET/KEY=VARIABLE, for example \
             default/anthropic/api-key=ANTHROPIC_API_KEY"
        );
    };
    #[expect(clippy::disallowed_methods, reason = "cli is where the environment is read")]
    let value = std::env::var(variable)
        .with_context(|| format!("--key {mapping}: the variable {variable} is not set"))?;
    Ok(GivenKey {
        namespace: namespace.to_owned(),
        secret: secret.to_owned(),
        key: key.to_owned(),
        value: Secret::new(value.as_bytes()),
    })
}
