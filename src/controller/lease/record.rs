//! What stands in the Lease, and what follows from it: pure but for the dates written for people.
//!
//! Invariant: a written Lease carries the `resourceVersion` of the one that it was made from, so
//! that of two replicas that write at once one fails.

use std::net::SocketAddr;

use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta};
use tokio::time::Instant;

use super::{ADDRESS, NAME, Settings};
use crate::telemetry;

/// What was seen last, and since when it has not changed.
#[derive(Debug, Default)]
pub(super) struct Observed {
    seen: Option<(LeaseSpec, Instant)>,
}

/// What is to be done.
#[derive(Debug)]
pub(super) enum Step {
    /// There is none: make it.
    Create(Lease),
    /// It is ours, free, or has run out: write this in its place.
    Replace(Lease),
    /// It is another's, who is reached there.
    Wait(Option<SocketAddr>),
}

// === impl Observed ===

impl Observed {
    /// Takes a look at what there is.
    pub(super) fn step(
        &mut self,
        found: Option<&Lease>,
        settings: &Settings,
        now: Instant,
    ) -> Step {
        let Some(found) = found else {
            return Step::Create(taken(None, settings));
        };
        let spec = found.spec.clone().unwrap_or_default();
        let since = match &self.seen {
            Some((before, since)) if *before == spec => *since,
            _ => now,
        };
        let holder = spec.holder_identity.clone().unwrap_or_default();
        self.seen = Some((spec, since));
        let is_free = holder.is_empty() || now.duration_since(since) >= settings.duration;
        match is_free || holder == settings.identity {
            true => Step::Replace(taken(Some(found), settings)),
            false => Step::Wait(address(found)),
        }
    }
}

/// The Lease as this replica holds it.
fn taken(before: Option<&Lease>, settings: &Settings) -> Lease {
    let now = Some(MicroTime(telemetry::timestamp()));
    let mut metadata = before.map_or_else(|| named(settings), |lease| lease.metadata.clone());
    put_address(&mut metadata, settings.address);
    let spec = before.and_then(|lease| lease.spec.clone()).unwrap_or_default();
    let is_ours = spec.holder_identity.as_deref() == Some(&*settings.identity);
    let (acquired, transitions) = match (before, is_ours) {
        (_, true) => (spec.acquire_time.clone(), spec.lease_transitions),
        (None, false) => (now.clone(), Some(0)),
        (Some(_), false) => {
            (now.clone(), Some(spec.lease_transitions.unwrap_or(0).saturating_add(1)))
        }
    };
    Lease {
        metadata,
        spec: Some(LeaseSpec {
            acquire_time: acquired,
            holder_identity: Some(settings.identity.clone()),
            lease_duration_seconds: Some(seconds(settings)),
            lease_transitions: transitions,
            renew_time: now,
            ..spec
        }),
    }
}

/// Where the holder is reached, if it says so.
fn address(lease: &Lease) -> Option<SocketAddr> {
    lease.metadata.annotations.as_ref()?.get(ADDRESS)?.parse().ok()
}

/// Another's address must not stay under our name.
fn put_address(metadata: &mut ObjectMeta, address: Option<SocketAddr>) {
    let annotations = metadata.annotations.get_or_insert_default();
    match address {
        Some(address) => annotations.insert(ADDRESS.to_owned(), address.to_string()),
        None => annotations.remove(ADDRESS),
    };
    metadata.annotations.take_if(|annotations| annotations.is_empty());
}

/// The Lease given back, if it is ours to give.
pub(super) fn released(mut lease: Lease, settings: &Settings) -> Option<Lease> {
    let spec = lease.spec.as_mut()?;
    if spec.holder_identity.as_deref() != Some(&*settings.identity) {
        return None;
    }
    spec.holder_identity = Some(String::new());
    // As client-go does it: short, for readers that wait for the duration even so.
    spec.lease_duration_seconds = Some(1);
    spec.renew_time = Some(MicroTime(telemetry::timestamp()));
    Some(lease)
}

fn named(settings: &Settings) -> ObjectMeta {
    ObjectMeta {
        name: Some(NAME.to_owned()),
        namespace: Some(settings.namespace.clone()),
        ..ObjectMeta::default()
    }
}

