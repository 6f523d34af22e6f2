//! The run loop: rings become snapshots, snapshots are published; beside it the server and the
//! writer of status, who read them.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;
use tokio::net::TcpListener;
use tokio::time::{Instant, timeout_at};

use super::certificates::registration::Registration;
use super::certificates::{self, CertificateError, Serving, Source};
use super::connections::{ConnectError, Connections};
use super::lease::{self, Lease, Settings};
use super::metrics::Metrics;
use super::push::identity::{Identities, Spans, api_server};
use super::push::metrics::PushMetrics;
use super::push::server;
use super::push::{Door, Limits};
use super::reports::desk::{Desk, LINGER};
use super::reports::reporter::{self, Reporter};
use super::sidecars::Sidecars;
use super::snapshot::{self, Assembler, Feed, Publisher};
use super::status::events::Events;
use super::status::{self, Sources};
use super::timer::until;
use super::watch::episodes::{Episodes, Resource};
use super::watch::{Stores, Watches};
use crate::name::ObjectName;
use crate::net::drain::{Drain, Stage};
use crate::net::task;

/// A change is answered once nothing has rung for this long: `kubectl apply` of a route and its
/// provider is one change.
const QUIET: Duration = Duration::from_millis(5);
/// But no later than this, in a cluster that never rests.
const LONGEST: Duration = Duration::from_millis(50);

/// Who this controller is, and what it looks at.
#[derive(Debug, Clone)]
pub struct Options {
    /// Only these namespaces; all if there are none.
    pub namespaces: BTreeSet<ObjectName>,
    /// Where its Lease and its certificates are.
    pub own_namespace: ObjectName,
    /// Which of its replicas it is.
    pub identity: String,
    /// Where the other replicas reach its listener, if that is known.
    pub address: Option<SocketAddr>,
    /// The MutatingWebhookConfiguration whose `caBundle` it keeps, if any.
    pub webhook_configuration: Option<String>,
}

/// What it needs from outside.
pub struct Outside {
    /// The way to the API server.
    pub connections: Connections,
    /// Where sidecars connect.
    pub listener: TcpListener,
    /// Where the certificate is from that they are shown.
    pub certificates: Source,
    /// What it counts.
    pub metrics: Metrics,
    /// What its server counts.
    pub push_metrics: PushMetrics,
    /// What its writer counts.
    pub status_metrics: status::metrics::Metrics,
}

