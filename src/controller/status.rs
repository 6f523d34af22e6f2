//! Verdicts and answers as conditions and Events, written by the holder of the lease alone and only
//! where something changed.
//!
//! In reading order: [`tally`] (what the sidecars answered, per route), [`judge`] (verdict and
//! tally as conditions, pure), [`message`] (their texts), [`plan`] (what is to be written, newest
//! wins), [`events`] (what somebody must act on), [`metrics`]. Here: when it is all done.
//!
//! Invariants: what is wanted is made anew from a whole snapshot, so nothing can be forgotten; at
//! most one write every [`GAP`], whatever changes; an object that says already what is wanted is
//! not touched; no text carries key material, because faults and answers carry none.

pub mod events;
mod judge;
pub(crate) mod message;
pub mod metrics;
mod plan;
mod tally;

use std::rc::Rc;
use std::time::Duration;

use kube::Client;
use kube::api::{Api, ApiResource, DynamicObject, Patch, PatchParams};
use tokio::time::{Instant, timeout};

use super::lease::Lease;
use super::reports::Desk;
use super::sidecars::{Rings, Sidecars};
use super::snapshot::Feed;
use super::timer::until;
use crate::api::{LlmRoute, ProviderSecret};
use crate::compile::ResourceKind;
use crate::net::drain::{Drain, Stage};
use events::Events;
use metrics::{Metrics, Outcome};
use plan::{Age, Plan, Write};

/// Whose fields these are, for server-side apply.
pub const FIELD_MANAGER: &str = "pillion-controller";

/// Changes wait this long for company: an edit and the sidecars' answers become one write.
const LINGER: Duration = Duration::from_millis(250);
/// Between two writes: at most 20 a second, which no API server notices.
const GAP: Duration = Duration::from_millis(50);
/// A write that takes longer has failed.
const PATIENCE: Duration = Duration::from_secs(10);
/// After an error: twice as long each time, up to a minute.
const BACKOFF: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));

/// After a start, or the loss of the replica that wrote before, sidecars and reports need this long
/// to come; until then fewer of them are no news.
const SETTLE: Duration = Duration::from_secs(15);

/// What status is made of.
#[derive(Debug)]
pub struct Sources {
    /// The stores, each time that they have changed; the first one with anything in it has
    /// everything in it, or objects would be told of references that are lost.
    pub feed: Feed,
    /// Who runs what.
    pub sidecars: Rc<Sidecars>,
    /// The same of the other replicas.
    pub reports: Rc<Desk>,
    /// May this replica write?
    pub lease: Lease,
}

/// Writes until the drain begins.
pub async fn run(
    client: Client,
    mut sources: Sources,
    events: Events,
    metrics: Metrics,
    mut drain: Drain,
) {
    let mut writer = Writer::new(client, events, metrics);
    let mut rings = sources.sidecars.rings();
    let work = async {
        loop {
            tokio::select! {
                () = sources.news(&mut rings) => writer.rings(),
                () = writer.due() => writer.turn(&sources).await,
            }
        }
    };
    tokio::select! {
        () = work => {}
        () = drain.reached(Stage::Draining) => {}
    }
}

// === impl Sources ===

impl Sources {
    /// Something may have to be said anew.
    async fn news(&mut self, rings: &mut Rings) {
        tokio::select! {
            snapshot = self.feed.next() => if snapshot.is_none() {
                // Nobody makes snapshots any more: the controller is ending.
                std::future::pending::<()>().await;
            },
            () = rings.next() => {}
            () = self.reports.changed() => {}
            () = self.lease.changed() => {}
        }
    }
}

/// Writes one thing at a time.
struct Writer {
    client: Client,
    events: Events,
    metrics: Metrics,
    plan: Plan,
    plan_at: Option<Instant>,
    write_at: Instant,
    /// `None` while this replica does not write.
    settled_at: Option<Instant>,
    failures: u32,
}

// === impl Writer ===

impl Writer {
    fn new(client: Client, events: Events, metrics: Metrics) -> Self {
        Self {
            client,
            events,
            metrics,
            plan: Plan::default(),
            plan_at: Some(Instant::now()),
            write_at: Instant::now(),
            settled_at: None,
            failures: 0,
        }
    }

    fn rings(&mut self) {
        let soon = Instant::now() + LINGER;
        self.plan_at = Some(self.plan_at.map_or(soon, |at| at.min(soon)));
    }

