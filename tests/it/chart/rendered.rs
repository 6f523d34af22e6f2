//! What the chart comes to: committed for each case of tests/fixtures/chart, and rules that hold for
//! all of it.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use kube::ResourceExt;
use kube::api::DynamicObject;
use pillion_cluster::{chart, documents};
use serde_json::{Value, json};

use super::{cases, fixture};
use crate::bless;
use crate::support::helm::{HELM, objects, refused, rendered};

/// Kinds of the chart that belong to no namespace.
const CLUSTER_SCOPED: [&str; 4] = [
    "ClusterRole",
    "ClusterRoleBinding",
    "CustomResourceDefinition",
    "MutatingWebhookConfiguration",
];

fn kind(object: &DynamicObject) -> &str {
    &object.types.as_ref().unwrap().kind
}

#[test]
fn each_case_renders_as_committed() {
    for case in cases() {
        let rendered = rendered("pillion-system", &[&fixture(&case)]);
        // The definitions are in crds/.
        let documents = rendered.split_inclusive("\n---\n");
        let but = |text: &&str| !text.contains("\nkind: CustomResourceDefinition\n");
        let rendered: String = documents.filter(but).collect();
        let path = Path::new("tests/fixtures/chart").join(case).join("rendered.yaml");
        bless::check(&path, &rendered);
    }
}

/// Helm writes `1.0` as `1`.
fn plain(value: &Value) -> Value {
    match value {
        Value::Number(number) => json!(number.as_f64()),
        Value::Array(items) => items.iter().map(plain).collect(),
        Value::Object(fields) => {
            fields.iter().map(|(key, value)| (key.clone(), plain(value))).collect()
        }
        Value::Null | Value::Bool(_) | Value::String(_) => value.clone(),
    }
}

#[test]
fn the_definitions_are_those_of_crds_and_are_kept() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("crds");
    let all = objects(&[]);
    let made = |name: &str| all.iter().find(|object| object.name_any() == name).unwrap();
    let mut files = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let yaml = fs::read_to_string(&path).unwrap();
        bless::check(&chart().join("files/crds").join(path.file_name().unwrap()), &yaml);
        for definition in documents(&yaml).unwrap() {
            let made = made(&definition.name_any());
            assert_eq!(plain(&made.data), plain(&definition.data));
            assert_eq!(made.annotations()["helm.sh/resource-policy"], "keep");
        }
        files += 1;
    }
    let copies = fs::read_dir(chart().join("files/crds")).unwrap().count();
    assert_eq!(copies, files, "files/crds has what crds/ has not");
    let without = objects(&["--set=crds.install=false"]);
    assert!(without.iter().all(|object| kind(object) != "CustomResourceDefinition"));
}

#[test]
fn everything_says_what_it_is_part_of() {
    for case in cases() {
        for object in objects(&[&fixture(&case)]) {
            let name = format!("{case}: {} {}", kind(&object), object.name_any());
            let labels = object.labels();
            for label in ["name", "instance", "component", "part-of", "version", "managed-by"] {
                let label = format!("app.kubernetes.io/{label}");
                assert!(labels.contains_key(&label), "{name} has no label {label}");
            }
            assert!(labels.contains_key("helm.sh/chart"), "{name}");
            let ours = &object.data["spec"]["template"]["metadata"]["labels"];
            assert!(ours.is_null() || ours["pillion.dev/inject"] == "false", "{name}");
        }
    }
}

#[test]
fn nothing_is_made_in_other_namespaces_but_what_those_need() {
    for case in cases() {
        for object in objects(&[&fixture(&case)]) {
            let (kind, namespace) = (kind(&object), object.namespace());
            if CLUSTER_SCOPED.contains(&kind) {
                assert_eq!(namespace, None, "{case}: {kind}");
                continue;
            }
            let namespace = namespace.unwrap_or_else(|| panic!("{case}: a {kind} anywhere"));
            let needed = kind == "RoleBinding" || object.name_any().ends_with("-test");
            assert!(namespace == "pillion-system" || needed, "{case}: a {kind} in {namespace}");
        }
    }
}

/// What tells the objects of a release: kind, namespace, name.
fn names(release: &str, namespace: &str) -> BTreeSet<[String; 3]> {
    let chart = chart().display().to_string();
    let line = ["template", release, &chart, "--namespace", namespace, "--kube-version=1.36.0"];
    let wishes = ["--set=crds.install=false", "--set=gateway.enabled=true"];
    let output = HELM.run(&[&line[..], &wishes].concat()).unwrap();
    let objects = documents(&String::from_utf8(output.stdout).unwrap()).unwrap();
    assert!(objects.len() > 10, "{}", String::from_utf8_lossy(&output.stderr));
    let named = |object: &DynamicObject| {
        [kind(object).to_owned(), object.namespace().unwrap_or_default(), object.name_any()]
    };
    objects.iter().map(named).collect()
}

#[test]
fn releases_do_not_touch_each_other() {
    let releases = [("a", "b-c"), ("a-b", "c"), ("a", "c"), ("pillion", "c"), ("a.b", "d")];
    let all: Vec<_> = releases.iter().map(|(release, at)| names(release, at)).collect();
    for (number, one) in all.iter().enumerate() {
        for other in &all[..number] {
            assert!(one.is_disjoint(other), "{:?}", one.intersection(other));
        }
    }
    let long = names(&"r".repeat(53), "pillion-system");
    assert!(long.iter().all(|[_, _, name]| name.split('.').all(|part| part.len() <= 63)));
}

#[test]
fn a_kubernetes_without_native_sidecars_is_refused() {
    let said = refused(&["--kube-version=1.28.15"]);
    assert!(said.contains("requires kubeVersion: >=1.29.0-0"), "{said}");
    rendered("pillion-system", &["--kube-version=1.29.0"]);
    rendered("pillion-system", &["--kube-version=1.33.1-gke.100"]);
}

#[test]
fn the_chart_installs_the_version_that_it_came_with() {
    let image = format!("image: \"ghcr.io/pillion-dev/pillion:{}\"", env!("CARGO_PKG_VERSION"));
    let rendered = rendered("pillion-system", &["--set=gateway.enabled=true"]);
    // Controller, gateway, sidecars, `helm test`.
    assert_eq!(rendered.matches(&image).count(), 4);
}

/// The webhook's name for itself, the certificate's and the sidecars' are the same.
#[test]
fn another_name_is_in_the_certificate_that_the_controller_makes() {
    let arguments = |objects: &[DynamicObject]| -> Vec<Value> {
        let deployment = objects.iter().find(|object| kind(object) == "Deployment").unwrap();
        let container = &deployment.data["spec"]["template"]["spec"]["containers"][0];
        container["args"].as_array().unwrap().clone()
    };
    let other = arguments(&objects(&["--set=fullnameOverride=edge"]));
    let name = "--tls-name=edge.pillion-system.svc,edge.pillion-system.svc.cluster.local";
    assert!(other.iter().any(|argument| argument == name), "{other:?}");
    let usual = arguments(&objects(&[]));
    let names = |argument: &&Value| argument.as_str().unwrap().starts_with("--tls-name");
    assert_eq!(usual.iter().find(names), None);
}
