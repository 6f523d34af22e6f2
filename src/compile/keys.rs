//! Key material by reference. Never says anything of a key but that it is not usable.

use super::World;
use super::report::Report;
use crate::api::SecretKeySelector;
use crate::name::ObjectName;
use crate::secret::Secret;

/// Finds a key in the namespace of the object that refers to it, or reports why not.
pub(super) fn find<'w>(
    world: &'w World,
    namespace: &ObjectName,
    selector: &SecretKeySelector,
    (report, path): (&mut Report<'_>, &str),
) -> Option<&'w Secret> {
    let SecretKeySelector { name, key } = selector;
    let id = (namespace.to_string(), name.clone());
    let Some(secret) = world.secrets.get(&id) else {
        let message = format!("Secret '{name}' is not in namespace '{namespace}'");
        report.keyless(path, message, "create it, or correct the reference");
        return None;
    };
    match secret.get(key) {
        Some(Ok(secret)) => Some(secret),
        Some(Err(error)) => {
            let message = format!("key '{key}' of Secret '{name}' is not usable: {error}");
            report.keyless(path, message, "store the key itself, as one line of text");
            None
        }
        None => {
            let message = format!("Secret '{name}' has no key '{key}'");
            report.keyless(path, message, "add it, or correct the reference");
            None
        }
    }
}
