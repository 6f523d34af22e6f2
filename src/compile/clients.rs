//! The named client keys of a route.

use std::sync::Arc;

use super::report::Report;
use super::{World, keys};
use crate::api::ClientSpec;
use crate::name::ObjectName;
use crate::secret::Digest;
use crate::table::Clients;

/// Who may use a route.
pub(super) enum Guard {
    /// Anybody.
    Open,
    /// Who presents one of these keys.
    Keys(Arc<Clients>),
    /// Nobody: keys are asked for, and none of them can be used.
    Closed,
}

/// Reads the clients. One whose key is missing cannot call; the others can.
pub(super) fn compile(
    world: &World,
    namespace: &ObjectName,
    clients: &[ClientSpec],
    report: &mut Report<'_>,
) -> Guard {
    if clients.is_empty() {
        return Guard::Open;
    }
    let mut kept: Vec<(Arc<str>, Digest)> = Vec::new();
    for (i, client) in clients.iter().enumerate() {
        let path = format!("spec.clients[{i}]");
        let key_ref = format!("{path}.keyRef");
        if kept.iter().any(|(name, _)| **name == *client.name) {
            let message = format!("there is another client called '{}'", client.name);
            report.error(format!("{path}.name"), message, "rename one of them");
        } else if let Some(key) = keys::find(world, namespace, &client.key_ref, (report, &key_ref))
        {
            let digest = key.digest();
            match kept.iter().find(|(_, other)| other.matches(&digest)) {
                Some((other, _)) => {
                    let message = format!("its key is that of client '{other}' too");
                    report.error(key_ref, message, "give each client a key of its own");
                }
                None => kept.push((client.name.as_str().into(), digest)),
            }
        }
    }
    if kept.is_empty() {
        let message = "no client key can be used, so every call of this route is refused";
        report.keyless("spec.clients", message, "make one key usable, or remove the clients");
        return Guard::Closed;
    }
    Guard::Keys(Arc::new(Clients { keys: kept }))
}
