//! What the sidecars answered, per route.
//!
//! Pure. A sidecar counts for a route if the bundle that its pod is to have now holds the route; an
//! answer counts only if it is to that very bundle. A route whose last good version the bundle
//! holds is held back like one that the sidecar itself holds back. A pod counts once, however many
//! streams it has for a moment, with whichever replicas.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::rc::Rc;

use crate::bundle::push::Answer;
use crate::compile::{ObjectId, ResourceKind};
use crate::controller::sidecars::Sidecar;
use crate::controller::snapshot::{Encoded, PodId, Snapshot};

/// By namespace and name of the route.
pub(super) type Tallies = BTreeMap<(String, String), Tally>;

/// The sidecars of one route.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Tally {
    /// All that it concerns.
    pub(super) total: u32,
    /// They run it as it stands.
    pub(super) programmed: u32,
    /// They hold it back: pods, the first few.
    pub(super) held: Pods,
    /// They cannot read what they were sent.
    pub(super) rejected: Pods,
    /// Why the first of these cannot.
    pub(super) why: String,
}

/// How many pods, and one of them.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Pods {
    /// How many.
    pub(super) count: u32,
    /// The first, as `namespace/name`.
    pub(super) first: String,
}

/// What a sidecar makes of a route.
enum State<'a> {
    Programmed,
    Held,
    Rejected(&'a str),
    Pending,
}

/// Counts.
pub(super) fn count(snapshot: &Snapshot, sidecars: &[Sidecar]) -> Tallies {
    let mut tallies = Tallies::new();
    for (bundle, sidecar) in of_pods(snapshot, sidecars).into_values() {
        for route in &bundle.routes {
            let state = match state(sidecar.answer.as_ref(), &bundle.version, route) {
                State::Programmed if bundle.kept.contains(route) => State::Held,
                state => state,
            };
            if !tallies.contains_key(route) {
                tallies.insert(route.clone(), Tally::default());
            }
            if let Some(tally) = tallies.get_mut(route) {
                tally.add(sidecar, &state);
            }
        }
    }
    tallies
}

/// Each pod's bundle, and of its streams one that has answered to that, if there is any.
fn of_pods<'a>(
    snapshot: &Snapshot,
    sidecars: &'a [Sidecar],
) -> BTreeMap<&'a PodId, (Rc<Encoded>, &'a Sidecar)> {
    let mut pods = BTreeMap::new();
    for sidecar in sidecars {
        let Some(bundle) = snapshot.bundle(&sidecar.pod) else { continue };
        let is_better = answers(sidecar, &bundle.version);
        match pods.entry(&sidecar.pod) {
            Entry::Vacant(free) => drop(free.insert((bundle, sidecar))),
            Entry::Occupied(mut taken) if is_better => drop(taken.insert((bundle, sidecar))),
            Entry::Occupied(_) => {}
        }
    }
    pods
}

fn answers(sidecar: &Sidecar, current: &str) -> bool {
    match &sidecar.answer {
        Some(Answer::Applied { version, .. } | Answer::Rejected { version, .. }) => {
            version == current
        }
        None => false,
    }
}

fn state<'a>(answer: Option<&'a Answer>, current: &str, route: &(String, String)) -> State<'a> {
    match answer {
        Some(Answer::Applied { version, held }) if version == current => {
            match held.is_empty() || !held.contains(&told(route)) {
                true => State::Programmed,
                false => State::Held,
            }
        }
        // A bundle may be so broken that not even its version can be read.
        Some(Answer::Rejected { version, reason }) if version == current || version.is_empty() => {
            State::Rejected(reason)
        }
        Some(Answer::Applied { .. } | Answer::Rejected { .. }) | None => State::Pending,
    }
}

/// A route as sidecars tell it.
fn told((namespace, name): &(String, String)) -> String {
    let (namespace, name) = (namespace.clone(), name.clone());
    ObjectId { kind: ResourceKind::LlmRoute, namespace, name }.to_string()
}

// === impl Tally ===

impl Tally {
    /// Those that have not answered yet.
    pub(super) fn pending(&self) -> u32 {
        self.total - self.programmed - self.held.count - self.rejected.count
    }

    fn add(&mut self, sidecar: &Sidecar, state: &State<'_>) {
        self.total += 1;
        match state {
            State::Programmed => self.programmed += 1,
            State::Held => self.held.add(sidecar),
            State::Rejected(why) => {
                if self.rejected.count == 0 {
                    self.why = (*why).to_owned();
                }
                self.rejected.add(sidecar);
            }
            State::Pending => {}
        }
    }
}

