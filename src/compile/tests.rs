//! Manifests in, faults and routing out. A world is written as YAML whose keys are `Kind ns/name`
//! (`@7` behind it: made in second 7) and whose values are specs, a Secret's data, or a
//! Namespace's labels.

use std::collections::BTreeMap;

use http::{HeaderMap, HeaderName, HeaderValue};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::Timestamp;
use serde_norway::{Mapping, Value};

use super::*;
use crate::api::{LlmRoute, ProviderSecret};
use crate::llm::Api;
use crate::secret::{Digest, Secret};
use crate::table::{
    Action, CallPath, ClientCredentials, Credential, Facts, Match, Plan, Scheme, Suffix,
};

mod hold;
mod models;
mod providers;
mod routes;

fn world(yaml: &str) -> World {
    let mut world = World::default();
    let objects: Mapping = serde_norway::from_str(yaml).unwrap();
    for (key, value) in objects {
        let key = key.as_str().unwrap();
        let (kind, name) = key.split_once(' ').unwrap();
        let (name, created) = name.split_once('@').unwrap_or((name, ""));
        let (namespace, name) = name.split_once('/').unwrap_or(("", name));
        add(&mut world, kind, (namespace, name, created), value);
    }
    world
}

fn add(
    world: &mut World,
    kind: &str,
    (namespace, name, created): (&str, &str, &str),
    value: Value,
) {
    let object = |object: &mut kube::core::ObjectMeta| {
        object.namespace = Some(namespace.to_owned());
        let second = created.parse().ok();
        object.creation_timestamp = second.map(|s| Time(Timestamp::from_second(s).unwrap()));
    };
    match kind {
        "LlmRoute" => {
            let mut route = LlmRoute::new(name, serde_norway::from_value(value).unwrap());
            object(&mut route.metadata);
            world.routes.push(route);
        }
        "ProviderSecret" => {
            let spec = serde_norway::from_value(value).unwrap();
            let mut provider = ProviderSecret::new(name, spec);
            object(&mut provider.metadata);
            world.providers.push(provider);
        }
        "Secret" => {
            let data: BTreeMap<String, String> = serde_norway::from_value(value).unwrap();
            let data = data.into_iter();
            let keys = data.map(|(name, key)| (name, Secret::new(key.as_bytes())));
            let id = (namespace.to_owned(), name.to_owned());
            world.secrets.insert(id, keys.collect());
        }
        "Namespace" => {
            let labels = serde_norway::from_value(value).unwrap();
            world.namespaces.insert(name.to_owned(), labels);
        }
        other => panic!("unknown kind {other}"),
    }
}

/// Compiles, and checks every fault: `Severity Kind ns/name path: message`.
#[track_caller]
fn check(yaml: &str, expected: &[&str]) -> Compiled {
    let world = world(yaml);
    let compiled = compile(&world);
    assert_eq!(shown(&compiled.faults), expected);
    for fault in &compiled.faults {
        for text in [&fault.message, &fault.remedy] {
            assert!(!text.is_empty() && !text.ends_with('.'), "{text}");
        }
    }
    assert_same_in_any_order(world, &compiled);
    compiled
}

fn shown(faults: &[Fault]) -> Vec<String> {
    let faults = faults.iter();
    faults.map(|f| format!("{:?} {} {}: {}", f.severity, f.object, f.path, f.message)).collect()
}

fn assert_same_in_any_order(mut world: World, expected: &Compiled) {
    world.routes.reverse();
    world.providers.reverse();
    let compiled = compile(&world);
    assert_eq!(compiled.faults, expected.faults);
    assert_eq!(compiled.table.version, expected.table.version);
    let order = |compiled: &Compiled| {
        let candidates = compiled.table.candidates.iter();
        candidates.map(|c| (c.rule.route.clone(), c.rule_index, c.index)).collect::<Vec<_>>()
    };
    assert_eq!(order(&compiled), order(expected));
}

