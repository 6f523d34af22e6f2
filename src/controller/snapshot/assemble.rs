//! Stores -> [`Snapshot`]: finds the namespaces whose inputs have changed, compiles those, and
//! takes the others over.
//!
//! A Secret that was referred to a moment ago may not have been listed yet. What needs it waits,
//! but not for longer than [`PATIENCE`]; meanwhile it stays as it was, the rest goes on.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use tokio::time::Instant;

use super::super::scope::{self, Surroundings};
use super::super::store::secrets::{Keys, References};
use super::super::store::{Id, Shelf, Store};
use super::super::watch::Stores;
use super::super::watch::objects::PodFacts;
use super::bundles::Bundles;
use super::view::{Inputs, View};
use super::{ProviderVerdict, RouteVerdict, Snapshot, Undecodable};
use crate::api::{LlmRoute, ProviderSecret};
use crate::bundle::push::MAX_BUNDLE;
use crate::compile::world::Workloads;
use crate::compile::{self, Fault, ObjectId, ResourceKind, Severity, Subject, World};

/// How long a change may wait for a Secret that it refers to. A list takes milliseconds.
const PATIENCE: Duration = Duration::from_secs(1);

/// Makes snapshots, one after another.
#[derive(Debug, Default)]
pub struct Assembler {
    views: BTreeMap<String, Rc<View>>,
    providers: BTreeMap<String, Rc<Owned>>,
}

/// What was made.
#[derive(Debug)]
pub struct Assembled {
    /// The snapshot.
    pub snapshot: Snapshot,
    /// Something waits for a Secret: make another one by then.
    pub wake: Option<Instant>,
}

/// A namespace's providers, and what is wrong with them.
#[derive(Debug)]
struct Owned {
    providers: Shelf<ProviderSecret>,
    secrets: BTreeMap<Id, Rc<Keys>>,
    faults: BTreeMap<String, Vec<Fault>>,
}

/// Which keys all objects refer to.
pub fn references(stores: &Stores) -> References {
    let mut references = References::new();
    for (namespace, shelf) in stores.routes.shelves() {
        for route in shelf.values() {
            scope::refer(&mut references, namespace, scope::keys_of_route(route));
        }
    }
    for (namespace, shelf) in stores.providers.shelves() {
        for provider in shelf.values() {
            scope::refer(&mut references, namespace, scope::keys_of_provider(provider));
        }
    }
    references
}

// === impl Assembler ===

impl Assembler {
    /// Makes the snapshot of this moment.
    pub fn assemble(&mut self, stores: &Stores, now: Instant) -> Assembled {
        let mut waits = Waits { stores, now, until: None };
        let views = stores.routes.shelves().iter().filter_map(|(namespace, routes)| {
            let view = self.view(namespace, routes, &mut waits)?;
            Some((namespace.clone(), view))
        });
        let views: BTreeMap<_, _> = views.collect();
        let owned = stores.providers.shelves().iter().filter_map(|(namespace, shelf)| {
            let owned = self.owned(namespace, shelf, &mut waits)?;
            Some((namespace.clone(), owned))
        });
        let owned: BTreeMap<_, _> = owned.collect();
        let wake = waits.until;
        (self.views, self.providers) = (views, owned);
        Assembled { snapshot: self.snapshot(stores), wake }
    }

    fn view(
        &self,
        namespace: &str,
        routes: &Shelf<LlmRoute>,
        waits: &mut Waits<'_>,
    ) -> Option<Rc<View>> {
        let before = self.views.get(namespace);
        let inputs = inputs(namespace, routes, (before, waits.stores));
        if waits.for_any(needed(&inputs).keys()) {
            return before.cloned();
        }
        match before.filter(|view| view.inputs.same(&inputs)) {
            Some(view) => Some(view.with(inputs)),
            None => Some(Rc::new(View::new(inputs, before.map(Rc::as_ref)))),
        }
    }

