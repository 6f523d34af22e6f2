//! One namespace's routes at one moment: what they and what surrounds them come to. Made anew only
//! when something of that has changed; what was encoded for sidecars is taken over where its
//! content is the same.
//!
//! A bad edit keeps the route's last good version (`compile/hold.rs`), here already: a sidecar
//! alone could not, because a bundle holds only the providers that its routes name, and a bad edit
//! may name another one. What is held is forgotten when the controller ends.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use bytes::Bytes;
use kube::ResourceExt;

use super::super::scope::{self, Selectors, Surroundings};
use super::super::store::{Id, Shelf};
use super::super::watch::objects::Labels;
use super::Encoded;
use crate::api::LlmRoute;
use crate::bundle;
use crate::bundle::push::MAX_BUNDLE;
use crate::compile::hold::{Onto, compile_onto};
use crate::compile::{self, Fault, ResourceKind, World};

/// What a namespace's routes come to.
#[derive(Debug)]
pub(super) struct View {
    /// What it was made of.
    pub(super) inputs: Inputs,
    results: Rc<Results>,
    /// The bundles of the view before.
    before: Vec<Rc<Encoded>>,
}

/// What compiling made; shared by views whose inputs differ in nothing that matters.
#[derive(Debug)]
struct Results {
    /// What is wrong, by route.
    faults: BTreeMap<String, Vec<Fault>>,
    /// What runs: each object in its new or its last good version. Without keys.
    running: World,
    /// The routes of which an earlier version goes on.
    kept: BTreeSet<String>,
    selectors: Selectors,
    /// By the routes that a bundle holds.
    bundles: RefCell<BTreeMap<Vec<String>, Bundle>>,
    size: Size,
}

/// What a view is made of.
#[derive(Debug, Default)]
pub(super) struct Inputs {
    /// The routes.
    pub(super) routes: Shelf<LlmRoute>,
    /// How many of them name a provider, by provider.
    pub(super) named: Rc<BTreeMap<Id, usize>>,
    /// The rest.
    pub(super) surroundings: Surroundings,
}

/// A bundle, or that it cannot be sent.
#[derive(Debug, Clone)]
pub(super) enum Bundle {
    Ready(Rc<Encoded>),
    TooLarge,
}

/// Could a bundle of this namespace be too large?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Size {
    Small,
    Large,
}

// === impl View ===

impl View {
    /// Compiles.
    pub(super) fn new(inputs: Inputs, before: Option<&Self>) -> Self {
        let earlier = before.map(|view| &view.results.running);
        let results = Rc::new(Results::of(&inputs, earlier));
        let before = before.map(View::encoded).unwrap_or_default();
        Self { inputs, results, before }
    }

    /// The same results for inputs that differ in nothing that matters: each write of a status
    /// comes to this, so nothing is copied.
    pub(super) fn with(self: &Rc<Self>, inputs: Inputs) -> Rc<Self> {
        if Rc::ptr_eq(&self.inputs.routes, &inputs.routes) {
            return Rc::clone(self);
        }
        Rc::new(Self { inputs, results: Rc::clone(&self.results), before: Vec::new() })
    }

    /// What is wrong with a route.
    pub(super) fn faults(&self, route: &str) -> &[Fault] {
        self.results.faults.get(route).map(Vec::as_slice).unwrap_or_default()
    }

    /// The bundle of a pod with these labels.
    pub(super) fn bundle(&self, labels: &Labels) -> Bundle {
        let names = self.results.selectors.select(labels);
        let names: Vec<String> = names.into_iter().map(str::to_owned).collect();
        if let Some(bundle) = self.results.bundles.borrow().get(&names) {
            return bundle.clone();
        }
        let bundle = self.encode(&names);
        self.results.bundles.borrow_mut().insert(names, bundle.clone());
        bundle
    }

