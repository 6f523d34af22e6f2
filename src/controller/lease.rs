//! Which replica writes: the holder of a Lease.
//!
//! Owns the election: a `coordination.k8s.io` Lease, taken and renewed by optimistic concurrency
//! (`resourceVersion`), released on a graceful end. What holds: no replica believes that it is the
//! holder while another may be. Times written by others are never compared with a clock; a foreign
//! Lease has run out when it has not changed for its duration on this replica's own monotonic
//! clock, and ours is given up a third of its duration before anybody else may take it. Does not
//! know what the holder does with it.

mod record;

use std::time::Duration;

use k8s_openapi::api::coordination::v1 as coordination;
use kube::api::PostParams;
use kube::{Api, Client};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};

use crate::net::drain::{Drain, Stage};
use record::{Observed, Step};

/// The Lease's name.
pub const NAME: &str = "pillion-controller";

/// How the election goes.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The controller's namespace, where the Lease is.
    pub namespace: String,
    /// Who this replica is: unique among all that ever run, also after a restart.
    pub identity: String,
    /// A Lease that has not been renewed for so long is anybody's.
    pub duration: Duration,
    /// So often the holder renews it.
    pub renew: Duration,
    /// So often the others look, and the holder tries again after an error.
    pub retry: Duration,
}

/// Does this replica hold the Lease? Cheap to clone; asked before each write.
#[derive(Debug, Clone)]
pub struct Lease(watch::Receiver<Option<Instant>>);

/// Takes part in the election: see [`run`].
#[derive(Debug)]
pub struct Candidate {
    settings: Settings,
    held: watch::Sender<Option<Instant>>,
    observed: Observed,
}

/// A candidate, and the word on whether it holds the Lease, which is no until [`run`] runs.
pub fn candidate(settings: Settings) -> (Candidate, Lease) {
    let (held, lease) = watch::channel(None);
    let candidate = Candidate { settings, held, observed: Observed::default() };
    (candidate, Lease(lease))
}

/// Takes part until the drain begins; then gives the Lease back, so that the next replica need not
/// wait for it to run out.
pub async fn run(client: Client, mut candidate: Candidate, mut drain: Drain) {
    let api = Api::namespaced(client, &candidate.settings.namespace);
    loop {
        let pause = jittered(candidate.turn(&api).await);
        tokio::select! {
            () = sleep(pause) => {}
            () = drain.reached(Stage::Draining) => break,
        }
    }
    candidate.release(&api).await;
}

// === impl Settings ===

impl Settings {
    /// The times that a cluster wants: 15 s, renewed every 5 s, looked at every 2 s.
    pub fn new(namespace: String, identity: String) -> Self {
        let [duration, renew, retry] = [15, 5, 2].map(Duration::from_secs);
        Self { namespace, identity, duration, renew, retry }
    }

    /// For so long after the start of a renewal we are sure. Others wait for the whole duration
    /// from when they saw it, which is later; the third between is for writes under way.
    fn sure(&self) -> Duration {
        self.duration * 2 / 3
    }
}

// === impl Lease ===

impl Lease {
    /// Held now? False from the moment on at which it cannot be known.
    pub fn is_held(&self) -> bool {
        self.0.borrow().is_some_and(|until| Instant::now() < until)
    }

    /// Waits for the next time that the Lease is taken, renewed or lost.
    pub async fn changed(&mut self) {
        if self.0.changed().await.is_err() {
            // Nobody takes part any more: there will be no news.
            std::future::pending::<()>().await;
        }
    }

    /// A Lease that is held for ever; for a controller of which there is only one.
    pub fn always() -> Self {
        let far = Instant::now() + Duration::from_secs(100 * 365 * 86_400);
        Self(watch::channel(Some(far)).1)
    }
}

// === impl Candidate ===

impl Candidate {
    /// Looks once, does what is to be done, and says when to look again.
    async fn turn(&mut self, api: &Api<coordination::Lease>) -> Duration {
        let began = Instant::now();
        let turned = timeout(self.settings.renew, self.try_once(api, began)).await;
        match turned {
            Ok(Ok(true)) => {
                self.hold(began + self.settings.sure());
                return self.settings.renew;
            }
            Ok(Ok(false)) => self.lose("another replica holds the lease"),
            // Ours may still stand: the clock decides.
            Ok(Err(error)) => tracing::warn!(%error, "the lease cannot be renewed or looked at"),
            Err(_) => tracing::warn!("the API server takes too long over the lease"),
        }
        self.settings.retry
    }

    /// Is it ours now?
    async fn try_once(
        &mut self,
        api: &Api<coordination::Lease>,
        now: Instant,
    ) -> Result<bool, kube::Error> {
        let found = api.get_opt(NAME).await?;
        let written = match self.observed.step(found.as_ref(), &self.settings, now) {
            Step::Wait => return Ok(false),
            Step::Create(lease) => api.create(&PostParams::default(), &lease).await,
            Step::Replace(lease) => api.replace(NAME, &PostParams::default(), &lease).await,
        };
        match written {
            Ok(_) => Ok(true),
            // Somebody was quicker, which the next look will tell.
            Err(kube::Error::Api(status)) if status.code == 409 => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn hold(&self, until: Instant) {
        let before = self.held.send_replace(Some(until));
        if before.is_none() {
            tracing::info!(identity = self.settings.identity, "this replica writes status now");
        }
    }

    fn lose(&self, why: &str) {
        if self.held.send_replace(None).is_some() {
            tracing::info!(why, "this replica writes no status any more");
        }
    }

    async fn release(&mut self, api: &Api<coordination::Lease>) {
        let held = self.held.borrow().is_some();
        // First to ourselves, then to the others.
        self.lose("the controller ends");
        if !held {
            return;
        }
        let released = timeout(self.settings.retry, self.give_back(api)).await;
        if let Ok(Err(error)) = released {
            tracing::warn!(%error, "the lease could not be given back; it runs out by itself");
        }
    }

    async fn give_back(&self, api: &Api<coordination::Lease>) -> Result<(), kube::Error> {
        let found = api.get_opt(NAME).await?;
        if let Some(lease) = found.and_then(|lease| record::released(lease, &self.settings)) {
            api.replace(NAME, &PostParams::default(), &lease).await?;
        }
        Ok(())
    }
}

/// Up to a tenth less or more, so that replicas do not march in step.
fn jittered(pause: Duration) -> Duration {
    pause.mul_f64(0.9 + 0.2 * fastrand::f64())
}
