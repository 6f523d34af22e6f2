//! A world's content hash: the same for the same manifests and keys, whatever their order, and
//! another one for any other. Keys enter as digests.

use kube::ResourceExt;
use ring::digest::{Context, SHA256};
use serde::Serialize;

use super::World;
use super::report::in_order;

/// 16 hex digits.
pub(super) fn of(world: &World) -> String {
    let mut hash = Context::new(&SHA256);
    for route in in_order(&world.routes) {
        add_object(&mut hash, "route", route, &route.spec);
        let created = route.metadata.creation_timestamp.as_ref();
        add(&mut hash, &created.map(|time| time.0.as_nanosecond().to_string()));
    }
    for provider in in_order(&world.providers) {
        add_object(&mut hash, "provider", provider, &provider.spec);
    }
    add_keys(&mut hash, world);
    add(&mut hash, &("namespaces", &world.namespaces));
    add(&mut hash, &format!("{:?}", world.workloads));
    let digest = hash.finish();
    let hex = digest.as_ref().iter().take(8);
    hex.map(|byte| format!("{byte:02x}")).collect()
}

fn add_keys(hash: &mut Context, world: &World) {
    for (id, keys) in &world.secrets {
        add(hash, &("secret", id));
        for (name, key) in keys {
            add(hash, &("key", name));
            match key {
                Ok(secret) => secret.digest().add_to(hash),
                Err(error) => add(hash, &error.to_string()),
            }
        }
    }
}

fn add_object<T: ResourceExt>(hash: &mut Context, kind: &str, object: &T, spec: &impl Serialize) {
    add(hash, &(kind, object.namespace(), object.name_any()));
    add(hash, spec);
}

/// JSON of plain data: members in the order of the types, maps sorted. A line break, which JSON
/// escapes in strings, keeps neighbours apart.
fn add(hash: &mut Context, value: &impl Serialize) {
    // Plain data always serialises.
    hash.update(&serde_json::to_vec(value).unwrap_or_default());
    hash.update(b"\n");
}
