//! A push server on a port of the system's, before a cluster that the test makes up.

use std::cell::RefCell;
use std::future::Future;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::authentication::v1::TokenReviewStatus;
use kube::runtime::watcher::Event;
use pillion::api::LlmRoute;
use pillion::controller::push::identity::{Identities, Reviewer, Spans, Unavailable};
use pillion::controller::push::metrics::PushMetrics;
use pillion::controller::push::{Door, Limits, server};
use pillion::controller::reports::Desk;
use pillion::controller::sidecars::Sidecars;
use pillion::controller::snapshot::{self, Assembler, Feed, PodId, Publisher};
use pillion::controller::store::{Listing, Part, Told};
use pillion::controller::watch::Stores;
use pillion::controller::watch::objects::PodFacts;
use pillion::net::drain::{self, DrainSignal};
use prometheus::{IntGauge, Registry};
use rustls::{ClientConfig, ServerConfig};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::{JoinHandle, LocalSet};
use tokio::time::Instant;

use super::sidecar::{Refused, Sidecar};
use crate::support::tls::Ca;

/// A token that says nothing of itself.
pub(crate) const TOKEN: &str = "e30.e30.c2ln";

/// What is said of every token from now on.
type Word = Rc<RefCell<Result<TokenReviewStatus, Unavailable>>>;

/// The server and its surroundings.
pub(crate) struct Stand {
    pub(crate) address: SocketAddr,
    pub(crate) tls: Arc<ClientConfig>,
    pub(crate) http1: Arc<ClientConfig>,
    pub(crate) sidecars: Rc<Sidecars>,
    pub(crate) reports: Rc<Desk>,
    pub(crate) signal: DrainSignal,
    pub(crate) serving: JoinHandle<()>,
    pub(crate) registry: Registry,
    pub(crate) word: Word,
    pub(crate) authorities: watch::Sender<Option<Arc<str>>>,
    pub(crate) town: Town,
}

/// The cluster.
pub(crate) struct Town {
    stores: Stores,
    assembler: Assembler,
    publisher: Publisher,
    feed: Feed,
}

/// How the server is to be.
#[derive(Clone, Copy)]
pub(crate) struct Wish {
    pub(crate) limits: Limits,
    pub(crate) spans: Spans,
}

/// Runs a test where tasks can be spawned.
pub(crate) async fn locally(test: impl Future<Output = ()>) {
    LocalSet::new().run_until(test).await;
}

/// The API server's yes to a pod's token.
pub(crate) fn yes(pod: &PodId) -> TokenReviewStatus {
    serde_json::from_value(json!({
        "authenticated": true,
        "audiences": ["pillion.dev"],
        "user": {
            "username": format!("system:serviceaccount:{}:default", pod.namespace),
            "extra": {
                "authentication.kubernetes.io/pod-name": [pod.name],
                "authentication.kubernetes.io/pod-uid": [pod.uid],
            },
        },
    }))
    .unwrap()
}

/// The pod that most tests are about.
pub(crate) fn app() -> PodId {
    PodId { namespace: "team".to_owned(), name: "app".to_owned(), uid: "1".to_owned() }
}

// === impl Wish ===

impl Default for Wish {
    /// Nothing is waited for that does not come.
    fn default() -> Self {
        let short = Duration::from_millis(300);
        Self {
            limits: Limits { patience: short, spread: short, renewal: short, ..Limits::default() },
            // No word is remembered, so that a test can change it.
            spans: Spans { yes: Duration::ZERO, no: Duration::ZERO, ..Spans::default() },
        }
    }
}

// === impl Stand ===

impl Stand {
    /// With `app` there, and every token `app`'s.
    pub(crate) async fn start(wish: Wish) -> Self {
        let mut town = Town::new();
        town.pod(&app());
        town.routes(0, 1);
        Self::before(town, wish).await
    }

    pub(crate) async fn before(town: Town, wish: Wish) -> Self {
        let ca = Ca::new();
        let clients = [ca.client(&[b"h2"]), ca.client(&[])];
        Self::serving(town, wish, ca.server(&["localhost"], &[b"h2"]), clients).await
    }