/// Where a call goes: `API model [header=value|key:KEY]…`, `-` for no model.
fn route(compiled: &Compiled, call: &str) -> String {
    let mut words = call.split(' ');
    let api = words.next().unwrap();
    let api = *Api::ALL.iter().find(|a| a.as_str() == api).unwrap();
    let model = words.next().filter(|model| *model != "-");
    let mut headers = HeaderMap::new();
    let mut credentials = Vec::new();
    for word in words {
        match (word.split_once(':'), word.split_once('=')) {
            (Some((_, key)), _) => credentials.push(Digest::of(key.as_bytes())),
            (_, Some((name, value))) => {
                let name: HeaderName = name.parse().unwrap();
                headers.append(name, HeaderValue::from_str(value).unwrap());
            }
            _ => panic!("{word}"),
        }
    }
    let facts = Facts { api, model, headers: &headers, credentials: &credentials };
    match compiled.table.candidates.lookup(&facts) {
        Match::None => "none".to_owned(),
        Match::Unauthorized(rule) => format!("401 {}", rule.route),
        Match::Rule { rule, .. } => match &rule.action {
            Action::Refuse(why) => format!("503 {}: {why}", rule.route),
            Action::Forward(forwarding) => match &forwarding.plans[api as usize] {
                None => format!("{} does not serve it", rule.route),
                Some(plans) => {
                    let plans = plans.iter();
                    let plans = plans.map(|(weight, p)| format!("{weight} {}", plan(p, model)));
                    plans.collect::<Vec<_>>().join(" | ")
                }
            },
        },
    }
}

/// `URL [as model] account(credential)…`; `/-` stands for the operation.
fn plan(plan: &Plan, model: Option<&str>) -> String {
    let rename = plan.rename.as_ref().map(|rename| &*rename.name);
    let call = CallPath {
        version: "v1",
        suffix: Suffix::AsSent("/-"),
        model: rename.or(model),
        query: None,
    };
    let target = plan.endpoint.path_and_query(call, None).unwrap();
    let scheme = match plan.endpoint.origin.scheme {
        Scheme::Http => "http",
        Scheme::Https => "https",
    };
    let rename = rename.map_or(String::new(), |model| format!(" as {model}"));
    let accounts = plan.accounts.iter().map(|(weight, account)| {
        let credential = credential(&account.credential);
        match weight {
            1 => format!(" {}({credential})", account.name),
            weight => format!(" {}*{weight}({credential})", account.name),
        }
    });
    let accounts: String = accounts.collect();
    let authority = &plan.endpoint.origin.authority;
    let to = plan.translated_to().map_or(String::new(), |api| format!(" translated to {api}"));
    format!("{scheme}://{authority}{target}{rename}{accounts}{to}")
}

fn credential(credential: &Credential) -> String {
    match credential {
        Credential::None => String::new(),
        Credential::Header { name, value } => {
            assert!(value.is_sensitive());
            format!("{name}: {}", value.to_str().unwrap())
        }
        Credential::Query { name, value } => {
            let mut text = format!("?{name}=");
            value.append_to(&mut text);
            text
        }
    }
}

#[test]
fn an_empty_world_compiles() {
    let compiled = check("{}", &[]);
    assert_eq!(route(&compiled, "OpenAiChat m"), "none");
}

#[test]
fn the_version_is_the_content() {
    let yaml = "
        ProviderSecret ns/p@1: {provider: OpenAi, keys: [{name: a, secretRef: {name: s, key: k}}]}
        LlmRoute ns/r@1: {rules: [{targets: [{provider: {name: p}}]}]}
        Secret ns/s: {k: sk-1}
        Namespace ns: {a: b}";
    let version = |yaml: &str| compile(&world(yaml)).table.version;
    let first = version(yaml);
    assert!(first.len() == 16 && first.bytes().all(|b| b.is_ascii_hexdigit()));
    assert_eq!(version(yaml), first);
    for (from, to) in [
        ("sk-1", "sk-2"),
        ("{k: sk-1}", "{k: ''}"),
        ("OpenAi", "Groq"),
        ("r@1", "r@2"),
        ("ns/r", "ns/q"),
        ("{a: b}", "{a: c}"),
    ] {
        assert_ne!(version(&yaml.replacen(from, to, 1)), first, "{from} -> {to}");
    }
}

#[test]
fn names_that_kubernetes_would_refuse_are_left_out() {
    let compiled = check(
        "
        ProviderSecret ns/P_1: {provider: OpenAi}
        LlmRoute NS/r: {rules: [{targets: [{provider: {name: p}}]}]}",
        &[
            "Error LlmRoute NS/r metadata.namespace: the namespace must consist of lower case \
             letters, digits, '-' and '.', and begin and end with a letter or digit",
            "Error ProviderSecret ns/P_1 metadata.name: the name must consist of lower case \
             letters, digits, '-' and '.', and begin and end with a letter or digit",
        ],
    );
    assert_eq!(compiled.table.candidates.iter().count(), 0);
}
