//! The controller's watches on a real API server: what is told becomes a snapshot, whatever
//! happens on the way.

use std::collections::BTreeSet;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use kube::config::{KubeConfigOptions, Kubeconfig};
use pillion::controller::certificates::Source;
use pillion::controller::connections::Connections;
use pillion::controller::metrics::Metrics;
use pillion::controller::push::metrics::PushMetrics;
use pillion::controller::run::{Controller, Options, Outside};
use pillion::controller::snapshot::{Feed, PodId, Snapshot};
use pillion::controller::status;
use pillion::net::drain::{self, DrainSignal, Stage};
use pillion::net::task;
use pillion_cluster::{Audit, Cluster, Settings};
use prometheus::Registry;
use tokio::net::TcpListener;
use tokio::task::LocalSet;
use tokio::time::timeout;

use crate::support::GUARD;
use crate::support::cluster::{private, shared};

const OBJECTS: &str = "
apiVersion: pillion.dev/v1alpha1
kind: ProviderSecret
metadata: { name: p }
spec: { provider: Anthropic, keys: [{ name: main, secretRef: { name: s, key: k } }] }
---
apiVersion: pillion.dev/v1alpha1
kind: LlmRoute
metadata: { name: r }
spec: { rules: [{ targets: [{ provider: { name: p } }] }] }
---
apiVersion: v1
kind: Pod
metadata: { name: app, labels: { app: chat } }
spec: { containers: [{ name: app, image: app }] }
";

const ROLE: &str = "
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: { name: controller }
rules:
  - { apiGroups: [pillion.dev], resources: [llmroutes, providersecrets], verbs: [list, watch] }
  - { apiGroups: [''], resources: [pods, secrets], verbs: [list, watch] }
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: { name: controller }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: Role, name: controller }
subjects: [{ kind: ServiceAccount, name: controller }]
";

fn secret(key: &str) -> String {
    format!("{{apiVersion: v1, kind: Secret, metadata: {{name: s}}, stringData: {{k: {key}}}}}")
}

/// A controller that runs in this test.
struct Running {
    feed: Feed,
    metrics: Metrics,
    namespace: String,
    _signal: DrainSignal,
}

impl Running {
    async fn start(kubeconfig: &Path, limits: &[&str], namespace: &str) -> Self {
        let kubeconfig = Kubeconfig::read_from(kubeconfig).unwrap();
        let options = KubeConfigOptions::default();
        let config = kube::Config::from_custom_kubeconfig(kubeconfig, &options).await.unwrap();
        let connections = Connections::new(config).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let registry = Registry::new();
        let metrics = Metrics::register(&registry).unwrap();
        let outside = Outside {
            connections,
            listener,
            certificates: Source::Kept { names: Vec::new() },
            metrics: metrics.clone(),
            push_metrics: PushMetrics::register(&registry).unwrap(),
            status_metrics: status::metrics::Metrics::register(&registry).unwrap(),
        };
        let options = Options {
            namespaces: limits.iter().map(|name| name.parse().unwrap()).collect::<BTreeSet<_>>(),
            own_namespace: "pillion-system".parse().unwrap(),
            identity: "test".to_owned(),
            address: None,
            webhook_configuration: None,
        };
        let controller = Controller::new(options, outside);
        let feed = controller.feed();
        let (signal, drain) = drain::channel();
        drop(task::spawn(controller.run(drain)));
        Self { feed, metrics, namespace: namespace.to_owned(), _signal: signal }
    }

    /// The first snapshot of which `is` is true, and what it says.
    async fn until<T>(&mut self, is: impl Fn(&Self, &Snapshot) -> Option<T>) -> T {
        let found = async {
            loop {
                let snapshot: Rc<Snapshot> = self.feed.next().await.unwrap();
                if let Some(found) = is(self, &snapshot) {
                    return found;
                }
            }
        };
        timeout(GUARD, found).await.expect("the change never came")
    }

    /// The route's faults.
    fn faults(&self, snapshot: &Snapshot) -> Option<Vec<String>> {
        let here = Some(self.namespace.as_str());
        let mut routes = snapshot.routes.iter();
        let route = routes.find(|route| route.object.metadata.namespace.as_deref() == here)?;
        Some(route.faults.iter().map(|fault| fault.message.clone()).collect())
    }

    /// The version of the pod's bundle.
    fn version(&self, snapshot: &Snapshot, uid: &str) -> Option<String> {
        let (namespace, name) = (self.namespace.clone(), "app".to_owned());
        let bundle = snapshot.bundle(&PodId { namespace, name, uid: uid.to_owned() })?;
        (!bundle.routes.is_empty()).then(|| bundle.version.clone())
    }