/// Why it cannot run.
#[derive(Debug, Error)]
pub enum RunError {
    /// The API server's address, CA or credentials.
    #[error("the API server cannot be spoken to")]
    Connect(#[from] ConnectError),
    /// The certificate that was supplied.
    #[error("sidecars cannot be served")]
    Certificate(#[from] CertificateError),
}

/// A controller.
pub struct Controller {
    options: Options,
    outside: Outside,
    publisher: Publisher,
    feed: Feed,
    sidecars: Rc<Sidecars>,
    reports: Rc<Desk>,
    serving: Arc<Serving>,
}

// === impl Controller ===

impl Controller {
    /// Ready to run.
    pub fn new(options: Options, outside: Outside) -> Self {
        let (publisher, feed) = snapshot::feed();
        let serving = Serving::new(outside.push_metrics.certificate_expires.clone());
        let reports = Desk::new(LINGER, outside.metrics.reports.clone());
        Self { options, outside, publisher, feed, sidecars: Rc::default(), reports, serving }
    }

    /// Where its snapshots are.
    pub fn feed(&self) -> Feed {
        self.feed.clone()
    }

    /// Who is connected to it.
    pub fn sidecars(&self) -> Rc<Sidecars> {
        Rc::clone(&self.sidecars)
    }

    /// What it shows to sidecars.
    pub fn serving(&self) -> Arc<Serving> {
        Arc::clone(&self.serving)
    }

    /// Runs until it is drained. Must be called within a `LocalSet`.
    ///
    /// # Errors
    /// When the API server's address, CA or credentials cannot be used, or a certificate that was
    /// supplied. That the API server does not answer is none: it is tried for as long as it takes.
    pub async fn run(self, mut drain: Drain) -> Result<(), RunError> {
        let door = self.door()?;
        let (candidate, lease) = lease::candidate(self.lease_settings());
        let reporter = self.reporter(lease.clone())?;
        let Outside { connections, listener, certificates, metrics, status_metrics, .. } =
            self.outside;
        let episodes = Episodes::new(metrics.clone());
        let client = connections.client();
        let watches = Watches::start(connections, &self.options.namespaces, episodes)?;
        let Options { own_namespace, identity, webhook_configuration, .. } = &self.options;
        if let Some(name) = webhook_configuration {
            let serving = Arc::clone(&self.serving);
            let registration = Registration::new(client.clone(), name.clone(), serving);
            drop(task::spawn(registration.run(drain.clone())));
        }
        let namespace = own_namespace.as_str();
        let keeping = certificates.run((client.clone(), namespace), self.serving, drain.clone());
        let serving = task::spawn(server::serve(listener, door, drain.clone()));
        let (feed, sidecars, reports) = (self.feed, self.sidecars, self.reports);
        let sources = Sources { feed, sidecars, reports, lease };
        let events = Events::new(client.clone(), namespace, identity);
        let writing = status::run(client.clone(), sources, events, status_metrics, drain.clone());
        let writing = task::spawn(writing);
        let electing = task::spawn(lease::run(client, candidate, drain.clone()));
        let reporting = task::spawn(reporter::run(reporter));
        tokio::select! {
            () = follow(watches, &self.publisher, &metrics) => {}
            ended = keeping => ended?,
            () = drain.reached(Stage::Draining) => {}
        }
        // A panic in one of them is in the log.
        let _ = tokio::join!(serving, writing, electing);
        reporting.abort();
        Ok(())
    }

    fn lease_settings(&self) -> Settings {
        let Options { own_namespace, identity, address, .. } = &self.options;
        let settings = Settings::new(own_namespace.as_str().to_owned(), identity.clone());
        Settings { address: *address, ..settings }
    }

    fn reporter(&self, lease: Lease) -> Result<Reporter, CertificateError> {
        let identity = self.options.identity.clone();
        let tls = certificates::client_config(self.serving())?;
        Ok(Reporter { identity, sidecars: self.sidecars(), lease, tls })
    }

    fn door(&self) -> Result<Door, CertificateError> {
        let reviewer = api_server(self.outside.connections.client());
        Ok(Door {
            tls: certificates::server_config(self.serving())?,
            feed: self.feed(),
            sidecars: self.sidecars(),
            reports: Rc::clone(&self.reports),
            identities: Identities::new(reviewer, Spans::default()),
            metrics: self.outside.push_metrics.clone(),
            authorities: self.serving.following_authorities(),
            limits: Limits::default(),
        })
    }
}

/// Publishes a snapshot after each change, once everything is known.
async fn follow(mut watches: Watches, publisher: &Publisher, metrics: &Metrics) {
    let mut assembler = Assembler::default();
    let mut published = Published::Nothing;
    let mut wake = None;
    loop {
        rest(&watches, wake.take()).await;
        if !watches.stores().listed() {
            continue;
        }
        let references = snapshot::references(&watches.stores());
        watches.follow_secrets(&references);
        let stores = watches.stores();
        if published == Published::Nothing && !stores.secrets.all_told() {
            continue;
        }
        let begun = Instant::now();
        let assembled = assembler.assemble(&stores, begun);
        metrics.compile_seconds.observe(begun.elapsed().as_secs_f64());
        count(&stores, metrics);
        drop(stores);
        publisher.publish(Rc::new(assembled.snapshot));
        metrics.snapshots.inc();
        published.tell(begun);
        wake = assembled.wake;
    }
}

/// Has a snapshot been published?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Published {
    Nothing,
    Something,
}

impl Published {
    fn tell(&mut self, begun: Instant) {
        if std::mem::replace(self, Self::Something) == Self::Nothing {
            let seconds = begun.elapsed().as_secs_f64();
            tracing::info!(seconds, "everything is listed; the first snapshot is there");
        }
    }
}

/// Returns once something has changed and come to rest, or it is time.
async fn rest(watches: &Watches, wake: Option<Instant>) {
    tokio::select! {
        () = watches.changed() => {}
        () = until(wake) => return,
    }
    let limit = Instant::now() + LONGEST;
    loop {
        let quiet = (Instant::now() + QUIET).min(limit);
        if timeout_at(quiet, watches.changed()).await.is_err() {
            return;
        }
    }
}

fn count(stores: &Stores, metrics: &Metrics) {
    for (resource, count) in [
        (Resource::LlmRoutes, stores.routes.count()),
        (Resource::ProviderSecrets, stores.providers.count()),
        (Resource::Namespaces, stores.namespaces.count()),
        (Resource::Pods, stores.pods.count()),
        (Resource::Secrets, stores.secrets.ids().count()),
    ] {
        let gauge = metrics.objects.with_label_values(&[resource.as_str()]);
        gauge.set(i64::try_from(count).unwrap_or(i64::MAX));
    }
    for (resource, count) in [
        (Resource::LlmRoutes, stores.routes.unreadable().len()),
        (Resource::ProviderSecrets, stores.providers.unreadable().len()),
    ] {
        let gauge = metrics.undecodable.with_label_values(&[resource.as_str()]);
        gauge.set(i64::try_from(count).unwrap_or(i64::MAX));
    }
}