    fn owned(
        &self,
        namespace: &str,
        shelf: &Shelf<ProviderSecret>,
        waits: &mut Waits<'_>,
    ) -> Option<Rc<Owned>> {
        let before = self.providers.get(namespace);
        let mut references = References::new();
        for provider in shelf.values() {
            scope::refer(&mut references, namespace, scope::keys_of_provider(provider));
        }
        if waits.for_any(references.keys()) {
            return before.cloned();
        }
        let secrets = found(&references, waits.stores);
        match before.filter(|owned| owned.same(shelf, &secrets)) {
            Some(owned) => Some(Rc::clone(owned)),
            None => Some(Rc::new(Owned::new(Rc::clone(shelf), secrets))),
        }
    }

    fn snapshot(&self, stores: &Stores) -> Snapshot {
        let mut routes: Vec<_> = self.views.values().flat_map(|view| verdicts(view)).collect();
        self.add_oversized(&mut routes, stores.pods.shelves());
        Snapshot {
            routes,
            providers: self.provider_verdicts(),
            undecodable: undecodable(stores),
            bundles: Bundles::new(self.views.clone(), stores.pods.shelves().clone()),
        }
    }

    fn provider_verdicts(&self) -> Vec<ProviderVerdict> {
        let mut named: BTreeMap<&Id, usize> = BTreeMap::new();
        for (id, count) in self.views.values().flat_map(|view| view.inputs.named.iter()) {
            *named.entry(id).or_default() += count;
        }
        let mut verdicts = Vec::new();
        for (namespace, owned) in &self.providers {
            for (name, object) in owned.providers.iter() {
                let id = (namespace.clone(), name.clone());
                verdicts.push(ProviderVerdict {
                    object: Rc::clone(object),
                    faults: owned.faults.get(name).cloned().unwrap_or_default(),
                    routes: named.get(&id).copied().unwrap_or_default(),
                });
            }
        }
        verdicts
    }

    fn add_oversized(&self, routes: &mut [RouteVerdict], pods: &BTreeMap<String, Shelf<PodFacts>>) {
        for (namespace, view) in &self.views {
            let pods = pods.get(namespace).into_iter().flat_map(|shelf| shelf.values());
            let too_large = view.oversized(pods.map(|pod| &pod.labels));
            for verdict in routes.iter_mut() {
                let metadata = &verdict.object.metadata;
                let here = metadata.namespace.as_ref() == Some(namespace);
                if let Some(name) = metadata.name.as_ref().filter(|n| here && too_large.contains(n))
                {
                    verdict.faults.push(oversized(namespace, name));
                }
            }
        }
    }
}

// === impl Owned ===

impl Owned {
    fn new(providers: Shelf<ProviderSecret>, secrets: BTreeMap<Id, Rc<Keys>>) -> Self {
        let world = World {
            providers: providers.values().map(|provider| (**provider).clone()).collect(),
            secrets: secrets.iter().map(|(id, keys)| (id.clone(), (**keys).clone())).collect(),
            workloads: Workloads::Selected,
            ..World::default()
        };
        let mut faults: BTreeMap<String, Vec<Fault>> = BTreeMap::new();
        for fault in compile::compile(&world).faults {
            faults.entry(fault.object.name.clone()).or_default().push(fault);
        }
        Self { providers, secrets, faults }
    }

    fn same(&self, shelf: &Shelf<ProviderSecret>, secrets: &BTreeMap<Id, Rc<Keys>>) -> bool {
        let same = |one: (&Id, &Rc<Keys>), other: (&Id, &Rc<Keys>)| {
            one.0 == other.0 && Rc::ptr_eq(one.1, other.1)
        };
        Rc::ptr_eq(&self.providers, shelf)
            && self.secrets.len() == secrets.len()
            && self.secrets.iter().zip(secrets).all(|(one, other)| same(one, other))
    }
}

/// What is waited for.
struct Waits<'s> {
    stores: &'s Stores,
    now: Instant,
    until: Option<Instant>,
}

impl Waits<'_> {
    /// Must any of these be waited for?
    fn for_any<'i>(&mut self, mut secrets: impl Iterator<Item = &'i Id>) -> bool {
        let awaited = |id| self.stores.secrets.awaited_since(id).map(|since| since + PATIENCE);
        let deadline = secrets.find_map(|id| awaited(id).filter(|until| *until > self.now));
        if let Some(deadline) = deadline {
            self.until = Some(self.until.map_or(deadline, |until| until.min(deadline)));
        }
        deadline.is_some()
    }
}

