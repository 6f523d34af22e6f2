//! Which namespaces' routes may name a provider (FAULTS 36).

use std::collections::BTreeMap;

use super::report::Report;
use super::{Selector, World};
use crate::api::{AllowedNamespaces, FromNamespaces, ProviderSecret};
use crate::name::{ObjectName, ObjectRef};

/// Which other namespaces a provider lets in; its own always may.
#[derive(Debug)]
pub(super) enum Grant {
    /// None.
    Same,
    /// Every one.
    All,
    /// Those whose labels fit.
    Selector(Selector),
}

/// May routes of the namespace `from`, which has these labels, name this provider? `None` is a
/// namespace of which nothing is known but its name.
pub fn may_name(
    provider: &ProviderSecret,
    from: &str,
    labels: Option<&BTreeMap<String, String>>,
) -> bool {
    if provider.metadata.namespace.as_deref() == Some(from) {
        return true;
    }
    let grant = read(&provider.spec.allowed_routes.namespaces);
    grant.is_ok_and(|grant| grant.admits(from, labels))
}

/// Reads `allowedRoutes.namespaces`; what is wrong lets nobody in.
pub(super) fn compile(spec: &AllowedNamespaces, report: &mut Report<'_>) -> Grant {
    read(spec).unwrap_or_else(|(message, remedy)| {
        report.error("spec.allowedRoutes.namespaces.selector", message, remedy);
        Grant::Same
    })
}

/// The grant, or what is wrong with it and the remedy.
fn read(spec: &AllowedNamespaces) -> Result<Grant, (String, &'static str)> {
    let wrong = |message: &str, remedy| Err((message.to_owned(), remedy));
    match (spec.from, &spec.selector) {
        (FromNamespaces::Same, None) => Ok(Grant::Same),
        (FromNamespaces::All, None) => Ok(Grant::All),
        (FromNamespaces::Selector, Some(selector)) => {
            let remedy = "correct it; until then other namespaces cannot use the provider";
            Selector::new(selector).map(Grant::Selector).map_err(|message| (message, remedy))
        }
        (FromNamespaces::Selector, None) => wrong(
            "from is Selector, and there is no selector",
            "add one, or set from to Same or All",
        ),
        (FromNamespaces::Same | FromNamespaces::All, Some(_)) => wrong(
            "a selector means something only where from is Selector",
            "remove it, or set from to Selector",
        ),
    }
}

// === impl Grant ===

impl Grant {
    /// May routes of this namespace name this provider?
    pub(super) fn allows(&self, world: &World, provider: &ObjectRef, from: &ObjectName) -> bool {
        let labels = world.namespaces.get(from.as_str());
        provider.namespace == *from || self.admits(from.as_str(), labels)
    }

    /// May routes of another namespace than the provider's?
    fn admits(&self, from: &str, labels: Option<&BTreeMap<String, String>>) -> bool {
        match (self, labels) {
            (Self::Same, _) => false,
            (Self::All, _) => true,
            (Self::Selector(selector), Some(labels)) => selector.selects(labels),
            (Self::Selector(selector), None) => {
                let name = "kubernetes.io/metadata.name".to_owned();
                selector.selects(&BTreeMap::from([(name, from.to_owned())]))
            }
        }
    }
}
