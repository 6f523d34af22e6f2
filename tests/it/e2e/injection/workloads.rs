//! Pods that others make: of Jobs, CronJobs, StatefulSets and Deployments.

use k8s_openapi::api::batch::v1::CronJob;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{ListParams, Patch, PatchParams};
use serde_json::{Value, json};

use super::{Injection, is_injected};

const WORKLOADS: &str = r#"
apiVersion: batch/v1
kind: Job
metadata: { name: job }
spec: { template: TEMPLATE }
---
apiVersion: batch/v1
kind: CronJob
metadata: { name: cron }
spec: { schedule: "0 * * * *", jobTemplate: { spec: { template: TEMPLATE } } }
---
apiVersion: apps/v1
kind: StatefulSet
metadata: { name: set }
spec: { selector: { matchLabels: { of: set } }, serviceName: set, template: TEMPLATE }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: deployment }
spec: { selector: { matchLabels: { of: deployment } }, template: TEMPLATE }
"#;

/// The same template for all: what Jobs restart is another matter than what Deployments do.
fn template(of: &str, restart: &str) -> Value {
    json!({
        "metadata": { "labels": { "of": of, "pillion.dev/inject": "true" } },
        "spec": {
            "restartPolicy": restart,
            "containers": [{ "name": "app", "image": "registry.example/app:1" }],
        },
    })
}

#[test]
fn pods_of_workloads_are_injected() {
    let injection = Injection::new();
    let stage = &injection.stage;
    stage.block_on(stage.cluster().start_controllers()).unwrap();
    let templates =
        [("job", "Never"), ("cron", "OnFailure"), ("set", "Always"), ("deployment", "Always")];
    let documents = WORKLOADS.trim().split("\n---\n").zip(templates);
    for (document, (of, restart)) in documents {
        stage.apply(&document.replace("TEMPLATE", &template(of, restart).to_string()));
    }
    // It was due an hour ago.
    let due = json!({ "status": { "lastScheduleTime": "2020-01-01T00:00:00Z" } });
    let (crons, parameters) = (stage.api::<CronJob>(), PatchParams::default());
    let due = Patch::Merge(due);
    let patching = crons.patch_status("cron", &parameters, &due);
    stage.block_on(patching).unwrap();
    for (of, restart) in templates {
        let pods = stage.api::<Pod>();
        let parameters = ListParams::default().labels(&format!("of={of}"));
        let made = stage.block_on(async {
            loop {
                let pods = pods.list(&parameters).await.unwrap().items;
                if let Some(pod) = pods.into_iter().next() {
                    return pod;
                }
                tokio::task::yield_now().await;
            }
        });
        assert!(is_injected(&made), "{of}: {made:?}");
        let spec = made.spec.as_ref().unwrap();
        assert_eq!(spec.restart_policy.as_deref(), Some(restart));
    }
}
