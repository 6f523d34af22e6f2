//! A release's life on a real API server: install, upgrade, rollback, uninstall. Nobody runs its
//! pods here.

use std::fs;
use std::path::Path;
use std::process::Command;

use kube::ResourceExt;
use kube::api::DynamicObject;
use pillion_cluster::{Cluster, Helm, Settings, chart, documents};
use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};

use super::{cases, fixture};
use crate::support::cluster::{self, private, shared};
use crate::support::helm::rendered;

/// Definitions of the kinds that others bring, as small as can be.
fn strangers() -> String {
    let definition = |group: &str, version: &str, kind: &str, plural: &str| {
        let open = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
        let version = json!({"name": version, "served": true, "storage": true, "schema": {"openAPIV3Schema": open}});
        json!({
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": format!("{plural}.{group}")},
            "spec": {
                "group": group,
                "scope": "Namespaced",
                "names": {"kind": kind, "plural": plural},
                "versions": [version],
            },
        })
    };
    let monitoring = "monitoring.coreos.com";
    let definitions = [
        definition("cert-manager.io", "v1", "Certificate", "certificates"),
        definition(monitoring, "v1", "ServiceMonitor", "servicemonitors"),
        definition(monitoring, "v1", "PodMonitor", "podmonitors"),
    ];
    definitions.map(|definition| definition.to_string()).join("\n---\n")
}

/// A cluster and Helm before it.
struct Ground<'a> {
    runtime: &'a Runtime,
    cluster: &'a Cluster,
    helm: Helm,
    namespace: String,
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

impl<'a> Ground<'a> {
    fn new(runtime: &'a Runtime, cluster: &'a Cluster) -> Self {
        let namespace = runtime.block_on(cluster.namespace()).unwrap();
        Self { runtime, cluster, helm: Helm::of(cluster).unwrap(), namespace }
    }

    /// What Helm says when all is well.
    #[track_caller]
    fn helm(&self, command: &[&str], more: &[&str]) -> String {
        self.tried(command, more).unwrap_or_else(|said| panic!("helm {command:?}: {said}"))
    }

    /// What Helm says, or complains of.
    fn tried(&self, command: &[&str], more: &[&str]) -> Result<String, String> {
        let line = [command, &["--namespace", &self.namespace], more].concat();
        let output = self.helm.run(&line).unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        match output.status.success() {
            true => Ok(text(&output.stdout)),
            false => Err(text(&output.stderr)),
        }
    }

    #[track_caller]
    fn kubectl(&self, arguments: &[&str]) -> String {
        let line = [&["--namespace", &*self.namespace], arguments].concat();
        self.runtime.block_on(cluster::kubectl(self.cluster, &line))
    }

    /// One object, as it is now.
    #[track_caller]
    fn get(&self, object: &str) -> Value {
        serde_json::from_str(&self.kubectl(&["get", object, "-o", "json"])).unwrap()
    }

    /// Everything that is in the release's namespace, or belongs to it, by name.
    fn all(&self) -> Vec<String> {
        const KINDS: &str = "deployments,services,serviceaccounts,roles,rolebindings,\
                             poddisruptionbudgets,networkpolicies,horizontalpodautoscalers,\
                             mutatingwebhookconfigurations,clusterroles,clusterrolebindings,\
                             configmaps";
        let by = "app.kubernetes.io/part-of=pillion";
        let names = self.kubectl(&["get", KINDS, "-l", by, "-o", "name"]);
        names.lines().map(str::to_owned).collect()
    }
}

/// The chart in another folder, whose definition of routes has one more column.
fn changed_chart(folder: &Path) -> String {
    let copied = Command::new("cp").arg("-r").arg(chart()).arg(folder).status().unwrap();
    assert!(copied.success());
    let chart = folder.join("pillion");
    let path = chart.join("files/crds/pillion.dev_llmroutes.yaml");
    let yaml = fs::read_to_string(&path).unwrap();
    let (column, under) =
        ("  - additionalPrinterColumns:\n", "    - {name: Extra, type: string, jsonPath: .kind}\n");
    assert!(yaml.contains(column));
    fs::write(path, yaml.replace(column, &format!("{column}{under}"))).unwrap();
    chart.display().to_string()
}

/// What the notes say to apply.
fn next_step(notes: &str) -> &str {
    notes.split("<<'YAML'\n").nth(1).unwrap().split("YAML\n").next().unwrap()
}

const WEBHOOK: &str = "mutatingwebhookconfiguration";
const ROUTES: &str = "crd/llmroutes.pillion.dev";