    /// The routes of bundles that cannot be sent to any of these pods.
    pub(super) fn oversized<'l>(&self, pods: impl Iterator<Item = &'l Labels>) -> Vec<String> {
        match self.results.size {
            Size::Small => Vec::new(),
            Size::Large => {
                let too_large = |labels: &&Labels| matches!(self.bundle(labels), Bundle::TooLarge);
                let names = |labels| self.results.selectors.select(labels);
                let names = pods.filter(too_large).flat_map(names).map(str::to_owned);
                names.collect()
            }
        }
    }

    fn encode(&self, names: &[String]) -> Bundle {
        let wanted = |route: &&LlmRoute| names.binary_search(&route.name_any()).is_ok();
        let routes = self.results.running.routes.iter().filter(wanted);
        let world = scope::world(routes, &self.inputs.surroundings);
        let version = compile::version_of(&world);
        let kept: Vec<_> = names.iter().filter(|name| self.results.kept.contains(*name)).collect();
        let same = |encoded: &&Rc<Encoded>| {
            encoded.version == version && encoded.kept.iter().map(|(_, name)| name).eq(kept.clone())
        };
        if let Some(same) = self.before.iter().find(same) {
            return Bundle::Ready(Rc::clone(same));
        }
        encode(&world, version, &self.results.kept)
    }

    /// The providers that routes of this namespace name in the version that runs.
    pub(super) fn providers(&self) -> impl Iterator<Item = Id> {
        let namespace = &self.inputs.surroundings.namespace;
        self.results.running.routes.iter().flat_map(|route| scope::providers_of(namespace, route))
    }

    fn encoded(&self) -> Vec<Rc<Encoded>> {
        let bundles = self.results.bundles.borrow();
        let ready = bundles.values().filter_map(|bundle| match bundle {
            Bundle::Ready(encoded) => Some(Rc::clone(encoded)),
            Bundle::TooLarge => None,
        });
        ready.collect()
    }
}

// === impl Results ===

impl Results {
    fn of(inputs: &Inputs, earlier: Option<&World>) -> Self {
        let named = inputs.named.keys().cloned().collect();
        let routes = inputs.routes.values().map(Rc::as_ref);
        let world = scope::world_naming(named, routes, &inputs.surroundings);
        let Onto { world: mut running, compiled, held } = compile_onto(world, earlier);
        let mut faults: BTreeMap<String, Vec<Fault>> = BTreeMap::new();
        for fault in compiled.faults {
            if fault.object.kind == ResourceKind::LlmRoute {
                faults.entry(fault.object.name.clone()).or_default().push(fault);
            }
        }
        running.secrets.clear();
        let held = held.into_iter().filter(|object| object.kind == ResourceKind::LlmRoute);
        Self {
            selectors: Selectors::of(&running.routes),
            size: Size::of(&running),
            running,
            kept: held.map(|object| object.name).collect(),
            faults,
            bundles: RefCell::default(),
        }
    }
}

/// A world as it is sent.
pub(super) fn encode(world: &World, version: String, kept: &BTreeSet<String>) -> Bundle {
    let line = bundle::encode(world);
    if line.len() > MAX_BUNDLE {
        return Bundle::TooLarge;
    }
    let id = |route: &LlmRoute| {
        let metadata = route.metadata.clone();
        (metadata.namespace.unwrap_or_default(), metadata.name.unwrap_or_default())
    };
    let routes: Vec<_> = world.routes.iter().map(id).collect();
    let kept = routes.iter().filter(|(_, name)| kept.contains(name)).cloned().collect();
    Bundle::Ready(Rc::new(Encoded { version, line: Bytes::from(line), routes, kept }))
}

// === impl Inputs ===

impl Inputs {
    /// Would they come to the same?
    pub(super) fn same(&self, other: &Self) -> bool {
        let (one, other_one) = (&self.surroundings, &other.surroundings);
        one.facts == other_one.facts
            && same_routes(&self.routes, &other.routes)
            && one.providers.len() == other_one.providers.len()
            && one.providers.iter().zip(&other_one.providers).all(|((a, one), (b, other))| {
                a == b && (Rc::ptr_eq(one, other) || one.spec == other.spec)
            })
            && one.secrets.len() == other_one.secrets.len()
            && one
                .secrets
                .iter()
                .zip(&other_one.secrets)
                .all(|((a, one), (b, other))| a == b && Rc::ptr_eq(one, other))
    }
}

/// Generations and uids matter to status only, which takes the objects as they are now.
fn same_routes(one: &Shelf<LlmRoute>, other: &Shelf<LlmRoute>) -> bool {
    let same = |one: &Rc<LlmRoute>, other: &Rc<LlmRoute>| {
        let created = |route: &LlmRoute| route.metadata.creation_timestamp.clone();
        Rc::ptr_eq(one, other) || (one.spec == other.spec && created(one) == created(other))
    };
    Rc::ptr_eq(one, other)
        || one.keys().eq(other.keys())
            && one.values().zip(other.values()).all(|(one, other)| same(one, other))
}

// === impl Size ===

impl Size {
    /// Small, unless all of it together could be too large even as JSON of JSON.
    fn of(world: &World) -> Self {
        let mut counter = Counter(0);
        for route in &world.routes {
            // Counting cannot fail.
            let _ = serde_json::to_writer(&mut counter, &route.spec);
        }
        for provider in &world.providers {
            let _ = serde_json::to_writer(&mut counter, &provider.spec);
        }
        match counter.0 > MAX_BUNDLE / 4 {
            true => Self::Large,
            false => Self::Small,
        }
    }
}

struct Counter(usize);

impl std::io::Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
