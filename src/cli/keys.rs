//! Keys from the environment: `--key NAMESPACE/SECRET/KEY=VARIABLE`.

use anyhow::{Context, bail};

use crate::feed::GivenKey;
use crate::secret::Secret;

/// Looks the variables up.
///
/// # Errors
/// When a mapping cannot be read, or its variable is not set.
pub(super) fn given(mappings: &[String]) -> anyhow::Result<Vec<GivenKey>> {
    mappings.iter().map(|mapping| one(mapping)).collect()
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
    #[expect(
        clippy::disallowed_methods,
        reason = "cli is where the environment is read"
    )]
    let value = std::env::var(variable)
        .with_context(|| format!("--key {mapping}: the variable {variable} is not set"))?;
    Ok(GivenKey {
        namespace: namespace.to_owned(),
        secret: secret.to_owned(),
        key: key.to_owned(),
        value: Secret::new(value.as_bytes()),
    })
}
