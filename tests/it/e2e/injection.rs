//! The API server's real questions to the webhook of a running controller.
//!
//! The configuration's selectors are those of an installation, narrowed to the stage's namespaces:
//! the API server is shared with other tests.

mod certificates;
mod pods;
mod trouble;
mod workloads;

use k8s_openapi::api::admissionregistration::v1::MutatingWebhookConfiguration;
use k8s_openapi::api::core::v1::{Namespace, Pod};
use kube::Api;
use kube::api::{Patch, PatchParams, PostParams};
use kube::runtime::wait::await_condition;
use serde_json::{Value, json};

use super::replica::{Order, Replica};
use super::stage::Stage;

/// The controller's further rights.
pub(super) const RBAC: &str = include_str!("rbac-webhook.yaml");

const SETTINGS: &str = "\
image: registry.example/pillion:1
controller: pillion.pillion-system.svc:8790
";

/// A stage whose API server asks a controller about its pods.
struct Injection {
    stage: Stage,
    controller: Replica,
}

impl Injection {
    /// On the shared API server.
    #[track_caller]
    fn new() -> Self {
        Self::on(Stage::new(), |order| order)
    }

    /// With further flags of the controller; `caBundle` is its own work.
    #[track_caller]
    fn on(stage: Stage, more: impl FnOnce(Order) -> Order) -> Self {
        stage.apply(&RBAC.replace("pillion-system", &stage.system));
        let name = format!("{}-injection.yaml", stage.system);
        let settings = stage.cluster().write(&name, SETTINGS).unwrap();
        let order = stage
            .order("one")
            .flag("--injection", settings.to_str().unwrap())
            .flag("--webhook", "127.0.0.1:0")
            .flag("--webhook-configuration", &stage.system)
            .flag("--log", "trace");
        let controller = more(order).start(&stage.kubeconfig);
        let injection = Self { stage, controller };
        injection.register();
        injection.until_believed();
        injection
    }

    /// Tells the API server whom to ask, and not yet whom to believe.
    #[track_caller]
    fn register(&self) {
        let url = format!("https://localhost:{}/inject", self.controller.webhook().port());
        let stage = json!({
            "key": "kubernetes.io/metadata.name",
            "operator": "In",
            "values": [self.stage.namespace, self.stage.system],
        });
        let label = |operator: &str, values: &[&str]| json!({ "key": "pillion.dev/inject", "operator": operator, "values": values });
        let webhook = |name: &str, namespaces: Value, pods: Value| {
            json!({
                "name": name,
                "clientConfig": { "url": url },
                "rules": [{
                    "apiGroups": [""],
                    "apiVersions": ["v1"],
                    "operations": ["CREATE"],
                    "resources": ["pods"],
                    "scope": "Namespaced",
                }],
                "namespaceSelector": { "matchExpressions": [stage, namespaces] },
                "objectSelector": { "matchExpressions": [pods] },
                "sideEffects": "None",
                "failurePolicy": "Fail",
                "timeoutSeconds": 5,
                "reinvocationPolicy": "IfNeeded",
                "admissionReviewVersions": ["v1"],
            })
        };
        let configuration = json!({
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "MutatingWebhookConfiguration",
            "metadata": { "name": self.stage.system },
            "webhooks": [
                webhook(
                    "pods.pillion.dev",
                    label("NotIn", &["false"]),
                    label("In", &["true"]),
                ),
                webhook(
                    "namespaces.pillion.dev",
                    label("In", &["true"]),
                    label("NotIn", &["true", "false"]),
                ),
            ],
        });
        self.stage.apply(&configuration.to_string());
    }

    fn configurations(&self) -> Api<MutatingWebhookConfiguration> {
        Api::all(self.stage.client.clone())
    }

    /// Waits until each webhook's `caBundle` is as wanted.
    #[track_caller]
    fn until_bundles(&self, wanted: impl Fn(&str) -> bool) {
        let is_so = |object: Option<&MutatingWebhookConfiguration>| {
            let webhooks = object.and_then(|object| object.webhooks.as_ref());
            webhooks.is_some_and(|webhooks| {
                webhooks.iter().all(|webhook| {
                    let bundle = webhook.client_config.ca_bundle.as_ref();
                    bundle.is_some_and(|bundle| wanted(str::from_utf8(&bundle.0).unwrap()))
                })
            })
        };
        let waiting = await_condition(self.configurations(), &self.stage.system, is_so);
        self.stage.block_on(waiting).unwrap();
    }

    /// Waits until the API server itself goes by the configuration that stands now: it hears of it
    /// a moment after it was written, and asks as it was configured before until then.
    #[track_caller]
    fn until_believed(&self) {
        self.until_bundles(|bundle| bundle.contains("BEGIN CERTIFICATE"));
        let probe = pod("probe", &[("pillion.dev/inject", "true")]);
        let asked = async {
            loop {
                if let Ok(pod) = self.try_create(&self.dry(), &probe).await
                    && is_injected(&pod)
                {
                    return;
                }
                tokio::task::yield_now().await;
            }
        };
        self.stage.block_on(asked);
    }

    fn dry(&self) -> PostParams {
        PostParams { dry_run: true, ..PostParams::default() }
    }

    async fn try_create(&self, parameters: &PostParams, pod: &Value) -> kube::Result<Pod> {
        let pod: Pod = serde_json::from_value(pod.clone()).unwrap();
        self.stage.api::<Pod>().create(parameters, &pod).await
    }

    /// Creates a pod.
    #[track_caller]
    fn create(&self, pod: &Value) -> kube::Result<Pod> {
        self.stage.block_on(self.try_create(&PostParams::default(), pod))
    }

    /// Asks what would become of a pod.
    #[track_caller]
    fn try_out(&self, pod: &Value) -> kube::Result<Pod> {
        self.stage.block_on(self.try_create(&self.dry(), pod))
    }

    /// Gives the stage's namespace labels.
    #[track_caller]
    fn label_namespace(&self, labels: &[(&str, &str)]) {
        let labels: serde_json::Map<String, Value> =
            labels.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
        let patch = Patch::Merge(json!({ "metadata": { "labels": labels } }));
        let namespaces: Api<Namespace> = Api::all(self.stage.client.clone());
        let name = &self.stage.namespace;
        let parameters = PatchParams::default();
        let patching = namespaces.patch(name, &parameters, &patch);
        self.stage.block_on(patching).unwrap();
    }
}

/// A pod with these labels.
fn pod(name: &str, labels: &[(&str, &str)]) -> Value {
    let labels: serde_json::Map<String, Value> =
        labels.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
    json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": { "name": name, "labels": labels },
        "spec": { "containers": [{ "name": "app", "image": "registry.example/app:1" }] },
    })
}

/// A pod that asks.
fn asking(name: &str) -> Value {
    pod(name, &[("pillion.dev/inject", "true")])
}

/// Has it the sidecar, and its containers the variables?
fn is_injected(pod: &Pod) -> bool {
    let spec = pod.spec.as_ref().unwrap();
    let first = spec.init_containers.as_ref().and_then(|containers| containers.first());
    first.is_some_and(|first| {
        first.name == "pillion" && first.restart_policy.as_deref() == Some("Always")
    }) && spec.containers.iter().all(|container| {
        let variables = container.env.iter().flatten();
        variables.into_iter().any(|variable| variable.name == "OPENAI_BASE_URL")
    })
}