    /// Waits for so many errors.
    async fn suffer(&self, count: u64) {
        while self.errors() < count {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    fn errors(&self) -> u64 {
        let resources = ["llmroutes", "providersecrets", "namespaces", "pods", "secrets"];
        let errors = resources
            .map(|resource| self.metrics.watch_errors.with_label_values(&[resource]).get());
        errors.iter().sum()
    }
}

async fn apply(cluster: &Cluster, namespace: &str) -> String {
    cluster.apply(namespace, &secret("sk-1")).await.unwrap();
    let applied = cluster.apply(namespace, OBJECTS).await.unwrap();
    applied.last().unwrap().metadata.uid.clone().unwrap()
}

/// FAULTS 31, 32: and before a Secret is listed nobody says that its key is missing.
#[tokio::test]
async fn what_is_applied_is_in_a_snapshot() {
    let cluster = shared().await;
    let namespace = cluster.namespace().await.unwrap();
    let scenario = async {
        let mut controller = Running::start(cluster.kubeconfig(), &[], &namespace).await;
        let uid = apply(cluster, &namespace).await;
        let first = controller
            .until(|controller, snapshot| {
                let faults = controller.faults(snapshot)?;
                let told = faults.iter().any(|fault| fault.contains("has no endpoint and key"));
                assert!(!told, "a false missing key: {faults:?}");
                controller.version(snapshot, &uid).filter(|_| faults.is_empty())
            })
            .await;
        cluster.apply(&namespace, &secret("sk-2")).await.unwrap();
        let rotated = |controller: &Running, snapshot: &Snapshot| {
            controller.version(snapshot, &uid).filter(|version| *version != first)
        };
        controller.until(rotated).await;
        let client = cluster.client().unwrap();
        let secrets: kube::Api<k8s_openapi::api::core::v1::Secret> =
            kube::Api::namespaced(client, &namespace);
        secrets.delete("s", &kube::api::DeleteParams::default()).await.unwrap();
        controller.until(|c, snapshot| c.faults(snapshot).filter(|f| !f.is_empty())).await;
    };
    LocalSet::new().run_until(scenario).await;
}

/// FAULTS 38, 39.
#[tokio::test]
async fn an_api_server_that_goes_away_takes_nothing_with_it() {
    let mut cluster = private(Settings { audit: Audit::default() }).await;
    let namespace = cluster.namespace().await.unwrap();
    let scenario = async {
        let mut controller = Running::start(cluster.kubeconfig(), &[], &namespace).await;
        let uid = apply(&cluster, &namespace).await;
        let before = controller.until(|c, snapshot| c.version(snapshot, &uid)).await;
        cluster.stop_api();
        timeout(GUARD, controller.suffer(8)).await.expect("nobody notices");
        let kept = controller.feed.latest().unwrap();
        assert_eq!(controller.version(&kept, &uid), Some(before.clone()));
        cluster.start_api().await.unwrap();
        cluster.apply(&namespace, &secret("sk-2")).await.unwrap();
        let changed = |controller: &Running, snapshot: &Snapshot| {
            let version = controller.version(snapshot, &uid);
            let version = version.expect("no snapshot lacks what is there");
            (version != before).then_some(())
        };
        controller.until(changed).await;
    };
    LocalSet::new().run_until(scenario).await;
}

#[tokio::test]
async fn roles_suffice_where_namespaces_are_limited() {
    let cluster = shared().await;
    let namespace = cluster.namespace().await.unwrap();
    let other = cluster.namespace().await.unwrap();
    cluster.service_account(&namespace, "controller").await.unwrap();
    cluster.apply(&namespace, ROLE).await.unwrap();
    let kubeconfig = cluster.service_account_kubeconfig(&namespace, "controller").await.unwrap();
    apply(cluster, &other).await;
    let uid = apply(cluster, &namespace).await;
    let scenario = async {
        let mut controller = Running::start(&kubeconfig, &[&namespace], &namespace).await;
        controller.until(|c, snapshot| c.version(snapshot, &uid)).await;
        let snapshot = controller.feed.latest().unwrap();
        assert_eq!((snapshot.routes.len(), snapshot.providers.len()), (1, 1));
        assert_eq!(controller.errors(), 0, "nothing was asked for that was refused");
    };
    LocalSet::new().run_until(scenario).await;
}

#[tokio::test]
async fn it_ends_when_it_is_drained() {
    let cluster = shared().await;
    let scenario = async {
        let controller = Running::start(cluster.kubeconfig(), &[], "default").await;
        let Running { mut feed, _signal: signal, .. } = controller;
        signal.advance(Stage::Draining);
        timeout(GUARD, signal.all_gone()).await.expect("it went on");
        while feed.next().await.is_some() {}
    };
    LocalSet::new().run_until(scenario).await;
}
