//! `tests/fixtures/inject/CASE/`: `in.yaml` is a pod, `out.yaml` what is made of it, `out.txt` why it
//! is left or refused. `settings.yaml` stands beside it where the defaults do not do.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use pillion::feed::documents;
use pillion::inject::decide::{Decision, Served, Skip, decide};
use pillion::inject::patch::{self, Operation};
use pillion::inject::settings::Settings;
use serde_json::{Value, json};

use super::{read_settings, settings};
use crate::bless;

const CA: &str = "the CA";

struct Case {
    folder: PathBuf,
    pod: Value,
    settings: Settings,
}

impl Case {
    fn all() -> Vec<Self> {
        let entries = fs::read_dir("tests/fixtures/inject").unwrap();
        let mut folders: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
        folders.sort();
        assert!(folders.len() > 30);
        folders.into_iter().map(Self::read).collect()
    }

    fn read(folder: PathBuf) -> Self {
        let pod = yaml(&fs::read_to_string(folder.join("in.yaml")).unwrap());
        let settings = match fs::read_to_string(folder.join("settings.yaml")) {
            Ok(text) => read_settings(yaml(&text)),
            Err(_) => settings(),
        };
        Self { folder, pod, settings }
    }

    fn decide(&self, pod: &Value) -> (Decision, Vec<Operation>) {
        let decision = decide(pod, "shop", &self.settings, &Served::All);
        let operations = patch::operations(pod, &decision, CA);
        (decision, operations)
    }

    fn patched(&self) -> Value {
        let mut pod = self.pod.clone();
        patch::apply(&mut pod, &self.decide(&self.pod).1);
        pod
    }
}

pub(super) fn yaml(text: &str) -> Value {
    let mut documents = documents::values(text);
    assert_eq!(documents.len(), 1);
    documents.remove(0).unwrap()
}

#[test]
fn pods_become_what_the_fixtures_say() {
    for case in Case::all() {
        let (decision, _) = case.decide(&case.pod);
        let said = match decision {
            Decision::Inject(_) | Decision::Complete(_) => {
                let text = serde_saphyr::to_string(&case.patched()).unwrap();
                bless::check(&case.folder.join("out.yaml"), &text);
                continue;
            }
            Decision::Skip(skip) => format!("skipped ({}): {}\n", skip.label(), skip.text()),
            Decision::Refuse(fault) => format!("refused: {fault}\n"),
        };
        bless::check(&case.folder.join("out.txt"), &said);
    }
}

#[test]
fn twice_is_once() {
    for case in Case::all() {
        let (again, operations) = case.decide(&case.patched());
        assert!(operations.is_empty(), "{}: {operations:?}", case.folder.display());
        let first = case.decide(&case.pod).0;
        let is_done = matches!(again, Decision::Complete(_));
        let was_done = matches!(first, Decision::Inject(_) | Decision::Complete(_));
        assert_eq!(is_done, was_done, "{}", case.folder.display());
    }
}

/// The patch as the API server reads it, by another reader's hand.
#[test]
fn nothing_is_done_but_adding() {
    for case in Case::all() {
        let (_, operations) = case.decide(&case.pod);
        let written = serde_json::to_value(&operations).unwrap();
        for operation in written.as_array().unwrap() {
            assert_eq!(operation["op"], "add", "{}", case.folder.display());
        }
        let read: json_patch::Patch = serde_json::from_value(written).unwrap();
        let mut pod = case.pod.clone();
        json_patch::patch(&mut pod, &read).unwrap();
        assert_eq!(pod, case.patched(), "{}", case.folder.display());
        assert!(contains(&pod, &case.pod, ""), "{}", case.folder.display());
    }
}

/// Is all of `part` in `whole`, but for annotations of ours? Lists may have more items, in order.
fn contains(whole: &Value, part: &Value, name: &str) -> bool {
    match (whole, part) {
        (Value::Object(whole), Value::Object(part)) => part
            .iter()
            .all(|(name, part)| whole.get(name).is_some_and(|whole| contains(whole, part, name))),
        (Value::Array(whole), Value::Array(part)) => {
            let mut whole = whole.iter();
            part.iter().all(|part| whole.any(|whole| contains(whole, part, "")))
        }
        // `env: null` is none.
        (Value::Array(_), Value::Null) => true,
        (whole, part) => {
            whole == part || name == "pillion.dev/controller-ca" || name == "pillion.dev/injected"
        }
    }
}

#[test]
fn a_namespace_that_is_not_served_is_left_alone() {
    let pod = json!({ "spec": { "containers": [{ "name": "app" }] } });
    let served = Served::Only(BTreeSet::from(["shop".to_owned()]));
    let settings = settings();
    assert!(matches!(decide(&pod, "shop", &settings, &served), Decision::Inject(_)));
    let skip = decide(&pod, "elsewhere", &settings, &served);
    assert_eq!(skip, Decision::Skip(Skip::NamespaceNotServed));
}

#[test]
fn whatever_it_is_handed_it_does_not_fall_over() {
    for pod in [
        json!(null),
        json!([]),
        json!({ "metadata": [], "spec": 1 }),
        json!({ "metadata": { "labels": 1, "annotations": "x" }, "spec": { "containers": {} } }),
        json!({ "spec": { "containers": [1, null, { "env": 1, "envFrom": [1], "ports": [1] }] } }),
    ] {
        let decision = decide(&pod, "", &settings(), &Served::All);
        let mut patched = pod.clone();
        patch::apply(&mut patched, &patch::operations(&pod, &decision, CA));
    }
}
