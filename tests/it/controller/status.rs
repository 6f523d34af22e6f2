//! Conditions and Events as the API server has them.

use std::rc::Rc;
use std::time::{Duration, Instant};

use k8s_openapi::api::events::v1::Event;
use kube::api::{DeleteParams, ListParams};
use kube::{Api, ResourceExt};
use pillion::api::{LlmRoute, ProviderSecret};
use pillion::compile::{Fault, ObjectId, ResourceKind, Severity, Subject};
use pillion::controller::lease::Lease;
use pillion::controller::reports::Desk;
use pillion::controller::snapshot::{
    self, ProviderVerdict, Publisher, RouteVerdict, Snapshot, Undecodable,
};
use pillion::controller::status::events::Events;
use pillion::controller::status::metrics::Metrics;
use pillion::controller::status::{self, Sources};
use pillion::net::drain::{self, DrainSignal};
use pillion::net::task;
use pillion_cluster::Cluster;
use prometheus::{IntGauge, Registry};
use tokio::task::LocalSet;
use tokio::time::timeout;

use crate::support::GUARD;
use crate::support::cluster::shared;

pub(super) const OBJECTS: &str = "
apiVersion: pillion.dev/v1alpha1
kind: ProviderSecret
metadata: { name: router }
spec: { provider: OpenRouter }
---
apiVersion: pillion.dev/v1alpha1
kind: LlmRoute
metadata: { name: chat }
spec: { rules: [{ targets: [{ provider: { name: router } }] }] }
---
apiVersion: pillion.dev/v1alpha1
kind: LlmRoute
metadata: { name: other }
spec: { rules: [{ targets: [{ provider: { name: router } }] }] }
";

/// A status writer, and the objects that it writes to.
pub(super) struct Stage {
    pub(super) routes: Api<LlmRoute>,
    pub(super) providers: Api<ProviderSecret>,
    pub(super) events: Api<Event>,
    pub(super) namespace: String,
    pub(super) registry: Registry,
    publisher: Publisher,
    pub(super) signal: DrainSignal,
}

/// What is wrong with `chat`, in words of the test's own.
pub(super) fn fault(namespace: &str, subject: Subject, message: &str) -> Fault {
    let (namespace, name) = (namespace.to_owned(), "chat".to_owned());
    Fault {
        object: ObjectId { kind: ResourceKind::LlmRoute, namespace, name },
        path: "spec.rules[0]".to_owned(),
        severity: Severity::Error,
        subject,
        message: message.to_owned(),
        remedy: "mend it".to_owned(),
    }
}

impl Stage {
    /// In a namespace of its own.
    pub(super) async fn new(cluster: &Cluster, lease: Lease) -> Self {
        let namespace = cluster.namespace().await.unwrap();
        cluster.apply(&namespace, OBJECTS).await.unwrap();
        Self::start(cluster, namespace, lease)
    }

    pub(super) fn start(cluster: &Cluster, namespace: String, lease: Lease) -> Self {
        let client = cluster.client().unwrap();
        let (publisher, feed) = snapshot::feed();
        let reports = Desk::new(Duration::ZERO, IntGauge::new("reports", "open").unwrap());
        let sources = Sources { feed, sidecars: Rc::default(), reports, lease };
        let (signal, drain) = drain::channel();
        let registry = Registry::new();
        let events = Events::new(client.clone(), &namespace, "replica-1");
        let metrics = Metrics::register(&registry).unwrap();
        drop(task::spawn(status::run(client.clone(), sources, events, metrics, drain)));
        Self {
            routes: Api::namespaced(client.clone(), &namespace),
            providers: Api::namespaced(client.clone(), &namespace),
            events: Api::namespaced(client, &namespace),
            namespace,
            registry,
            publisher,
            signal,
        }
    }

    /// The objects as they are, with these faults of `chat`.
    pub(super) async fn tell(&self, faults: Vec<Fault>) {
        let mut snapshot = Snapshot::default();
        for object in self.routes.list(&ListParams::default()).await.unwrap() {
            let faults = if object.name_any() == "chat" { faults.clone() } else { Vec::new() };
            snapshot.routes.push(RouteVerdict { object: Rc::new(object), faults });
        }
        for object in self.providers.list(&ListParams::default()).await.unwrap() {
            let object = Rc::new(object);
            snapshot.providers.push(ProviderVerdict { object, faults: Vec::new(), routes: 2 });
        }
        self.publisher.publish(Rc::new(snapshot));
    }

    /// Waits until the condition of a route has the reason, and returns the route.
    pub(super) async fn until(&self, route: &str, of: &str, reason: &str) -> LlmRoute {
        let look = async {
            loop {
                let object = self.routes.get(route).await.unwrap();
                if said(&object, of).is_some_and(|(found, _)| found == reason) {
                    return object;
                }
            }
        };
        let waited = timeout(GUARD, look).await;
        waited.unwrap_or_else(|_| panic!("{of} of {route} never was {reason}"))
    }

    async fn events_of(&self, reason: &str) -> usize {
        let events = self.events.list(&ListParams::default()).await.unwrap();
        events.into_iter().filter(|event| event.reason.as_deref() == Some(reason)).count()
    }
}

/// Reason and message of a condition.
pub(super) fn said(route: &LlmRoute, of: &str) -> Option<(String, String)> {
    let conditions = &route.status.as_ref()?.conditions;
    let condition = conditions.iter().find(|condition| condition.type_ == of)?;
    Some((condition.reason.clone(), condition.message.clone()))
}