fn inputs(
    namespace: &str,
    routes: &Shelf<LlmRoute>,
    (before, stores): (Option<&Rc<View>>, &Stores),
) -> Inputs {
    let same = before.filter(|view| Rc::ptr_eq(&view.inputs.routes, routes));
    let named = match same {
        Some(view) => Rc::clone(&view.inputs.named),
        None => {
            let mut named = named(namespace, routes);
            // An edit may turn out to be bad: then what its route named before is needed.
            for id in before.into_iter().flat_map(|view| view.providers()) {
                named.entry(id).or_default();
            }
            Rc::new(named)
        }
    };
    let provider = |id: &Id| Some((id.clone(), Rc::clone(stores.providers.get(id)?)));
    let surroundings = Surroundings {
        namespace: namespace.to_owned(),
        facts: stores.namespaces.get(&(String::new(), namespace.to_owned())).cloned(),
        providers: named.keys().filter_map(provider).collect(),
        secrets: BTreeMap::new(),
    };
    let mut inputs = Inputs { routes: Rc::clone(routes), named, surroundings };
    inputs.surroundings.secrets = found(&needed(&inputs), stores);
    inputs
}

/// How many routes name a provider, by provider.
fn named(namespace: &str, routes: &Shelf<LlmRoute>) -> BTreeMap<Id, usize> {
    let mut named = BTreeMap::new();
    for route in routes.values() {
        let providers = scope::providers_of(namespace, route);
        for id in providers.collect::<std::collections::BTreeSet<_>>() {
            *named.entry(id).or_default() += 1;
        }
    }
    named
}

/// The keys that a namespace's routes lead to.
fn needed(inputs: &Inputs) -> References {
    let surroundings = &inputs.surroundings;
    let mut references = References::new();
    for route in inputs.routes.values() {
        scope::refer(&mut references, &surroundings.namespace, scope::keys_of_route(route));
    }
    let usable = surroundings.providers.iter().filter(|(_, p)| surroundings.may_name(p));
    for ((home, _), provider) in usable {
        scope::refer(&mut references, home, scope::keys_of_provider(provider));
    }
    references
}

fn found(references: &References, stores: &Stores) -> BTreeMap<Id, Rc<Keys>> {
    let keys = |id: &Id| Some((id.clone(), Rc::clone(stores.secrets.get(id)?)));
    references.keys().filter_map(keys).collect()
}

fn verdicts(view: &View) -> impl Iterator<Item = RouteVerdict> {
    view.inputs.routes.iter().map(|(name, object)| RouteVerdict {
        object: Rc::clone(object),
        faults: view.faults(name).to_vec(),
    })
}

fn undecodable(stores: &Stores) -> Vec<Undecodable> {
    fn of<T: super::super::store::Kept>(
        store: &Store<T>,
        kind: ResourceKind,
    ) -> impl Iterator<Item = Undecodable> {
        store.unreadable().iter().map(move |(id, unreadable)| Undecodable {
            kind,
            id: id.clone(),
            generation: unreadable.generation,
            message: unreadable.message.clone(),
        })
    }
    let routes = of(&stores.routes, ResourceKind::LlmRoute);
    routes.chain(of(&stores.providers, ResourceKind::ProviderSecret)).collect()
}

fn oversized(namespace: &str, name: &str) -> Fault {
    Fault {
        object: ObjectId {
            kind: ResourceKind::LlmRoute,
            namespace: namespace.to_owned(),
            name: name.to_owned(),
        },
        path: "spec".to_owned(),
        severity: Severity::Error,
        subject: Subject::Spec,
        message: format!(
            "the routes of a pod come to more than {} MiB, which no sidecar takes; it keeps what \
             it runs",
            MAX_BUNDLE >> 20
        ),
        remedy: "let workloads.podSelector select fewer pods, or shorten the routes".to_owned(),
    }
}
