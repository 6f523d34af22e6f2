//! Each example on a real cluster: the controller has nothing to say against it.

use std::fs;
use std::path::Path;

use pillion::api::{LlmRoute, ProviderSecret};
use pillion_cluster::documents;
use serde_json::Value;

use super::stage::Stage;
use crate::support::yaml::key;

/// Every Secret and key that something in the object refers to.
fn referred(value: &Value, found: &mut Vec<(String, String)>) {
    if let Value::Object(fields) = value {
        for name in ["secretRef", "keyRef"] {
            if let Some(reference) = fields.get(name) {
                let word = |field: &str| reference[field].as_str().unwrap().to_owned();
                found.push((word("name"), word("key")));
            }
        }
        fields.values().for_each(|value| referred(value, found));
    }
    if let Value::Array(items) = value {
        items.iter().for_each(|item| referred(item, found));
    }
}

#[test]
fn every_example_is_accepted_and_resolved() {
    let stage = Stage::new();
    let _controller = stage.controller("one");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let mut count = 0;
    for example in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if !example.is_dir() {
            continue;
        }
        let files = fs::read_dir(&example).unwrap().map(|entry| entry.unwrap().path());
        let texts: Vec<String> = files.map(|path| fs::read_to_string(path).unwrap()).collect();
        let text = texts.join("\n---\n");
        accepted(&stage, &text);
        count += 1;
    }
    assert!(count > 4, "{count} examples");
}

fn accepted(stage: &Stage, text: &str) {
    let objects = documents(text).unwrap();
    let mut keys = Vec::new();
    objects.iter().for_each(|object| referred(&object.data, &mut keys));
    stage.apply(text);
    for (name, of) in keys {
        stage.secret(&name, &of, &key(&of));
    }
    for object in &objects {
        let name = object.metadata.name.as_deref().unwrap();
        match object.types.as_ref().unwrap().kind.as_str() {
            "LlmRoute" => {
                stage.until_said(name, "Accepted", "Accepted");
                stage.until_said(name, "ResolvedRefs", "ResolvedRefs");
            }
            "ProviderSecret" => {
                let says = |provider: &ProviderSecret, of: &str| {
                    let conditions = provider.status.as_ref().map(|status| &status.conditions);
                    conditions.is_some_and(|conditions| {
                        let mut conditions = conditions.iter();
                        conditions.any(|it| it.type_ == of && it.reason == of)
                    })
                };
                let wanted = |provider: &ProviderSecret| {
                    says(provider, "Accepted") && says(provider, "ResolvedRefs")
                };
                stage.until::<ProviderSecret>(name, wanted);
            }
            _ => {}
        }
    }
    for object in &objects {
        let name = object.metadata.name.as_deref().unwrap();
        match object.types.as_ref().unwrap().kind.as_str() {
            "LlmRoute" => stage.delete::<LlmRoute>(name),
            "ProviderSecret" => stage.delete::<ProviderSecret>(name),
            _ => {}
        }
    }
}
