//! What watches have told so far of one kind, by namespace and name.
//!
//! A relist never empties it: what the new list brings is kept aside until the list is complete,
//! then it replaces the old content at once. Says of everything that it is told whether it changed
//! anything; a resync that brings the same objects does not. A namespace's objects are one shared
//! [`Shelf`], which is the same `Rc` for as long as none of them has changed.
//!
//! An object that cannot be read is remembered as such beside the last version of it that could,
//! which goes on being used: a controller that is older than the definitions must not take routes
//! out of sidecars. It is let go when the object is deleted, or made anew under the same name; a
//! controller that starts has no such version, and then the object counts as not there.
//!
//! Does not know where events come from ([`super::watch`]) nor what the objects come to.

pub mod secrets;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::rc::Rc;

use kube::runtime::watcher::Event;

/// Namespace (empty for what has none) and name.
pub type Id = (String, String);

/// A namespace's objects by name.
pub type Shelf<T> = Rc<BTreeMap<String, Rc<T>>>;

/// What is kept of an object.
pub trait Kept: PartialEq {
    /// Tells an object from another one that had its name before.
    fn uid(&self) -> Option<&str>;
}

/// An object, as a watch tells of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Told<T> {
    /// Which one.
    pub id: Id,
    /// What is kept of it.
    pub object: Result<T, Unreadable>,
}

/// An object that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    /// Which of its name.
    pub uid: Option<String>,
    /// Its generation, if it has one.
    pub generation: Option<i64>,
    /// What is wrong, without any value.
    pub message: String,
}

/// Did it matter?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Nothing is different now.
    None,
    /// Something is.
    Some,
}

/// All objects of a kind.
#[derive(Debug)]
pub struct Store<T> {
    shelves: BTreeMap<String, Shelf<T>>,
    unreadable: BTreeMap<Id, Unreadable>,
}

/// What one watch covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// All namespaces.
    Everything,
    /// This one.
    Namespace(String),
}

/// One watch's progress.
#[derive(Debug)]
pub struct Listing<T> {
    part: Part,
    /// What the list that is under way has brought.
    aside: Vec<Told<T>>,
    /// Has a list been completed?
    listed: Listed,
}

/// Has a list been completed?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listed {
    /// Nothing is known yet.
    Never,
    /// What is not in the store is not there.
    Once,
}

// === impl Store ===

impl<T> Default for Store<T> {
    fn default() -> Self {
        Self { shelves: BTreeMap::new(), unreadable: BTreeMap::new() }
    }
}

impl<T: Kept> Store<T> {
    /// Takes in what a watch tells.
    pub fn apply(&mut self, listing: &mut Listing<T>, event: Event<Told<T>>) -> Change {
        match event {
            Event::Init => {
                listing.aside.clear();
                Change::None
            }
            Event::InitApply(told) => {
                listing.aside.push(told);
                Change::None
            }
            Event::InitDone => {
                let change = self.replace(&listing.part, std::mem::take(&mut listing.aside));
                match std::mem::replace(&mut listing.listed, Listed::Once) {
                    Listed::Never => Change::Some,
                    Listed::Once => change,
                }
            }
            Event::Apply(told) => self.put(told),
            Event::Delete(told) => self.remove(&told.id),
        }
    }

    /// The objects, a shelf a namespace.
    pub fn shelves(&self) -> &BTreeMap<String, Shelf<T>> {
        &self.shelves
    }

    /// One of them.
    pub fn get(&self, (namespace, name): &Id) -> Option<&Rc<T>> {
        self.shelves.get(namespace)?.get(name)
    }

    /// What cannot be read.
    pub fn unreadable(&self) -> &BTreeMap<Id, Unreadable> {
        &self.unreadable
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.shelves.values().map(|shelf| shelf.len()).sum()
    }

    fn put(&mut self, told: Told<T>) -> Change {
        let id = told.id;
        match told.object {
            Ok(object) => {
                let mended = self.unreadable.remove(&id).is_some();
                let same = self.get(&id).is_some_and(|old| **old == object);
                if !same {
                    self.place(id, Rc::new(object));
                }
                Change::of(mended || !same)
            }
            Err(unreadable) => {
                if self.get(&id).is_some_and(|old| old.uid() != unreadable.uid.as_deref()) {
                    self.take(&id);
                }
                let known = self.unreadable.get(&id) == Some(&unreadable);
                self.unreadable.insert(id, unreadable);
                Change::of(!known)
            }
        }
    }

    fn remove(&mut self, id: &Id) -> Change {
        let unreadable = self.unreadable.remove(id).is_some();
        let object = self.take(id).is_some();
        Change::of(unreadable || object)
    }

    /// The watch's part is this now, and nothing else.
    fn replace(&mut self, part: &Part, all: Vec<Told<T>>) -> Change {
        let mut change = Change::None;
        let listed: BTreeSet<Id> = all.iter().map(|t| t.id.clone()).collect();
        for id in self.ids(part) {
            if !listed.contains(&id) {
                change = change.and(self.remove(&id));
            }
        }
        for told in all {
            change = change.and(self.put(told));
        }
        change
    }

    fn ids(&self, part: &Part) -> Vec<Id> {
        let shelf = |(namespace, shelf): (&String, &Shelf<T>)| {
            shelf.keys().map(|name| (namespace.clone(), name.clone())).collect::<Vec<_>>()
        };
        let ids = self.shelves.iter().flat_map(shelf).chain(self.unreadable.keys().cloned());
        match part {
            Part::Everything => ids.collect(),
            Part::Namespace(namespace) => ids.filter(|(other, _)| other == namespace).collect(),
        }
    }

    fn place(&mut self, (namespace, name): Id, object: Rc<T>) {
        let shelf = self.shelves.entry(namespace).or_default();
        Rc::make_mut(shelf).insert(name, object);
    }

    fn take(&mut self, (namespace, name): &Id) -> Option<Rc<T>> {
        let shelf = self.shelves.get_mut(namespace).filter(|shelf| shelf.contains_key(name))?;
        let taken = Rc::make_mut(shelf).remove(name);
        if shelf.is_empty() {
            self.shelves.remove(namespace);
        }
        taken
    }
}

// === impl Change ===

impl Change {
    fn of(changed: bool) -> Self {
        match changed {
            true => Self::Some,
            false => Self::None,
        }
    }

    /// Did either matter?
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self::of(self == Self::Some || other == Self::Some)
    }
}

// === impl Part ===

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Everything => f.write_str("all namespaces"),
            Self::Namespace(namespace) => write!(f, "namespace {namespace}"),
        }
    }
}

// === impl Listing ===

impl<T> Listing<T> {
    /// Of a watch that has told nothing yet.
    pub fn new(part: Part) -> Self {
        Self { part, aside: Vec::new(), listed: Listed::Never }
    }

    /// Has a list been completed?
    pub fn listed(&self) -> Listed {
        self.listed
    }
}
