//! Of Secrets: the keys that are asked for, and whether we know them yet.
//!
//! "Not listed yet" and "not there" are told apart everywhere: the first makes a caller wait, the
//! second is a fault, and revokes. Nothing but the keys asked for is kept.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::rc::Rc;

use kube::runtime::watcher::Event;
use tokio::time::Instant;
use zeroize::Zeroizing;

use super::{Change, Id, Kept, Told};
use crate::secret::{Secret, SecretError};

/// The keys of one Secret that are asked for and there.
pub type Keys = BTreeMap<String, Result<Secret, SecretError>>;

/// A Secret's data as they come, for as long as it takes to pick the keys out of them.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Data(pub BTreeMap<String, Zeroizing<Vec<u8>>>);

/// Which keys of which Secrets are asked for.
pub type References = BTreeMap<Id, BTreeSet<String>>;

/// All Secrets that are asked for.
#[derive(Debug, Default)]
pub struct SecretStore {
    entries: BTreeMap<Id, Entry>,
}

#[derive(Debug)]
struct Entry {
    wanted: BTreeSet<String>,
    /// When the watch that is to tell of them was begun.
    since: Instant,
    progress: Progress,
    aside: Option<Keys>,
    keys: Option<Rc<Keys>>,
}

/// Has the watch told yet?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Progress {
    Awaited,
    Told,
}

// === impl SecretStore ===

impl SecretStore {
    /// From now on these are asked for, and no others. Returns those that must be watched anew:
    /// new ones, and those of which more is asked for than was kept.
    pub fn want(&mut self, wanted: &References) -> Vec<Id> {
        self.entries.retain(|id, _| wanted.contains_key(id));
        let mut begin = Vec::new();
        for (id, keys) in wanted {
            let known = self.entries.get(id).map(|entry| keys.is_subset(&entry.wanted));
            match (known, self.entries.get_mut(id)) {
                (Some(true), Some(entry)) => entry.narrow(keys),
                (_, entry) => {
                    let kept = entry.and_then(|entry| entry.keys.take());
                    self.entries.insert(id.clone(), Entry::new(keys, kept));
                    begin.push(id.clone());
                }
            }
        }
        begin
    }

    /// Takes in what the watch of this one tells.
    pub fn hear(&mut self, id: &Id, event: Event<Told<Data>>) -> Change {
        match self.entries.get_mut(id) {
            Some(entry) => entry.hear(event),
            None => Change::None,
        }
    }

    /// The keys, as far as is known; `None` if there is no such Secret.
    pub fn get(&self, id: &Id) -> Option<&Rc<Keys>> {
        self.entries.get(id)?.keys.as_ref()
    }

    /// Since when an answer is awaited, if one is.
    pub fn awaited_since(&self, id: &Id) -> Option<Instant> {
        let entry = self.entries.get(id)?;
        (entry.progress == Progress::Awaited).then_some(entry.since)
    }

    /// Has every watch told?
    pub fn all_told(&self) -> bool {
        self.entries.values().all(|entry| entry.progress == Progress::Told)
    }

    /// Those that are asked for.
    pub fn ids(&self) -> impl Iterator<Item = &Id> {
        self.entries.keys()
    }
}

// === impl Entry ===

impl Entry {
    fn new(wanted: &BTreeSet<String>, keys: Option<Rc<Keys>>) -> Self {
        Self {
            wanted: wanted.clone(),
            since: Instant::now(),
            progress: Progress::Awaited,
            aside: None,
            keys,
        }
    }

    /// Fewer keys are asked for.
    fn narrow(&mut self, wanted: &BTreeSet<String>) {
        if self.wanted.len() == wanted.len() {
            return;
        }
        self.wanted.clone_from(wanted);
        if let Some(keys) = &mut self.keys {
            Rc::make_mut(keys).retain(|name, _| wanted.contains(name));
        }
    }

    fn hear(&mut self, event: Event<Told<Data>>) -> Change {
        match event {
            Event::Init => {
                self.aside = None;
                Change::None
            }
            Event::InitApply(told) => {
                self.aside = self.pick(told);
                Change::None
            }
            Event::InitDone => {
                let listed = self.aside.take();
                let awaited = std::mem::replace(&mut self.progress, Progress::Told);
                Change::of(awaited == Progress::Awaited).and(self.set(listed))
            }
            Event::Apply(told) => {
                let keys = self.pick(told);
                self.set(keys)
            }
            Event::Delete(_) => self.set(None),
        }
    }

    fn pick(&self, told: Told<Data>) -> Option<Keys> {
        let data = told.object.ok()?.0;
        let asked = data.iter().filter(|(name, _)| self.wanted.contains(*name));
        Some(asked.map(|(name, value)| (name.clone(), Secret::new(value))).collect())
    }

    fn set(&mut self, keys: Option<Keys>) -> Change {
        let same = match (&self.keys, &keys) {
            (Some(old), Some(new)) => same(old, new),
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        };
        if !same {
            self.keys = keys.map(Rc::new);
        }
        Change::of(!same)
    }
}

fn same(one: &Keys, other: &Keys) -> bool {
    let alike = |(one, other): (&Result<Secret, _>, &Result<Secret, _>)| match (one, other) {
        (Ok(one), Ok(other)) => one.digest().matches(&other.digest()),
        (Err(one), Err(other)) => one == other,
        (Ok(_), Err(_)) | (Err(_), Ok(_)) => false,
    };
    one.keys().eq(other.keys()) && one.values().zip(other.values()).all(alike)
}

// === impl Data ===

impl Kept for Data {
    fn uid(&self) -> Option<&str> {
        None
    }
}

impl fmt::Debug for Data {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}