    /// With TLS of the test's own; `clients` speak HTTP/2 and HTTP/1.1.
    pub(crate) async fn serving(
        town: Town,
        wish: Wish,
        server: Arc<ServerConfig>,
        [tls, http1]: [Arc<ClientConfig>; 2],
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let registry = Registry::new();
        let word: Word = Rc::new(RefCell::new(Ok(yes(&app()))));
        let sidecars = Rc::new(Sidecars::default());
        let reports = Desk::new(Duration::ZERO, IntGauge::new("reports", "open").unwrap());
        let (authorities, told) = watch::channel(Some(Arc::from("the first CA")));
        let door = Door {
            tls: server,
            feed: town.feed.clone(),
            sidecars: Rc::clone(&sidecars),
            reports: Rc::clone(&reports),
            identities: Identities::new(reviewer(Rc::clone(&word)), wish.spans),
            metrics: PushMetrics::register(&registry).unwrap(),
            authorities: told,
            limits: wish.limits,
        };

        let (signal, drain) = drain::channel();
        let serving = tokio::task::spawn_local(server::serve(listener, door, drain));
        Self {
            address,
            tls,
            http1,
            sidecars,
            reports,
            signal,
            serving,
            registry,
            word,
            authorities,
            town,
        }
    }

    /// A sidecar of whatever pod the word says.
    pub(crate) async fn sidecar(&self) -> Result<Sidecar, Refused> {
        Sidecar::open(self.address, &self.tls, TOKEN).await
    }

    /// Waits until this many are connected.
    pub(crate) async fn connected(&self, count: usize) {
        let mut rings = self.sidecars.rings();
        while self.sidecars.count() != count {
            rings.next().await;
        }
    }

    /// The version that `app` should have.
    pub(crate) fn version(&self) -> String {
        self.town.feed.latest().unwrap().bundle(&app()).unwrap().version.clone()
    }

    /// A counter or gauge, all its labels added up.
    pub(crate) fn metric(&self, name: &str) -> f64 {
        let families = self.registry.gather();
        let family = families.iter().filter(|family| family.name() == name);
        let metrics = family.flat_map(|family| family.get_metric());
        metrics
            .map(|metric| metric.get_counter().get_value() + metric.get_gauge().get_value())
            .sum()
    }
}

fn reviewer(word: Word) -> Reviewer {
    Box::new(move |_| {
        let word = word.borrow().clone();
        Box::pin(async move { word })
    })
}

// === impl Town ===

impl Town {
    pub(crate) fn new() -> Self {
        let (publisher, feed) = snapshot::feed();
        Self { stores: Stores::default(), assembler: Assembler::default(), publisher, feed }
    }

    /// A pod is there from now on.
    pub(crate) fn pod(&mut self, pod: &PodId) {
        let facts = PodFacts { uid: pod.uid.clone(), labels: Default::default() };
        let id = (pod.namespace.clone(), pod.name.clone());
        let told = Told { id, object: Ok(facts) };
        self.stores.pods.apply(&mut everything(), Event::Apply(told));
        self.publish();
    }

    /// And from now on it is not.
    pub(crate) fn remove(&mut self, pod: &PodId) {
        let facts = PodFacts { uid: pod.uid.clone(), labels: Default::default() };
        let id = (pod.namespace.clone(), pod.name.clone());
        let told = Told { id, object: Ok(facts) };
        self.stores.pods.apply(&mut everything(), Event::Delete(told));
        self.publish();
    }

    /// So many routes, of some 300 bytes, that say `edition`.
    pub(crate) fn routes(&mut self, edition: usize, count: usize) {
        for number in 0..count {
            let name = format!("route-{number:04}");
            let model = format!("model-{edition}-{}", "x".repeat(200));
            let route: LlmRoute = serde_json::from_value(json!({
                "metadata": { "name": name, "namespace": "team", "uid": name },
                "spec": { "rules": [{
                    "name": "all",
                    "matches": [{ "model": model }],
                    "targets": [{ "provider": { "name": "none" } }],
                }] },
            }))
            .unwrap();
            let told = Told { id: ("team".to_owned(), name), object: Ok(route) };
            self.stores.routes.apply(&mut everything(), Event::Apply(told));
        }
        self.publish();
    }

    fn publish(&mut self) {
        let assembled = self.assembler.assemble(&self.stores, Instant::now());
        self.publisher.publish(Rc::new(assembled.snapshot));
    }
}

fn everything<T>() -> Listing<T> {
    Listing::new(Part::Everything)
}
