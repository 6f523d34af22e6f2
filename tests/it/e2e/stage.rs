//! A stage: two namespaces on a real API server, the controller's account and roles, and what a
//! test does to the cluster.
//!
//! Blocking, as everything else that the tests stand on. When the stage is dropped, whatever the
//! API server shows of its namespaces is searched for keys: only Secrets may have them.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::thread;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::{ConfigMap, Pod, Secret};
use kube::api::{DeleteParams, DynamicObject, Patch, PatchParams, PostParams};
use kube::core::NamespaceResourceScope;
use kube::runtime::wait::await_condition;
use kube::{Api, Client, Resource, ResourceExt};
use pillion::api::LlmRoute;
use pillion::bundle::push::AUDIENCE;
use pillion_cluster::{Audit, Cluster, Settings, TokenWish};
use serde::de::DeserializeOwned;
use serde_json::json;
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;

use super::installation::{ACCOUNT, Installation, Watches};
use super::replica::{Order, Replica};
use super::service::Service;
use super::sidecar::{Seat, Sidecar};
use crate::support::GUARD;
use crate::support::cluster::{private, shared};
use crate::support::manifests::Manifests;
use crate::support::proxy::{Launch, has_key};

/// Namespaces of one test.
pub(crate) struct Stage {
    /// Where the routes and the pods are.
    pub(crate) namespace: String,
    /// Where the controller is.
    pub(crate) system: String,
    /// Where sidecars connect.
    pub(crate) service: Service,
    /// May do everything.
    pub(crate) client: Client,
    /// The controller's.
    pub(crate) kubeconfig: PathBuf,
    /// The controller's account and roles.
    pub(super) rbac: String,
    watches: Watches,
    cluster: Home,
    runtime: Runtime,
}

enum Home {
    Shared(&'static Cluster),
    Own(Box<Cluster>),
}

impl Stage {
    /// On the shared cluster; controllers watch the stage's own namespace only.
    pub(crate) fn new() -> Self {
        let runtime = runtime();
        let cluster = Home::Shared(runtime.block_on(shared()));
        Self::set(runtime, cluster, Watches::Some)
    }

    /// On a cluster of its own with an audit log, whose API server it may stop; controllers watch all
    /// namespaces, and keep the webhook's configuration true.
    pub(crate) fn alone() -> Self {
        Self::own(Watches::All)
    }

    /// The same, but controllers watch the stage's own namespace only.
    pub(crate) fn alone_and_limited() -> Self {
        Self::own(Watches::Some)
    }

    fn own(watches: Watches) -> Self {
        let runtime = runtime();
        let cluster = runtime.block_on(private(Settings { audit: Audit::Metadata }));
        Self::set(runtime, Home::Own(Box::new(cluster)), watches)
    }

    fn set(runtime: Runtime, home: Home, watches: Watches) -> Self {
        let cluster = home.cluster();
        let setting = async {
            let (namespace, system) =
                (cluster.namespace().await.unwrap(), cluster.namespace().await.unwrap());
            let chart = Installation { namespace: &namespace, system: &system, watches };
            let rbac = chart.rbac();
            cluster.apply(&system, &rbac).await.unwrap();
            if let Home::Own(cluster) = &home {
                let configuration = serde_json::to_string(&chart.configuration()).unwrap();
                cluster.apply("", &configuration).await.unwrap();
            }
            let kubeconfig = cluster.service_account_kubeconfig(&system, ACCOUNT).await.unwrap();
            (namespace, system, rbac, kubeconfig, cluster.client().unwrap())
        };
        let (namespace, system, rbac, kubeconfig, client) = runtime.block_on(setting);
        let (service, cluster) = (Service::start(), home);
        Self { namespace, system, service, client, kubeconfig, rbac, watches, cluster, runtime }
    }

    /// Does something that takes the API server's time.
    #[track_caller]
    pub(crate) fn block_on<T>(&self, what: impl Future<Output = T>) -> T {
        let waited = self.runtime.block_on(async { timeout(GUARD, what).await });
        waited.unwrap_or_else(|_| panic!("it did not come within {GUARD:?}"))
    }

    /// The cluster.
    pub(crate) fn cluster(&self) -> &Cluster {
        self.cluster.cluster()
    }

    /// Kills the API server of a stage that is [`alone`](Self::alone).
    pub(crate) fn stop_api(&mut self) {
        self.cluster.own().stop_api();
    }

    /// Starts it again.
    pub(crate) fn start_api(&mut self) {
        self.runtime.block_on(self.cluster.own().start_api()).unwrap();
    }

    // Controllers.

    /// A controller to start, under this name.
    pub(crate) fn order(&self, identity: &str) -> Order {
        let order = Order { flags: BTreeMap::new(), service: self.service.clone() };
        let order = order.flag("--namespace", &self.system).flag("--identity", identity);
        let order = order.flag("--tls-name", "127.0.0.1");
        let order = match self.watches {
            Watches::Some => order.flag("--namespaces", &self.namespace),
            Watches::All => order,
        };
        match &self.cluster {
            Home::Own(_) => self.injecting(order),
            Home::Shared(_) => order,
        }
    }