// === impl Pods ===

impl Pods {
    fn add(&mut self, sidecar: &Sidecar) {
        if self.count == 0 {
            self.first = format!("{}/{}", sidecar.pod.namespace, sidecar.pod.name);
        }
        self.count += 1;
    }
}

#[cfg(test)]
mod tests {
    use kube::runtime::watcher::Event;
    use serde_json::json;
    use tokio::time::Instant;

    use super::*;
    use crate::controller::snapshot::Assembler;
    use crate::controller::store::{Listing, Part, Told};
    use crate::controller::watch::Stores;
    use crate::controller::watch::objects::PodFacts;

    fn applied(version: &str, held: &[&str]) -> Option<Answer> {
        let held = held.iter().map(|held| (*held).to_owned()).collect();
        Some(Answer::Applied { version: version.to_owned(), held })
    }

    fn rejected(version: &str) -> Option<Answer> {
        Some(Answer::Rejected { version: version.to_owned(), reason: "why".to_owned() })
    }

    /// Total, programmed, held, rejected and pending of one sidecar, of which the bundle `v2` is
    /// wanted.
    fn check(answer: Option<Answer>, expected: [u32; 5]) {
        let pod = PodId { namespace: "t".to_owned(), name: "p".to_owned(), uid: "u".to_owned() };
        let sidecar = Sidecar { pod, sent: None, answer };
        let mut tally = Tally::default();
        let route = ("team".to_owned(), "chat".to_owned());
        tally.add(&sidecar, &state(sidecar.answer.as_ref(), "v2", &route));
        let Tally { total, programmed, held, rejected, .. } = &tally;
        assert_eq!(
            [*total, *programmed, held.count, rejected.count, tally.pending()],
            expected,
            "{:?}",
            sidecar.answer
        );
    }

    #[test]
    fn only_an_answer_to_the_current_bundle_counts() {
        check(None, [1, 0, 0, 0, 1]);
        check(applied("v2", &[]), [1, 1, 0, 0, 0]);
        check(applied("v1", &[]), [1, 0, 0, 0, 1]);
        check(applied("v2", &["LlmRoute team/other"]), [1, 1, 0, 0, 0]);
        check(applied("v2", &["LlmRoute team/chat"]), [1, 0, 1, 0, 0]);
        check(applied("v1", &["LlmRoute team/chat"]), [1, 0, 0, 0, 1]);
        check(rejected("v2"), [1, 0, 0, 1, 0]);
        check(rejected(""), [1, 0, 0, 1, 0]);
        check(rejected("v1"), [1, 0, 0, 0, 1]);
    }

    /// A pod that a route selects, and the version that it should have.
    fn town(pod: &PodId) -> (Rc<Snapshot>, String) {
        let mut stores = Stores::default();
        let mut all = Listing::new(Part::Everything);
        let facts = PodFacts { uid: pod.uid.clone(), labels: Default::default() };
        let id = (pod.namespace.clone(), pod.name.clone());
        stores.pods.apply(&mut all, Event::Apply(Told { id, object: Ok(facts) }));
        let route = json!({
            "metadata": { "name": "chat", "namespace": "t", "uid": "1" },
            "spec": { "rules": [{ "targets": [{ "provider": { "name": "none" } }] }] },
        });
        let object = Ok(serde_json::from_value(route).unwrap());
        let told = Told { id: ("t".to_owned(), "chat".to_owned()), object };
        stores.routes.apply(&mut Listing::new(Part::Everything), Event::Apply(told));
        let snapshot = Assembler::default().assemble(&stores, Instant::now()).snapshot;
        let version = snapshot.bundle(pod).unwrap().version.clone();
        (Rc::new(snapshot), version)
    }

    #[test]
    fn a_pod_counts_once_whichever_of_its_streams_comes_first() {
        let pod = PodId { namespace: "t".to_owned(), name: "p".to_owned(), uid: "u".to_owned() };
        let (snapshot, version) = town(&pod);
        let stream = |answer| Sidecar { pod: pod.clone(), sent: None, answer };
        // The old one, whose death nobody has noticed; the new one; one that has said nothing yet.
        let streams = [applied("old", &[]), applied(&version, &[]), None].map(stream);
        for order in [[0, 1, 2], [2, 1, 0], [1, 0, 2], [1, 2, 0]] {
            let told = order.map(|index| streams[index].clone());
            let tallies = count(&snapshot, &told);
            let tally = &tallies[&("t".to_owned(), "chat".to_owned())];
            assert_eq!((tally.total, tally.programmed), (1, 1), "{order:?}");
        }
    }
}
