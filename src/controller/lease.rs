//! Which replica writes: the holder of a Lease.
//!
//! Owns the election: a `coordination.k8s.io` Lease, taken and renewed by optimistic concurrency
//! (`resourceVersion`), released on a graceful end. What holds: no replica believes that it is the
//! holder while another may be. Times written by others are never compared with a clock; a foreign
//! Lease has run out when it has not changed for its duration on this replica's own monotonic
//! clock, and ours is given up a third of its duration before anybody else may take it. The holder
//! says in it where the other replicas reach it. Does not know what the holder does with it, nor
//! what they tell it.

mod record;

use std::net::SocketAddr;
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
/// The annotation with the address of the holder's push server.
pub const ADDRESS: &str = "pillion.dev/push-address";

/// How the election goes.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The controller's namespace, where the Lease is.
    pub namespace: String,
    /// Who this replica is: unique among all that ever run, also after a restart.
    pub identity: String,
    /// Where the other replicas reach its push server; if that is not known, they do not report.
    pub address: Option<SocketAddr>,
    /// A Lease that has not been renewed for so long is anybody's.
    pub duration: Duration,
    /// So often the holder renews it.
    pub renew: Duration,
    /// So often the others look, and the holder tries again after an error.
    pub retry: Duration,
}

/// Does this replica hold the Lease, or who does? Cheap to clone; asked before each write.
#[derive(Debug, Clone)]
pub struct Lease(watch::Receiver<Standing>);

/// Takes part in the election: see [`run`].
#[derive(Debug)]
pub struct Candidate {
    settings: Settings,
    standing: watch::Sender<Standing>,
    observed: Observed,
}

/// How this replica stands.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// It has not looked yet, or takes part no more.
    #[default]
    Aside,
    /// It holds the Lease until then.
    Holder(Instant),
    /// Another does, who is reached there.
    Other(Option<SocketAddr>),
}

/// A candidate, and the word on whether it holds the Lease, which is no until [`run`] runs.
pub fn candidate(settings: Settings) -> (Candidate, Lease) {
    let (standing, lease) = watch::channel(Standing::Aside);
    let candidate = Candidate { settings, standing, observed: Observed::default() };
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
        Self { namespace, identity, address: None, duration, renew, retry }
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
        matches!(*self.0.borrow(), Standing::Holder(until) if Instant::now() < until)
    }

    /// Where the replica is reached that holds it, if it is another.
    pub fn other(&self) -> Option<SocketAddr> {
        match *self.0.borrow() {
            Standing::Other(address) => address,
            Standing::Aside | Standing::Holder(_) => None,
        }
    }

    /// Waits for the next time that the Lease is taken, renewed or lost, or another's.
    pub async fn changed(&mut self) {
        if self.0.changed().await.is_err() {
            // Nobody takes part any more: there will be no news.
            std::future::pending::<()>().await;
        }
    }

    /// A Lease that is held for ever; for a controller of which there is only one.
    pub fn always() -> Self {
        let far = Instant::now() + Duration::from_secs(100 * 365 * 86_400);
        Self(watch::channel(Standing::Holder(far)).1)
    }
}

// === impl Candidate ===

impl Candidate {
    /// Looks once, does what is to be done, and says when to look again.
    async fn turn(&mut self, api: &Api<coordination::Lease>) -> Duration {
        let began = Instant::now();
        let turned = timeout(self.settings.renew, self.try_once(api, began)).await;
        match turned {
            Ok(Ok(Turn::Ours)) => {
                self.hold(began + self.settings.sure());
                return self.settings.renew;
            }
            Ok(Ok(Turn::Lost)) => self.lose("another replica was quicker", Standing::Aside),
            Ok(Ok(Turn::Others(address))) => {
                self.lose("another replica holds the lease", Standing::Other(address));
            }
            // Ours may still stand: the clock decides.
            Ok(Err(error)) => tracing::warn!(%error, "the lease cannot be renewed or looked at"),
            Err(_) => tracing::warn!("the API server takes too long over the lease"),
        }
        self.settings.retry
    }

    /// Whose is it now?
    async fn try_once(
        &mut self,
        api: &Api<coordination::Lease>,
        now: Instant,
    ) -> Result<Turn, kube::Error> {
        let found = api.get_opt(NAME).await?;
        let written = match self.observed.step(found.as_ref(), &self.settings, now) {
            Step::Wait(address) => return Ok(Turn::Others(address)),
            Step::Create(lease) => api.create(&PostParams::default(), &lease).await,
            Step::Replace(lease) => api.replace(NAME, &PostParams::default(), &lease).await,
        };
        match written {
            Ok(_) => Ok(Turn::Ours),
            // The next look will tell who it was.
            Err(kube::Error::Api(status)) if status.code == 409 => Ok(Turn::Lost),
            Err(error) => Err(error),
        }
    }

    fn hold(&self, until: Instant) {
        let before = self.standing.send_replace(Standing::Holder(until));
        if !matches!(before, Standing::Holder(_)) {
            tracing::info!(identity = self.settings.identity, "this replica writes status now");
        }
    }

    fn lose(&self, why: &str, now: Standing) {
        self.standing.send_if_modified(|standing| {
            let before = std::mem::replace(standing, now);
            if matches!(before, Standing::Holder(_)) {
                tracing::info!(why, "this replica writes no status any more");
            }
            before != now
        });
    }

    async fn release(&mut self, api: &Api<coordination::Lease>) {
        let held = matches!(*self.standing.borrow(), Standing::Holder(_));
        // First to ourselves, then to the others. Who holds it otherwise may still be told things.
        if held {
            self.lose("the controller ends", Standing::Aside);
        }
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

/// How a look has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    Ours,
    /// Somebody wrote in the same moment.
    Lost,
    /// Another's, who is reached there.
    Others(Option<SocketAddr>),
}

/// Up to a tenth less or more, so that replicas do not march in step.
fn jittered(pause: Duration) -> Duration {
    pause.mul_f64(0.9 + 0.2 * fastrand::f64())
}