    /// The same with the webhook, as the chart has it.
    pub(crate) fn injecting(&self, order: Order) -> Order {
        let settings = self.installation().settings(self.cluster());
        order
            .flag("--injection", settings.to_str().unwrap())
            .flag("--webhook", "127.0.0.1:0")
            .flag("--webhook-configuration", &self.configuration().name_any())
    }

    /// The webhook's configuration, as the chart has it: nobody is behind its Service.
    pub(crate) fn configuration(&self) -> DynamicObject {
        self.installation().configuration()
    }

    fn installation(&self) -> Installation<'_> {
        let Self { namespace, system, watches, .. } = self;
        Installation { namespace, system, watches: *watches }
    }

    /// Starts a controller and waits until it is ready.
    #[track_caller]
    pub(crate) fn controller(&self, identity: &str) -> Replica {
        self.order(identity).start(&self.kubeconfig)
    }

    /// The controllers' CA.
    #[track_caller]
    pub(crate) fn ca(&self) -> String {
        let maps: Api<ConfigMap> = self.api_in(&self.system);
        let there = |map: Option<&ConfigMap>| map.is_some();
        let map = self.block_on(await_condition(maps, "pillion-ca", there)).unwrap().unwrap();
        map.data.unwrap()["ca.crt"].clone()
    }

    // Pods.

    /// Makes a pod, which nobody runs.
    #[track_caller]
    pub(crate) fn pod(&self, name: &str, labels: &[(&str, &str)]) -> Pod {
        self.pod_in(&self.namespace, name, labels)
    }

    /// The same in another namespace.
    #[track_caller]
    pub(crate) fn pod_in(&self, namespace: &str, name: &str, labels: &[(&str, &str)]) -> Pod {
        let labels: BTreeMap<&str, &str> = labels.iter().copied().collect();
        let pod: Pod = serde_json::from_value(json!({
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": name, "labels": labels},
            "spec": {"containers": [{"name": "app", "image": "app"}]},
        }))
        .unwrap();
        let pods: Api<Pod> = self.api_in(namespace);
        self.block_on(pods.create(&PostParams::default(), &pod)).unwrap()
    }

    /// Gives a pod other labels: those named with a value get it, those without one go.
    pub(crate) fn label(&self, pod: &Pod, labels: &[(&str, Option<&str>)]) {
        let labels: BTreeMap<&str, Option<&str>> = labels.iter().copied().collect();
        let patch = Patch::Merge(json!({"metadata": {"labels": labels}}));
        let namespace = pod.metadata.namespace.as_deref().unwrap();
        let pods: Api<Pod> = self.api_in(namespace);
        let name = pod.metadata.name.as_deref().unwrap();
        self.block_on(pods.patch(name, &PatchParams::default(), &patch)).unwrap();
    }

    /// A token of a pod, for `audience`.
    pub(crate) fn token(&self, pod: &Pod, audience: &str) -> String {
        let wish = TokenWish {
            namespace: pod.metadata.namespace.as_deref().unwrap(),
            service_account: "default",
            pod: Some(pod),
            audience: Some(audience),
            seconds: 3600,
        };
        self.block_on(self.cluster().token(wish)).unwrap()
    }

    /// A sidecar to start with this token.
    #[track_caller]
    pub(crate) fn seat(&self, token: &str) -> Seat {
        let files = Manifests::new();
        files.write("ca.crt", &self.ca()).write("token", token);
        Seat { files, launch: Launch::new().subscribed(self.service.address()) }
    }

    /// Starts the sidecar of a pod and waits until it is ready.
    #[track_caller]
    pub(crate) fn sidecar(&self, pod: &Pod) -> Sidecar {
        self.seat(&self.token(pod, AUDIENCE)).start()
    }

    // Objects.

    /// Applies objects; those that say `namespace: default`, or none, are put into the stage's.
    #[track_caller]
    pub(crate) fn apply(&self, yaml: &str) {
        let here = format!("namespace: {}", self.namespace);
        let yaml = yaml.replace("namespace: default", &here);
        let applied = self.block_on(self.cluster().apply(&self.namespace, &yaml));
        applied.unwrap_or_else(|error| panic!("{error:#}"));
    }

    /// Sets one key of a Secret of the stage's namespace, which is made if it is not there.
    #[track_caller]
    pub(crate) fn secret(&self, name: &str, key: &str, value: &str) {
        let secrets: Api<Secret> = self.api();
        let patch = Patch::Merge(json!({"data": {key: STANDARD.encode(value)}}));
        let patched = self.block_on(secrets.patch(name, &PatchParams::default(), &patch));
        if let Err(kube::Error::Api(status)) = &patched
            && status.code == 404
        {
            let data = BTreeMap::from([(key.to_owned(), ByteString(value.into()))]);
            let mut secret = Secret { data: Some(data), ..Secret::default() };
            secret.metadata.name = Some(name.to_owned());
            self.block_on(secrets.create(&PostParams::default(), &secret)).unwrap();
            return;
        }
        patched.unwrap();
    }

