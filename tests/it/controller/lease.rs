//! Which of two replicas writes, as the API server sees it.

use std::time::{Duration, Instant};

use k8s_openapi::api::coordination::v1 as coordination;
use kube::Api;
use pillion::compile::Subject;
use pillion::controller::lease::{self, Lease, Settings};
use pillion::net::drain::{self, DrainSignal, Stage as End};
use pillion::net::task;
use pillion_cluster::Cluster;
use tokio::task::{JoinHandle, LocalSet};
use tokio::time::timeout;

use super::status::{Stage, fault, writes};
use crate::support::GUARD;
use crate::support::cluster::shared;

/// So long that none runs out, on a machine that is busy with other tests.
const LONG: Duration = Duration::from_secs(15);

/// So short that a test can wait until it has run out.
const SHORT: Duration = Duration::from_millis(1500);

/// A replica that takes part in the election.
struct Replica {
    lease: Lease,
    signal: DrainSignal,
    task: JoinHandle<()>,
}

fn replica(cluster: &Cluster, namespace: &str, (identity, lasts): (&str, Duration)) -> Replica {
    let mut settings = Settings::new(namespace.to_owned(), identity.to_owned());
    settings.duration = lasts;
    settings.renew = Duration::from_millis(300);
    settings.retry = Duration::from_millis(100);
    let (candidate, lease) = lease::candidate(settings);
    let (signal, drain) = drain::channel();
    let task = task::spawn(lease::run(cluster.client().unwrap(), candidate, drain));
    Replica { lease, signal, task }
}

/// Waits until the replica holds the lease, while the other one does not.
async fn taken_by(one: &mut Replica, other: Option<&Replica>) {
    let wait = async {
        while !one.lease.is_held() {
            one.lease.changed().await;
        }
    };
    timeout(GUARD, wait).await.unwrap();
    assert!(other.is_none_or(|other| !other.lease.is_held()), "two holders");
}

async fn record(cluster: &Cluster, namespace: &str) -> coordination::LeaseSpec {
    let api: Api<coordination::Lease> = Api::namespaced(cluster.client().unwrap(), namespace);
    api.get(lease::NAME).await.unwrap().spec.unwrap()
}

#[tokio::test]
async fn a_lease_given_back_is_taken_at_once_and_its_holder_alone_writes() {
    let cluster = shared().await;
    let test = async {
        let mut first = replica(cluster, "default", ("first", LONG));
        taken_by(&mut first, None).await;
        let mut second = replica(cluster, "default", ("second", LONG));
        let one = Stage::new(cluster, first.lease.clone()).await;
        let two = Stage::start(cluster, one.namespace.clone(), second.lease.clone());
        two.tell(vec![fault(&two.namespace, Subject::Spec, "said by the second")]).await;
        one.tell(vec![]).await;
        one.until("chat", "Accepted", "Accepted").await;
        assert_eq!(writes(&two.registry, "written"), 0.0);

        one.signal.advance(End::Draining);
        let begin = Instant::now();
        first.signal.advance(End::Draining);
        taken_by(&mut second, Some(&first)).await;
        assert!(begin.elapsed() < LONG, "it was given back: {:?}", begin.elapsed());
        two.until("chat", "Accepted", "Invalid").await;
        first.task.await.unwrap();
        let record = record(cluster, "default").await;
        assert_eq!(record.holder_identity.as_deref(), Some("second"));
        assert_eq!(record.lease_transitions, Some(1));
    };
    LocalSet::new().run_until(test).await;
}

#[tokio::test]
async fn the_lease_of_a_replica_that_is_killed_runs_out() {
    let cluster = shared().await;
    let test = async {
        let namespace = cluster.namespace().await.unwrap();
        let mut first = replica(cluster, &namespace, ("first", SHORT));
        taken_by(&mut first, None).await;
        let mut second = replica(cluster, &namespace, ("second", SHORT));
        // It has seen the other's record, renewed at least once more.
        let seen = record(cluster, &namespace).await.renew_time;
        while record(cluster, &namespace).await.renew_time == seen {}
        first.task.abort();
        let killed = Instant::now();
        // The loser knows it before the winner may take it.
        taken_by(&mut second, Some(&first)).await;
        let waited = killed.elapsed();
        assert!(waited > SHORT - Duration::from_millis(700), "{waited:?}");
        second.signal.advance(End::Draining);
        second.task.await.unwrap();
        assert!(!second.lease.is_held());
        assert_eq!(record(cluster, &namespace).await.holder_identity.as_deref(), Some(""));
    };
    LocalSet::new().run_until(test).await;
}
