//! The API server's real questions to the webhook of a running controller.
//!
//! The configuration is the chart's, but for the address: nobody is behind a Service here.

mod certificates;
mod pods;
mod trouble;
mod workloads;

use k8s_openapi::api::admissionregistration::v1::MutatingWebhookConfiguration;
use k8s_openapi::api::core::v1::{Namespace, Pod};
use kube::api::{Patch, PatchParams, PostParams};
use kube::runtime::wait::await_condition;
use kube::{Api, ResourceExt};
use serde_json::{Value, json};

use super::replica::{Order, Replica};
use super::stage::Stage;

/// What the fixtures' sidecars are.
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
        let name = format!("{}-settings.yaml", stage.system);
        let settings = stage.cluster().write(&name, SETTINGS).unwrap();
        let order = stage.injecting(stage.order("one")).flag("--log", "trace");
        let order = order.flag("--injection", settings.to_str().unwrap());
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
        let mut configuration = self.stage.configuration();
        for webhook in configuration.data["webhooks"].as_array_mut().unwrap() {
            webhook["clientConfig"] = json!({ "url": url });
        }
        self.stage.apply(&serde_json::to_string(&configuration).unwrap());
    }

    /// The configuration's.
    fn name(&self) -> String {
        self.stage.configuration().name_any()
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
        let name = self.name();
        let waiting = await_condition(self.configurations(), &name, is_so);
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
