//! Where reports are kept: the newest of each replica.
//!
//! Rings when anything changes, for whoever writes status. Invariant: what a replica said last
//! counts while its stream stands, and a while longer, in which it may come back, or its
//! sidecars may connect elsewhere, without anybody's count going down and up.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use prometheus::IntGauge;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::super::timer::until;
use super::Report;
use crate::controller::sidecars::Sidecar;

/// How long a report should outlive its stream.
pub const LINGER: Duration = Duration::from_secs(5);

/// All reports.
#[derive(Debug)]
pub struct Desk {
    replicas: RefCell<BTreeMap<String, Told>>,
    next: Cell<u64>,
    changed: Notify,
    linger: Duration,
    open: IntGauge,
}

/// One stream's place at it, for as long as it lasts.
#[derive(Debug)]
pub struct Place {
    desk: Rc<Desk>,
    id: u64,
}

/// What a replica said last.
#[derive(Debug)]
struct Told {
    /// By which stream.
    by: u64,
    sidecars: Vec<Sidecar>,
    /// Its stream is gone: it counts until then.
    until: Option<Instant>,
}

// === impl Desk ===

impl Desk {
    /// Nothing yet. Reports will outlive their streams by `linger`; `open` will count these.
    pub fn new(linger: Duration, open: IntGauge) -> Rc<Self> {
        let (replicas, next) = (RefCell::default(), Cell::default());
        Rc::new(Self { replicas, next, changed: Notify::new(), linger, open })
    }

    /// A replica has opened a stream.
    pub fn join(self: &Rc<Self>) -> Place {
        let id = self.next.get();
        self.next.set(id + 1);
        self.open.inc();
        Place { desk: Rc::clone(self), id }
    }

    /// All sidecars that are reported at this moment.
    pub fn list(&self) -> Vec<Sidecar> {
        self.forget(Instant::now());
        let replicas = self.replicas.borrow();
        replicas.values().flat_map(|told| told.sidecars.iter().cloned()).collect()
    }

    /// Waits until anything has changed since the last return. For one waiter.
    pub async fn changed(&self) {
        loop {
            let ends = self.replicas.borrow().values().filter_map(|told| told.until).min();
            tokio::select! {
                () = self.changed.notified() => return,
                () = until(ends) => if self.forget(Instant::now()) == Forgot::Some {
                    return;
                },
            }
        }
    }

    fn forget(&self, now: Instant) -> Forgot {
        let mut replicas = self.replicas.borrow_mut();
        let before = replicas.len();
        replicas.retain(|_, told| told.until.is_none_or(|until| until > now));
        if replicas.len() < before { Forgot::Some } else { Forgot::None }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Forgot {
    Some,
    None,
}

// === impl Place ===

impl Place {
    /// Takes the place of what the replica said before.
    pub fn put(&self, report: Report) {
        let replica = report.replica().to_owned();
        let told = Told { by: self.id, sidecars: report.into_sidecars(), until: None };
        self.desk.replicas.borrow_mut().insert(replica, told);
        self.desk.changed.notify_one();
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let until = Some(Instant::now() + self.desk.linger);
        for told in self.desk.replicas.borrow_mut().values_mut() {
            if told.by == self.id {
                told.until = until;
            }
        }
        self.desk.open.dec();
        // It is not news yet, but there is another time to wait for.
        self.desk.changed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::{sleep, timeout};

    use super::*;
    use crate::controller::snapshot::PodId;

    const SHORT: Duration = Duration::from_millis(50);

    fn desk() -> Rc<Desk> {
        Desk::new(SHORT, IntGauge::new("open", "help").unwrap())
    }

    fn report(replica: &str, pods: &[&str]) -> Report {
        let sidecar = |pod: &&str| {
            let (namespace, uid) = ("team".to_owned(), "uid".to_owned());
            let pod = PodId { namespace, name: (*pod).to_owned(), uid };
            Sidecar { pod, sent: None, answer: None }
        };
        Report::of(replica, pods.iter().map(sidecar).collect())
    }

    fn check(desk: &Desk, expected: &[&str]) {
        let mut names: Vec<_> = desk.list().into_iter().map(|sidecar| sidecar.pod.name).collect();
        names.sort();
        assert_eq!(names, expected);
    }

    #[tokio::test]
    async fn the_newest_report_of_each_replica_counts() {
        let desk = desk();
        let (one, other) = (desk.join(), desk.join());
        one.put(report("one", &["a", "b"]));
        other.put(report("other", &["c"]));
        check(&desk, &["a", "b", "c"]);
        one.put(report("one", &["b"]));
        check(&desk, &["b", "c"]);
        desk.changed().await;
    }

    #[tokio::test]
    async fn a_report_outlives_its_stream_for_a_moment_which_rings() {
        let desk = desk();
        let (one, other) = (desk.join(), desk.join());
        one.put(report("one", &["a"]));
        other.put(report("other", &["c"]));
        let begun = Instant::now();
        drop(one);
        desk.changed().await;
        check(&desk, &["a", "c"]);
        desk.changed().await;
        assert!(begun.elapsed() >= SHORT);
        check(&desk, &["c"]);
        assert!(timeout(SHORT * 4, desk.changed()).await.is_err(), "nothing else rings");
    }

    #[tokio::test]
    async fn a_replica_that_comes_back_takes_its_own_place() {
        let desk = desk();
        let old = desk.join();
        old.put(report("one", &["a"]));
        let new = desk.join();
        new.put(report("one", &["a", "b"]));
        drop(old);
        sleep(SHORT * 2).await;
        check(&desk, &["a", "b"]);
        assert_eq!(desk.open.get(), 1);
    }
}