/// How often a status was sent to the API server, by outcome.
pub(super) fn writes(registry: &Registry, outcome: &str) -> f64 {
    let families = registry.gather();
    let family = families.iter().find(|f| f.name() == "pillion_controller_status_writes_total");
    let metrics = family.map(|family| family.get_metric()).unwrap_or_default();
    let of = metrics.iter().filter(|m| m.get_label().iter().any(|l| l.value() == outcome));
    of.map(|metric| metric.get_counter().get_value()).sum()
}

#[tokio::test]
async fn conditions_appear_and_change_and_are_written_on_change_alone() {
    let cluster = shared().await;
    let test = async {
        let stage = Stage::new(cluster, Lease::always()).await;
        stage.tell(vec![]).await;
        let chat = stage.until("chat", "Programmed", "NoSidecars").await;
        stage.until("other", "Accepted", "Accepted").await;
        let status = chat.status.clone().unwrap();
        assert_eq!(status.sidecars.unwrap().ready, "0/0");
        for condition in &status.conditions {
            assert_eq!(condition.observed_generation, chat.metadata.generation);
        }
        let manager = chat.managed_fields().iter().find(|f| f.subresource.is_some()).unwrap();
        assert_eq!(manager.manager.as_deref(), Some(status::FIELD_MANAGER));
        // The writer has written router before or after both; all three are said once.
        let router =
            async { while stage.providers.get("router").await.unwrap().status.is_none() {} };
        timeout(GUARD, router).await.unwrap();
        let router = stage.providers.get("router").await.unwrap();
        assert_eq!(router.status.clone().unwrap().routes, Some(2));

        // Something is wrong with chat: it alone is written, once.
        let other = stage.routes.get("other").await.unwrap();
        let missing = fault(&stage.namespace, Subject::Provider, "there is no such provider");
        stage.tell(vec![missing.clone()]).await;
        let spoilt = stage.until("chat", "ResolvedRefs", "ProviderNotFound").await;
        let (_, message) = said(&spoilt, "ResolvedRefs").unwrap();
        assert_eq!(message, "spec.rules[0]: there is no such provider. Remedy: mend it");
        let date = |route: &LlmRoute, of: usize| {
            route.status.as_ref().unwrap().conditions[of].last_transition_time.clone()
        };
        assert_eq!(date(&spoilt, 0), date(&chat, 0), "Accepted has not changed");

        // The same again, and then all is well again.
        stage.tell(vec![missing]).await;
        stage.tell(vec![]).await;
        stage.until("chat", "ResolvedRefs", "ResolvedRefs").await;
        assert_eq!(
            stage.routes.get("other").await.unwrap().resource_version(),
            other.resource_version()
        );
        let now = stage.providers.get("router").await.unwrap().resource_version();
        assert_eq!(now, router.resource_version());
        assert_eq!(writes(&stage.registry, "written"), 5.0, "three, and two of chat");
        assert_eq!(stage.events_of("ProviderNotFound").await, 1);
    };
    LocalSet::new().run_until(test).await;
}

#[tokio::test]
async fn a_thousand_changes_are_a_few_writes() {
    let cluster = shared().await;
    let test = async {
        let stage = Stage::new(cluster, Lease::always()).await;
        let begin = Instant::now();
        let object = Rc::new(stage.routes.get("chat").await.unwrap());
        for number in 0..=1000 {
            let faults = vec![fault(&stage.namespace, Subject::Spec, &format!("change {number}"))];
            let routes = vec![RouteVerdict { object: Rc::clone(&object), faults }];
            let snapshot = Snapshot { routes, ..Snapshot::default() };
            stage.publisher.publish(Rc::new(snapshot));
            tokio::task::yield_now().await;
        }
        let last = async {
            loop {
                let chat = stage.routes.get("chat").await.unwrap();
                if said(&chat, "Accepted").is_some_and(|(_, m)| m.contains("change 1000")) {
                    return;
                }
            }
        };
        timeout(GUARD, last).await.unwrap();
        let most = begin.elapsed().as_secs_f64() * 4.0 + 2.0;
        let count = writes(&stage.registry, "written");
        assert!(count <= most, "{count} writes, at most {most}");
    };
    LocalSet::new().run_until(test).await;
}

#[tokio::test]
async fn objects_that_go_or_cannot_be_read_stop_nothing() {
    let cluster = shared().await;
    let test = async {
        let stage = Stage::new(cluster, Lease::always()).await;
        let chat = Rc::new(stage.routes.get("chat").await.unwrap());
        stage.routes.delete("chat", &DeleteParams::default()).await.unwrap();
        let unreadable = Undecodable {
            kind: ResourceKind::LlmRoute,
            id: (stage.namespace.clone(), "other".to_owned()),
            generation: Some(1),
            message: "spec.rules is of a form that is not known".to_owned(),
        };
        let routes = vec![RouteVerdict { object: chat, faults: vec![] }];
        let snapshot = Snapshot { routes, undecodable: vec![unreadable], ..Snapshot::default() };
        stage.publisher.publish(Rc::new(snapshot));
        stage.until("other", "Accepted", "Undecodable").await;
        assert_eq!(writes(&stage.registry, "gone"), 1.0);
        // Those made anew under the old names are judged as what they are.
        stage.routes.delete("other", &DeleteParams::default()).await.unwrap();
        cluster.apply(&stage.namespace, OBJECTS).await.unwrap();
        stage.tell(vec![fault(&stage.namespace, Subject::Spec, "it is wrong")]).await;
        stage.until("other", "Accepted", "Accepted").await;
        stage.until("chat", "Accepted", "Invalid").await;
    };
    LocalSet::new().run_until(test).await;
}
