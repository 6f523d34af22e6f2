//! The last good version of each object.
//!
//! A bad edit of one object ([`Fault::keeps_last_good`]) keeps that object as it was, while all
//! others move on. Causes before consequences: first providers, then the routes that name them, so
//! that a good edit of a route is not held for its provider's bad one.
//!
//! Only what an edit did is undone: an object that is gone is gone, an object that nobody edited is
//! taken as it is, and so is one whose earlier version has a fault now. Keys are the new world's,
//! always: what was taken away there is used no more. Does not know where worlds come from.

use std::collections::BTreeSet;

use kube::Resource;

use super::report::object_id;
use super::{Compiled, Fault, ObjectId, ResourceKind, World, compile};
use crate::api::{LlmRoute, ProviderSecret};

/// A world that runs.
#[derive(Debug)]
pub struct Onto {
    /// The objects that run, each in its new or in its last good version.
    pub world: World,
    /// What they come to, and what is wrong with the new versions, held ones included.
    pub compiled: Compiled,
    /// Of which an earlier version goes on, in order.
    pub held: Vec<ObjectId>,
}

/// Compiles `world`, with objects of `before` in the place of their own bad edits.
pub fn compile_onto(mut world: World, before: Option<&World>) -> Onto {
    let mut compiled = compile(&world);
    let mut held = Vec::new();
    if let Some(before) = before {
        let told = compiled.faults.clone();
        hold::<ProviderSecret>((&mut world, &mut compiled), before, &mut held);
        hold::<LlmRoute>((&mut world, &mut compiled), before, &mut held);
        held.sort();
        compiled.faults = with_those_of(&held, told, compiled.faults);
    }
    Onto { world, compiled, held }
}

/// Objects of one kind, and what an edit may change in them.
trait Editable: Resource<DynamicType = ()> + Clone {
    const KIND: ResourceKind;
    fn all(world: &World) -> &[Self];
    fn all_mut(world: &mut World) -> &mut Vec<Self>;
    fn is_edit_of(&self, earlier: &Self) -> bool;
}

impl Editable for ProviderSecret {
    const KIND: ResourceKind = ResourceKind::ProviderSecret;

    fn all(world: &World) -> &[Self] {
        &world.providers
    }

    fn all_mut(world: &mut World) -> &mut Vec<Self> {
        &mut world.providers
    }

    fn is_edit_of(&self, earlier: &Self) -> bool {
        self.spec != earlier.spec
    }
}

impl Editable for LlmRoute {
    const KIND: ResourceKind = ResourceKind::LlmRoute;

    fn all(world: &World) -> &[Self] {
        &world.routes
    }

    fn all_mut(world: &mut World) -> &mut Vec<Self> {
        &mut world.routes
    }

    fn is_edit_of(&self, earlier: &Self) -> bool {
        self.spec != earlier.spec
    }
}

/// Puts earlier versions in the place of bad edits, for as far as that mends them.
fn hold<T: Editable>(
    (world, compiled): (&mut World, &mut Compiled),
    before: &World,
    held: &mut Vec<ObjectId>,
) {
    let edits = swap::<T>(world, before, &faulty(compiled));
    if edits.is_empty() {
        return;
    }
    *compiled = compile(world);
    let still = faulty(compiled);
    let (vain, mended): (Vec<T>, Vec<T>) =
        edits.into_iter().partition(|edit| still.contains(&id_of(edit)));
    held.extend(mended.iter().map(id_of));
    if vain.is_empty() {
        return;
    }
    for edit in vain {
        put(world, edit);
    }
    *compiled = compile(world);
}

/// Gives the bad edits that were taken out.
fn swap<T: Editable>(world: &mut World, before: &World, faulty: &BTreeSet<ObjectId>) -> Vec<T> {
    let objects = T::all_mut(world).iter_mut().filter(|object| faulty.contains(&id_of(*object)));
    let mut edits = Vec::new();
    for object in objects {
        let mut earlier = T::all(before).iter().filter(|earlier| id_of(*earlier) == id_of(object));
        if let Some(earlier) = earlier.next().filter(|earlier| object.is_edit_of(earlier)) {
            edits.push(std::mem::replace(object, earlier.clone()));
        }
    }
    edits
}

fn put<T: Editable>(world: &mut World, object: T) {
    let id = id_of(&object);
    if let Some(place) = T::all_mut(world).iter_mut().find(|there| id_of(*there) == id) {
        *place = object;
    }
}

fn id_of<T: Editable>(object: &T) -> ObjectId {
    object_id(T::KIND, object)
}

fn faulty(compiled: &Compiled) -> BTreeSet<ObjectId> {
    let bad = compiled.faults.iter().filter(|fault| fault.keeps_last_good());
    bad.map(|fault| fault.object.clone()).collect()
}

/// Of held objects the faults of their edits; of all others those of the world that runs.
fn with_those_of(held: &[ObjectId], told: Vec<Fault>, running: Vec<Fault>) -> Vec<Fault> {
    let (edits, _): (Vec<Fault>, Vec<Fault>) =
        told.into_iter().partition(|fault| held.contains(&fault.object));
    let others = running.into_iter().filter(|fault| !held.contains(&fault.object));
    let mut faults: Vec<Fault> = edits.into_iter().chain(others).collect();
    faults.sort_by(|a, b| a.object.cmp(&b.object));
    faults
}