#[test]
fn a_release_is_installed_upgraded_rolled_back_and_removed() {
    let runtime = runtime();
    let cluster = runtime.block_on(private(Settings::default()));
    let ground = Ground::new(&runtime, &cluster);
    ground.kubectl(&["delete", ROUTES, "crd/providersecrets.pillion.dev"]);
    let chart = chart().display().to_string();
    let notes = ground.helm(&["install", "pillion", &chart], &[]);
    assert!(notes.contains("kubectl label namespace default pillion.dev/inject=true"), "{notes}");
    assert!(notes.contains(&format!("helm test pillion -n {}", ground.namespace)), "{notes}");
    ground.kubectl(&["wait", "--for=condition=Established", ROUTES, "--timeout=20s"]);
    runtime.block_on(cluster.apply(&ground.namespace, next_step(&notes))).unwrap();

    // The controller would do this.
    let webhook = format!("{WEBHOOK}/pillion.{}", ground.namespace);
    let patch = r#"[{"op": "add", "path": "/webhooks/0/clientConfig/caBundle", "value": "Q0E="}]"#;
    ground.kubectl(&["patch", &webhook, "--type=json", "-p", patch]);
    let first = ground.get("deployment/pillion");

    // Other values, and other definitions.
    let folder = tempfile::tempdir().unwrap();
    let changed = changed_chart(folder.path());
    let wishes = ["--set=controller.replicas=3", "--set=injection.logLevel=debug"];
    ground.helm(&["upgrade", "pillion", &changed], &wishes);
    let second = ground.get("deployment/pillion");
    assert_eq!((&first["spec"]["replicas"], &second["spec"]["replicas"]), (&json!(2), &json!(3)));
    let checksum = "/spec/template/metadata/annotations/checksum~1injection";
    assert_ne!(first.pointer(checksum), second.pointer(checksum));
    let injection = ground.get("configmap/pillion-injection").to_string();
    assert!(injection.contains("logLevel: debug"), "{injection}");
    let has_extra = || ground.get(ROUTES).to_string().contains("\"Extra\"");
    assert!(has_extra());
    let is_kept = || ground.get(&webhook)["webhooks"][0]["clientConfig"]["caBundle"] == "Q0E=";
    assert!(is_kept(), "an upgrade took the CA away");

    ground.helm(&["rollback", "pillion", "1"], &[]);
    assert_eq!(ground.get("deployment/pillion")["spec"]["replicas"], 2);
    assert!(!has_extra() && is_kept());
    assert_eq!(ground.get("llmroute/everything")["metadata"]["generation"], 1);

    // Nothing is left that stands in a pod's way; routes are, and their definitions.
    assert!(ground.all().len() > 8, "{:?}", ground.all());
    ground.helm(&["uninstall", "pillion"], &[]);
    assert_eq!(ground.all(), Vec::<String>::new());
    ground.get("llmroute/everything");

    // The same name takes the definitions over again; another one must say so.
    ground.helm(&["install", "pillion", &chart], &[]);
    let refused = ground.tried(&["install", "other", &chart], &[]).unwrap_err();
    assert!(refused.contains("\"llmroutes.pillion.dev\" in namespace \"\" exists"), "{refused}");
    ground.helm(&["uninstall", "pillion"], &[]);
    ground.helm(&["install", "other", &chart], &["--take-ownership"]);
}

/// A release that asks for kinds of others is refused as a whole where these are not there.
#[test]
fn kinds_of_others_must_be_there_before() {
    let runtime = runtime();
    let cluster = runtime.block_on(shared());
    let ground = Ground::new(&runtime, cluster);
    let chart = chart().display().to_string();
    let watched = format!("--set=watchNamespaces={{{}}}", ground.namespace);
    let wishes = [&*fixture("everything"), &watched];
    let refused = ground.tried(&["install", "pillion", &chart], &wishes).unwrap_err();
    for kind in ["Certificate", "ServiceMonitor", "PodMonitor"] {
        assert!(refused.contains(&format!("no matches for kind \"{kind}\"")), "{refused}");
    }
    assert!(refused.contains("ensure CRDs are installed first"), "{refused}");
    let here = ["get", "deployments,configmaps,serviceaccounts", "-o", "name"];
    assert_eq!(ground.kubectl(&here), "serviceaccount/default\n");

    runtime.block_on(cluster.apply("", &strangers())).unwrap();
    for name in ["certificates.cert-manager.io", "podmonitors.monitoring.coreos.com"] {
        ground.kubectl(&["wait", "--for=condition=Established", "crd", name, "--timeout=20s"]);
    }
    ground.helm(&["install", "pillion", &chart], &wishes);
    ground.helm(&["uninstall", "pillion"], &[]);
    accepts_every_case(&ground);
}

/// The API server's own validation, strictly; pods under the profile `restricted`.
fn accepts_every_case(ground: &Ground<'_>) {
    let (runtime, cluster) = (ground.runtime, ground.cluster);
    for namespace in ["pillion-system", "team-a", "team-b"] {
        let labels = json!({"pod-security.kubernetes.io/enforce": "restricted"});
        let metadata = json!({"name": namespace, "labels": labels});
        let yaml = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata});
        runtime.block_on(cluster.apply("", &yaml.to_string())).unwrap();
        runtime.block_on(cluster.service_account(namespace, "default")).unwrap();
    }
    for case in cases() {
        let yaml = rendered("pillion-system", &[&fixture(&case), "--no-hooks"]);
        let pods: Vec<String> = documents(&yaml).unwrap().iter().filter_map(pod).collect();
        assert!(!pods.is_empty());
        for yaml in [&yaml, &pods.join("\n---\n")] {
            let accepted = runtime.block_on(cluster.dry_run("pillion-system", yaml));
            accepted.unwrap_or_else(|error| panic!("{case}: {error:#}"));
        }
    }
}

/// What a Deployment would make.
fn pod(object: &DynamicObject) -> Option<String> {
    let template = object.data.get("spec")?.get("template")?;
    let mut pod = template.clone();
    pod["apiVersion"] = json!("v1");
    pod["kind"] = json!("Pod");
    pod["metadata"]["name"] = json!(object.name_any());
    // It need not be there for this.
    pod["spec"]["serviceAccountName"] = json!("default");
    Some(pod.to_string())
}