    /// Waits until there is something to do.
    async fn due(&self) {
        let write_at = (!self.plan.is_empty()).then_some(self.write_at);
        until([self.plan_at, write_at].into_iter().flatten().min()).await;
    }

    async fn turn(&mut self, sources: &Sources) {
        let held = sources.lease.is_held();
        self.metrics.lease_held.set(i64::from(held));
        if !held {
            // The next holder reads from the objects what has been said.
            (self.plan, self.plan_at, self.settled_at) = (Plan::default(), None, None);
        } else if self.plan_at.is_some_and(|at| at <= Instant::now()) {
            self.renew(sources);
        } else if self.write_at <= Instant::now()
            && let Some(write) = self.plan.next()
        {
            self.write(write).await;
        }
        self.metrics.pending.set(i64::try_from(self.plan.len()).unwrap_or(i64::MAX));
    }

    fn renew(&mut self, sources: &Sources) {
        let settled_at = *self.settled_at.get_or_insert_with(|| Instant::now() + SETTLE);
        let (age, again) = match settled_at <= Instant::now() {
            true => (Age::Settled, None),
            false => (Age::Young, Some(settled_at)),
        };
        let Some(snapshot) = sources.feed.latest() else {
            self.plan_at = None;
            return;
        };
        let sidecars = [sources.sidecars.list(), sources.reports.list()].concat();
        let tallies = tally::count(&snapshot, &sidecars);
        self.plan.renew(&snapshot, &tallies, age);
        self.plan_at = again;
    }

    async fn write(&mut self, mut write: Write) {
        self.write_at = Instant::now() + GAP;
        let written = timeout(PATIENCE, self.send(&mut write)).await;
        let outcome = match &written {
            Ok(Ok(())) => Outcome::Written,
            Ok(Err(kube::Error::Api(status))) => Outcome::of(status.code),
            Ok(Err(_)) | Err(_) => Outcome::Failed,
        };
        self.metrics.writes.with_label_values(&[outcome.as_str()]).inc();
        match outcome {
            Outcome::Written => {
                self.failures = 0;
                self.events.tell(&write.subject, &write.news).await;
                self.plan.written(write);
            }
            // Deleted or changed meanwhile: the next snapshot knows.
            Outcome::Gone | Outcome::Conflict => {}
            Outcome::Refused => {
                let (object, why) = (&write.subject.id, reason(&written));
                tracing::error!(%object, why, "the API server will not take a status");
                self.plan.written(write);
            }
            Outcome::Failed => {
                let (object, why) = (&write.subject.id, reason(&written));
                tracing::warn!(%object, why, "a status could not be written; it is tried again");
                self.back_off();
                self.plan.again(write);
            }
        }
    }

    fn back_off(&mut self) {
        let (least, most) = BACKOFF;
        let pause = least.saturating_mul(1 << self.failures.min(8)).min(most);
        self.failures = self.failures.saturating_add(1);
        self.write_at = Instant::now() + pause.mul_f64(0.5 + 0.5 * fastrand::f64());
    }

    async fn send(&self, write: &mut Write) -> Result<(), kube::Error> {
        let id = &write.subject.id;
        let resource = match id.kind {
            ResourceKind::ProviderSecret => ApiResource::erase::<ProviderSecret>(&()),
            ResourceKind::LlmRoute | ResourceKind::Secret => ApiResource::erase::<LlmRoute>(&()),
        };
        let api: Api<DynamicObject> =
            Api::namespaced_with(self.client.clone(), &id.namespace, &resource);
        if write.is_blind() {
            let found = api.get(&id.name).await?;
            if !write.compare_with(&found) {
                return Ok(());
            }
        }
        let name = write.subject.id.name.clone();
        let parameters = PatchParams::apply(FIELD_MANAGER).force();
        api.patch_status(&name, &parameters, &Patch::Apply(write.body(&resource))).await?;
        Ok(())
    }
}

fn reason(written: &Result<Result<(), kube::Error>, tokio::time::error::Elapsed>) -> String {
    match written {
        Ok(Ok(())) => String::new(),
        Ok(Err(error)) => error.to_string(),
        Err(_) => "the API server takes too long".to_owned(),
    }
}

#[cfg(test)]
mod tests;
