//! Which part of the world a pod may know: the routes of its namespace that select it, the
//! providers that these name and may use, the keys that those and the routes' clients name.
//!
//! Pure. A key that none of a pod's routes leads to is not in its world: that is what keeps a pod
//! from another team's key, and a property test holds it. Labels of the pod's namespace are there
//! only where a provider's grant looks at them. Does not know pods by name, nor how a world
//! travels.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use kube::ResourceExt;

use super::store::Id;
use super::store::secrets::{Keys, References};
use super::watch::objects::{Labels, NamespaceFacts};
use crate::api::{FromNamespaces, LlmRoute, ProviderSecret, SecretKeySelector};
use crate::compile::world::Workloads;
use crate::compile::{Selector, World, may_name};
use crate::name::ObjectName;

/// What surrounds a namespace's routes.
#[derive(Debug, Default)]
pub struct Surroundings {
    /// The namespace.
    pub namespace: String,
    /// Its labels, if they are known.
    pub facts: Option<Rc<NamespaceFacts>>,
    /// Every provider that its routes name and that there is.
    pub providers: BTreeMap<Id, Rc<ProviderSecret>>,
    /// The keys that those providers which may be used and the routes' clients lead to, by Secret.
    pub secrets: BTreeMap<Id, Rc<Keys>>,
}

/// The routes' selectors, read once.
#[derive(Debug)]
pub struct Selectors(Vec<(String, Wanted)>);

#[derive(Debug)]
enum Wanted {
    Every,
    Some(Selector),
    /// The selector cannot be read.
    None,
}

/// The providers that a route names.
pub fn providers_of<'r>(namespace: &'r str, route: &'r LlmRoute) -> impl Iterator<Item = Id> + 'r {
    let targets = route.spec.rules.iter().flat_map(|rule| &rule.targets);
    targets.map(move |target| {
        let provider = &target.provider;
        let namespace = provider.namespace.as_deref().unwrap_or(namespace);
        (namespace.to_owned(), provider.name.clone())
    })
}

/// The keys of a route's clients.
pub fn keys_of_route(route: &LlmRoute) -> impl Iterator<Item = &SecretKeySelector> {
    route.spec.clients.iter().map(|client| &client.key_ref)
}

/// The keys of a provider.
pub fn keys_of_provider(provider: &ProviderSecret) -> impl Iterator<Item = &SecretKeySelector> {
    provider.spec.keys.iter().map(|key| &key.secret_ref)
}

/// Adds keys that an object of this namespace refers to. What is no Secret's name leads nowhere.
pub fn refer<'k>(
    references: &mut References,
    namespace: &str,
    keys: impl Iterator<Item = &'k SecretKeySelector>,
) {
    for SecretKeySelector { name, key } in keys {
        if name.parse::<ObjectName>().is_ok() {
            let secret = references.entry((namespace.to_owned(), name.clone())).or_default();
            secret.insert(key.clone());
        }
    }
}

/// The world of a pod for which these routes are.
pub fn world<'r>(routes: impl Iterator<Item = &'r LlmRoute>, surroundings: &Surroundings) -> World {
    world_naming(BTreeSet::new(), routes, surroundings)
}

/// The same, with these providers too.
pub fn world_naming<'r>(
    mut named: BTreeSet<Id>,
    routes: impl Iterator<Item = &'r LlmRoute>,
    surroundings: &Surroundings,
) -> World {
    let mut world = World { workloads: Workloads::Selected, ..World::default() };
    let mut references = References::new();
    for route in routes {
        named.extend(providers_of(&surroundings.namespace, route));
        refer(&mut references, &surroundings.namespace, keys_of_route(route));
        world.routes.push(bare_route(route));
    }
    for id in named {
        let provider = surroundings.providers.get(&id);
        if let Some(provider) = provider.filter(|provider| surroundings.may_name(provider)) {
            refer(&mut references, &id.0, keys_of_provider(provider));
            surroundings.add_labels(&id, provider, &mut world);
            world.providers.push(bare_provider(provider));
        }
    }
    world.secrets = surroundings.pick(&references);
    world
}

/// Without status: it says nothing to a sidecar.
fn bare_route(route: &LlmRoute) -> LlmRoute {
    let mut bare = LlmRoute::new("", route.spec.clone());
    bare.metadata = route.metadata.clone();
    bare
}

fn bare_provider(provider: &ProviderSecret) -> ProviderSecret {
    let mut bare = ProviderSecret::new("", provider.spec.clone());
    bare.metadata = provider.metadata.clone();
    bare
}

// === impl Surroundings ===

impl Surroundings {
    /// May routes of the namespace name this provider?
    pub fn may_name(&self, provider: &ProviderSecret) -> bool {
        may_name(provider, &self.namespace, self.labels())
    }

    fn labels(&self) -> Option<&Labels> {
        self.facts.as_ref().map(|facts| &facts.labels)
    }

    fn add_labels(&self, (home, _): &Id, provider: &ProviderSecret, world: &mut World) {
        let asks = provider.spec.allowed_routes.namespaces.from == FromNamespaces::Selector;
        if let Some(labels) = self.labels().filter(|_| asks && *home != self.namespace) {
            world.namespaces.insert(self.namespace.clone(), labels.clone());
        }
    }

    /// Exactly the keys that are referred to, and are there.
    fn pick(
        &self,
        references: &References,
    ) -> BTreeMap<Id, BTreeMap<String, Result<crate::secret::Secret, crate::secret::SecretError>>>
    {
        let mut picked = BTreeMap::new();
        for (id, wanted) in references {
            if let Some(keys) = self.secrets.get(id) {
                let keys = keys.iter().filter(|(name, _)| wanted.contains(*name));
                let keys = keys.map(|(name, key)| (name.clone(), key.clone()));
                picked.insert(id.clone(), keys.collect());
            }
        }
        picked
    }
}

// === impl Selectors ===

impl Selectors {
    /// Of these routes.
    pub fn of(routes: &[LlmRoute]) -> Self {
        let wanted = |route: &LlmRoute| match &route.spec.workloads {
            None => Wanted::Every,
            Some(workloads) => {
                Selector::new(&workloads.pod_selector).map_or(Wanted::None, Wanted::Some)
            }
        };
        let mut selectors: Vec<_> =
            routes.iter().map(|route| (route.name_any(), wanted(route))).collect();
        selectors.sort_by(|(one, _), (other, _)| one.cmp(other));
        Self(selectors)
    }

    /// The names of the routes that are for a pod with these labels, in order.
    pub fn select(&self, labels: &Labels) -> Vec<&str> {
        let fits = |(_, wanted): &&(String, Wanted)| match wanted {
            Wanted::Every => true,
            Wanted::Some(selector) => selector.selects(labels),
            Wanted::None => false,
        };
        self.0.iter().filter(fits).map(|(name, _)| name.as_str()).collect()
    }
}