/// Whole seconds, at least one: what the API takes.
fn seconds(settings: &Settings) -> i32 {
    let whole = settings.duration.as_secs_f64().ceil();
    i32::try_from(whole as i64).unwrap_or(i32::MAX).max(1)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn settings(identity: &str) -> Settings {
        Settings::new("pillion-system".to_owned(), identity.to_owned())
    }

    fn held_by(identity: &str, transitions: i32) -> Lease {
        let mut lease = taken(None, &settings(identity));
        lease.metadata.resource_version = Some("7".to_owned());
        lease.spec.as_mut().unwrap().lease_transitions = Some(transitions);
        lease
    }

    fn written(step: Step) -> Lease {
        match step {
            Step::Create(lease) | Step::Replace(lease) => lease,
            Step::Wait(_) => panic!("nothing is written"),
        }
    }

    #[test]
    fn the_first_makes_it() {
        let step = Observed::default().step(None, &settings("a"), Instant::now());
        assert!(matches!(step, Step::Create(_)));
        let spec = written(step).spec.unwrap();
        assert_eq!(spec.holder_identity.as_deref(), Some("a"));
        assert_eq!((spec.lease_duration_seconds, spec.lease_transitions), (Some(15), Some(0)));
    }

    #[test]
    fn the_holder_renews_it_under_the_version_that_it_saw() {
        let ours = held_by("a", 3);
        let acquired = ours.spec.as_ref().unwrap().acquire_time.clone();
        let step = Observed::default().step(Some(&ours), &settings("a"), Instant::now());
        let lease = written(step);
        assert_eq!(lease.metadata.resource_version.as_deref(), Some("7"));
        let spec = lease.spec.unwrap();
        assert_eq!((spec.lease_transitions, spec.acquire_time), (Some(3), acquired));
    }

    /// However old another's dates say that it is: only our own clock counts.
    #[test]
    fn a_foreign_one_runs_out_on_our_own_clock() {
        let mut theirs = held_by("b", 3);
        theirs.spec.as_mut().unwrap().renew_time =
            Some(MicroTime("1999-01-01T00:00:00Z".parse().unwrap()));
        let (mut observed, begin) = (Observed::default(), Instant::now());
        let at = |seconds| begin + Duration::from_secs(seconds);
        assert!(matches!(observed.step(Some(&theirs), &settings("a"), at(0)), Step::Wait(_)));
        assert!(matches!(observed.step(Some(&theirs), &settings("a"), at(14)), Step::Wait(_)));
        let taken = written(observed.step(Some(&theirs), &settings("a"), at(15))).spec.unwrap();
        assert_eq!(taken.holder_identity.as_deref(), Some("a"));
        assert_eq!(taken.lease_transitions, Some(4));
        // It is renewed: the wait begins anew.
        theirs.spec.as_mut().unwrap().renew_time = Some(MicroTime(telemetry::timestamp()));
        assert!(matches!(observed.step(Some(&theirs), &settings("a"), at(16)), Step::Wait(_)));
        assert!(matches!(observed.step(Some(&theirs), &settings("a"), at(30)), Step::Wait(_)));
        assert!(matches!(observed.step(Some(&theirs), &settings("a"), at(31)), Step::Replace(_)));
    }

    #[test]
    fn the_holder_says_where_it_is_reached() {
        let at = |identity: &str, address: Option<&str>| Settings {
            address: address.map(|address| address.parse().unwrap()),
            ..settings(identity)
        };
        let lease = taken(None, &at("a", Some("10.0.0.1:8790")));
        let step = Observed::default().step(Some(&lease), &settings("b"), Instant::now());
        let Step::Wait(Some(address)) = step else { panic!("{step:?}") };
        assert_eq!(address.to_string(), "10.0.0.1:8790");
        // The next holder's word takes its place, also if it has none.
        let next = taken(Some(&lease), &at("b", Some("[::1]:8790")));
        assert_eq!(super::address(&next).unwrap().to_string(), "[::1]:8790");
        let silent = taken(Some(&next), &settings("c"));
        assert_eq!((super::address(&silent), silent.metadata.annotations), (None, None));
    }

    #[test]
    fn a_released_one_is_taken_at_once() {
        let free = released(held_by("b", 3), &settings("b")).unwrap();
        assert!(matches!(
            Observed::default().step(Some(&free), &settings("a"), Instant::now()),
            Step::Replace(_)
        ));
        assert!(released(held_by("b", 3), &settings("a")).is_none(), "it is not ours to give");
    }

    #[test]
    fn we_are_sure_for_less_than_the_others_wait() {
        let settings = settings("a");
        assert!(settings.sure() < settings.duration);
        assert!(settings.renew + settings.retry < settings.sure());
    }
}