    /// Deletes an object of the stage's namespace, at once.
    #[track_caller]
    pub(crate) fn delete<K: Object>(&self, name: &str) {
        let api: Api<K> = self.api();
        let parameters = DeleteParams::default().grace_period(0);
        drop(self.block_on(api.delete(name, &parameters)).unwrap());
    }

    /// Waits until an object of the stage's namespace is as wanted.
    #[track_caller]
    pub(crate) fn until<K: Object>(&self, name: &str, wanted: impl Fn(&K) -> bool) -> K {
        self.until_in(&self.namespace, name, wanted)
    }

    /// The same in another namespace.
    #[track_caller]
    pub(crate) fn until_in<K: Object>(
        &self,
        namespace: &str,
        name: &str,
        wanted: impl Fn(&K) -> bool,
    ) -> K {
        let api: Api<K> = self.api_in(namespace);
        let is_so = |object: Option<&K>| object.is_some_and(&wanted);
        let waiting = async { timeout(GUARD, await_condition(api.clone(), name, is_so)).await };
        match self.runtime.block_on(waiting) {
            Ok(object) => object.unwrap().unwrap(),
            Err(_) => panic!("never as wanted: {:?}", self.block_on(api.get(name))),
        }
    }

    /// Waits until a condition of a route has the reason, said of the route as it stands.
    #[track_caller]
    pub(crate) fn until_said(&self, route: &str, of: &str, reason: &str) -> LlmRoute {
        self.until::<LlmRoute>(route, |route| {
            let conditions = route.status.iter().flat_map(|status| &status.conditions);
            let mut conditions = conditions.filter(|condition| condition.type_ == of);
            conditions.any(|condition| {
                condition.reason == reason
                    && condition.observed_generation == route.metadata.generation
            })
        })
    }

    /// Waits until a route tells of so many sidecars: `1/2`.
    #[track_caller]
    pub(crate) fn until_ready(&self, route: &str, ready: &str) -> LlmRoute {
        self.until::<LlmRoute>(route, |route| {
            let sidecars = route.status.as_ref().and_then(|status| status.sidecars.as_ref());
            sidecars.is_some_and(|sidecars| sidecars.ready == ready)
        })
    }

    /// Objects of the stage's namespace.
    pub(crate) fn api<K: Object>(&self) -> Api<K> {
        self.api_in(&self.namespace)
    }

    /// Objects of a namespace.
    pub(crate) fn api_in<K: Object>(&self, namespace: &str) -> Api<K> {
        Api::namespaced(self.client.clone(), namespace)
    }

    /// What kubectl prints when all is well.
    #[track_caller]
    pub(crate) fn kubectl(&self, arguments: &[&str]) -> String {
        self.block_on(crate::support::cluster::kubectl(self.cluster(), arguments))
    }

    /// `pillion status`: exit code and standard output.
    pub(crate) fn status(&self, arguments: &[&str]) -> (Option<i32>, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pillion"));
        let kubeconfig = self.cluster().kubeconfig();
        command.env_clear().arg("status").args(arguments).arg("--kubeconfig").arg(kubeconfig);
        let output = command.output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(!has_key(text.as_bytes()) && !has_key(&output.stderr), "a key came out");
        (output.status.code(), text)
    }

    /// Everything in the stage's namespaces but Secrets, and core files beside us.
    #[track_caller]
    fn search(&self) {
        const KINDS: &str = "llmroutes,providersecrets,configmaps,leases,pods,events,\
                             events.events.k8s.io,serviceaccounts";
        for namespace in [&self.namespace, &self.system] {
            let shown = self.kubectl(&[
                "get",
                KINDS,
                "-n",
                namespace,
                "-o",
                "yaml",
                "--show-managed-fields",
            ]);
            assert!(shown.contains("kind: "), "{shown}");
            assert!(!has_key(shown.as_bytes()), "a key came out in an object of {namespace}");
        }
        let here = fs::read_dir(env!("CARGO_MANIFEST_DIR")).unwrap();
        for entry in here.map(|entry| entry.unwrap().path()) {
            let name = entry.file_name().unwrap().to_str().unwrap_or_default();
            let is_core = name == "core" || name.starts_with("core.");
            assert!(!is_core || !entry.is_file(), "a process has left {name}");
        }
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        if !thread::panicking() {
            self.search();
        }
    }
}

/// An object in a namespace.
pub(crate) trait Object:
    Resource<DynamicType = (), Scope = NamespaceResourceScope>
    + Clone
    + Debug
    + DeserializeOwned
    + Send
    + 'static
{
}

impl<K> Object for K where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
        + Clone
        + Debug
        + DeserializeOwned
        + Send
        + 'static
{
}

impl Home {
    fn cluster(&self) -> &Cluster {
        match self {
            Self::Shared(cluster) => cluster,
            Self::Own(cluster) => cluster,
        }
    }

    fn own(&mut self) -> &mut Cluster {
        match self {
            Self::Shared(_) => panic!("the shared cluster is everybody's"),
            Self::Own(cluster) => cluster,
        }
    }
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}
