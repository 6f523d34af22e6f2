//! Which bundle a pod gets. Made when somebody asks; pods of the same scope share one.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::super::store::Shelf;
use super::super::watch::objects::PodFacts;
use super::view::{self, Bundle, View};
use super::{Encoded, PodId};
use crate::compile::{self, World};

/// The bundles of a snapshot.
#[derive(Debug, Default)]
pub struct Bundles {
    views: BTreeMap<String, Rc<View>>,
    pods: BTreeMap<String, Shelf<PodFacts>>,
    nothing: OnceCell<Option<Rc<Encoded>>>,
}

impl Bundles {
    /// For these pods, of these routes.
    pub(super) fn new(
        views: BTreeMap<String, Rc<View>>,
        pods: BTreeMap<String, Shelf<PodFacts>>,
    ) -> Self {
        Self { views, pods, nothing: OnceCell::new() }
    }

    /// The pod's.
    pub(super) fn get(&self, pod: &PodId) -> Option<Rc<Encoded>> {
        let facts = self.pods.get(&pod.namespace)?.get(&pod.name)?;
        if facts.uid != pod.uid {
            return None;
        }
        match self.views.get(&pod.namespace).map(|view| view.bundle(&facts.labels)) {
            Some(Bundle::Ready(encoded)) => Some(encoded),
            Some(Bundle::TooLarge) => None,
            None => self.nothing.get_or_init(nothing).clone(),
        }
    }
}

/// What a pod gets for which there is no route.
fn nothing() -> Option<Rc<Encoded>> {
    let world = World::default();
    match view::encode(&world, compile::version_of(&world), &BTreeSet::new()) {
        Bundle::Ready(encoded) => Some(encoded),
        Bundle::TooLarge => None,
    }
}
