use std::collections::BTreeMap;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::api::{LlmRoute, ProviderSecret};
use crate::compile::compile;
use crate::secret::Secret;
use crate::table::dump;

const CANARY: &str = "c4n4ry7Q2xV9";

/// Route, provider: every field that there is.
fn every_field() -> (Value, Value) {
    let selector = json!({
        "matchLabels": {"app": "chat"},
        "matchExpressions": [{"key": "tier", "operator": "In", "values": ["a"]}],
    });
    let route = json!({
        "workloads": {"podSelector": selector},
        "clients": [{"name": "team", "keyRef": {"name": "s", "key": "k"}}],
        "rules": [{
            "name": "first",
            "matches": [{
                "model": "m*", "api": "OpenAiChat",
                "headers": [{"name": "x-team", "value": "a"}],
            }],
            "targets": [{
                "provider": {"name": "p", "namespace": "a"}, "model": "other", "weight": 3,
            }],
            "timeouts": {"connect": "1s", "firstByte": "2s", "idle": "3s", "keepAlive": "1s"},
        }],
    });
    let provider = json!({
        "provider": "Custom",
        "parameters": {"region": "eu"},
        "endpoints": [{
            "api": "OpenAiChat", "baseUrl": "http://one/v1",
            "auth": {"type": "ApiKeyHeader", "name": "x-key"},
        }],
        "auth": {"type": "Bearer"},
        "keys": [{"name": "main", "secretRef": {"name": "s", "key": "k"}, "weight": 2}],
        "clientCredentials": "Forward",
        "headers": {"set": {"x-a": "b"}, "remove": ["x-c"]},
        "allowedRoutes": {"namespaces": {"from": "Selector", "selector": selector}},
        "models": [{"name": "m1", "displayName": "M"}],
        "tls": {"caBundle": "no certificate"},
        "streamUsage": "AsSent",
    });
    (route, provider)
}

fn route(name: &str, spec: Value) -> LlmRoute {
    let mut route = LlmRoute::new(name, serde_json::from_value(spec).unwrap());
    route.metadata.namespace = Some("a".to_owned());
    route
}

fn provider(name: &str, spec: Value) -> ProviderSecret {
    let mut provider = ProviderSecret::new(name, serde_json::from_value(spec).unwrap());
    provider.metadata.namespace = Some("a".to_owned());
    provider
}

fn full_world() -> World {
    let (route_spec, provider_spec) = every_field();
    let mut made = route("r", route_spec);
    made.metadata.creation_timestamp = Some(Time(Timestamp::from_nanosecond(5).unwrap()));
    let mut world = World::default();
    world.routes.push(made);
    world.providers.push(provider("p", provider_spec));
    let key = Secret::new(format!("sk-\"{CANARY}\\").as_bytes());
    let keys = [("k", key), ("empty", Secret::new(b"")), ("odd", Secret::new(b"a b"))];
    let keys = keys.map(|(name, key)| (name.to_owned(), key));
    world.secrets.insert(("a".to_owned(), "s".to_owned()), keys.into());
    let labels = BTreeMap::from([("team".to_owned(), "x".to_owned())]);
    world.namespaces.insert("a".to_owned(), labels);
    world
}

#[track_caller]
fn assert_survives(world: &World) {
    let line = encode(world);
    assert_eq!(memchr::memchr(b'\n', &line), Some(line.len() - 1), "one line");
    let bundle = decode(&line).unwrap();
    assert_eq!(bundle.version, version_of(world));
    assert_eq!(claimed_version(&line), bundle.version);
    assert_eq!(encode(&bundle.world), line);
    let (before, after) = (compile(world), compile(&bundle.world));
    assert_eq!(after.faults, before.faults);
    assert_eq!(dump::text(&after.table), dump::text(&before.table));
}

#[test]
fn a_world_survives_the_journey() {
    assert_survives(&World::default());
    assert_survives(&full_world());
}

fn maybe(value: Value) -> impl Strategy<Value = Option<Value>> {
    prop::option::of(Just(value))
}

/// Some of the members of an object that has every field, and always those that it needs.
fn some_of(full: Value, needed: &'static [&'static str]) -> impl Strategy<Value = Value> {
    let members: Vec<(String, Value)> = full.as_object().unwrap().clone().into_iter().collect();
    let strategies: Vec<_> =
        members.into_iter().map(|(name, value)| (Just(name), maybe(value))).collect();
    let whole = full;
    strategies.prop_map(move |members| {
        let mut object = serde_json::Map::new();
        for (name, value) in members {
            let value =
                value.or_else(|| needed.contains(&name.as_str()).then(|| whole[&name].clone()));
            object.extend(value.map(|value| (name, value)));
        }
        Value::Object(object)
    })
}

fn key() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        "[!-~]{1,20}".prop_map(String::into_bytes),
        prop::collection::vec(any::<u8>(), 0..4)
    ]
}

prop_compose! {
    fn routes()(
        specs in prop::collection::btree_map(
            "[a-z]{1,3}", (some_of(every_field().0, &["rules"]), prop::option::of(any::<i32>())), 0..4,
        ),
        model in "[a-z*]{1,4}",
    ) -> Vec<LlmRoute> {
        let make = |(name, (mut spec, created)): (String, (Value, Option<i32>))| {
            spec["rules"][0]["matches"][0]["model"] = model.clone().into();
            let mut route = route(&name, spec);
            let time = |second| Time(Timestamp::from_second(i64::from(second)).unwrap());
            route.metadata.creation_timestamp = created.map(time);
            route
        };
        // The order is not what decides.
        specs.into_iter().map(make).rev().collect()
    }
}

prop_compose! {
    fn worlds()(
        routes in routes(),
        providers in prop::collection::btree_map(
            "[op]", some_of(every_field().1, &["provider"]), 0..3,
        ),
        secrets in prop::collection::btree_map(
            "[st]", prop::collection::btree_map("[kl]", key(), 0..3), 0..3,
        ),
        labels in prop::collection::btree_map("[ab]", prop::collection::btree_map(".", ".", 0..2), 0..2),
    ) -> World {
        let secrets = secrets.into_iter().map(|(name, keys)| {
            let keys = keys.into_iter().map(|(name, key)| (name, Secret::new(&key)));
            (("a".to_owned(), name), keys.collect())
        });
        World {
            routes,
            providers: providers.into_iter().map(|(name, spec)| provider(&name, spec)).collect(),
            secrets: secrets.collect(),
            namespaces: labels,
            ..World::default()
        }
    }
}

proptest! {
    #[test]
    fn any_world_survives_the_journey(world in worlds()) {
        assert_survives(&world);
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        prop_assert!(decode(&bytes).is_err());
    }

    #[test]
    fn a_line_that_was_cut_is_refused(share in 0.0..1.0f64) {
        let line = encode(&full_world());
        let length = (line.len() as f64 * share) as usize;
        // Without the line feed it is whole.
        prop_assume!(length < line.len() - 1);
        prop_assert!(matches!(decode(&line[..length]), Err(DecodeError::Malformed(_))));
    }
}

/// A way to an object in a JSON tree.
type Place = Vec<String>;

/// Every object of the tree; maps, whose names are anybody's, are marked.
fn objects(value: &Value, place: &Place, found: &mut Vec<(Place, bool)>) {
    const MAPS: [&str; 6] = ["keys", "namespaces", "parameters", "set", "matchLabels", "a"];
    let below = |name: String| [place.clone(), vec![name]].concat();
    match value {
        Value::Object(members) => {
            let name = place.last().map(String::as_str).unwrap_or_default();
            // `allowedRoutes.namespaces` is none, though its name is another one's.
            let is_map = MAPS.contains(&name) && !members.contains_key("from");
            found.push((place.clone(), is_map));
            members.iter().for_each(|(name, value)| objects(value, &below(name.clone()), found));
        }
        Value::Array(items) => {
            let items = items.iter().enumerate();
            items.for_each(|(index, value)| objects(value, &below(index.to_string()), found));
        }
        _ => {}
    }
}

fn at<'v>(value: &'v mut Value, place: &Place) -> &'v mut serde_json::Map<String, Value> {
    let pointer: String =
        place.iter().map(|part| format!("/{}", part.replace('/', "~1"))).collect();
    value.pointer_mut(&pointer).unwrap().as_object_mut().unwrap()
}

#[track_caller]
fn refused(bundle: &Value) -> DecodeError {
    let error = decode(&serde_json::to_vec(bundle).unwrap()).unwrap_err();
    assert!(!format!("{error} {error:?}").contains(CANARY), "{error:?}");
    error
}

#[test]
fn fault_40_every_field_that_is_added_or_renamed_or_gone_is_refused() {
    let bundle: Value = serde_json::from_slice(&encode(&full_world())).unwrap();
    let mut found = Vec::new();
    objects(&bundle, &Vec::new(), &mut found);
    assert!(found.len() > 30, "{}", found.len());
    for (place, is_map) in found {
        let mut added = bundle.clone();
        at(&mut added, &place).insert("surprise".to_owned(), CANARY.into());
        let error = refused(&added);
        // serde_json takes a second member of a key, `{"value": …}`, for bad syntax.
        let is_key = place.len() == 4 && place[0] == "secrets";
        let known = is_map || is_key || matches!(&error, DecodeError::Unknown(_));
        assert!(known, "{place:?}: {error:?}");
        for name in at(&mut bundle.clone(), &place).keys() {
            let mut renamed = bundle.clone();
            let members = at(&mut renamed, &place);
            let value = members.remove(name).unwrap();
            refused(&renamed);
            at(&mut renamed, &place).insert(format!("{name}X"), value);
            refused(&renamed);
        }
    }
}

#[test]
fn what_is_wrong_is_named_and_never_quoted() {
    let bundle: Value = serde_json::from_slice(&encode(&full_world())).unwrap();
    let with = |pointer: &str, value: Value| {
        let mut bundle = bundle.clone();
        *bundle.pointer_mut(pointer).unwrap() = value;
        refused(&bundle)
    };
    let unknown = |path: &str| DecodeError::Unknown(path.to_owned());
    let canary = || Value::from(CANARY);
    assert_eq!(with("/format", 2.into()), unknown("format"));
    assert_eq!(with("/routes/0/spec/rules", canary()), unknown("routes[0].spec.rules"));
    assert_eq!(with("/providers/0/spec/provider", canary()), unknown("providers[0].spec.provider"));
    let key = "/secrets/0/keys/k/value";
    assert_eq!(with(key, format!("{CANARY} b").into()), unknown("secrets[0].keys.k.value"));
    assert_eq!(with(key, json!({ CANARY: 1 })), unknown("secrets[0].keys.k.value"));
    assert_eq!(with(key, CANARY.into()), DecodeError::Corrupt);
    let time = DecodeError::Malformed("routes[0].creationTimestamp".to_owned());
    assert_eq!(with("/routes/0/creationTimestamp", canary()), time);
    let twice = bundle["routes"][0].clone();
    let name = DecodeError::Malformed("routes[1].name".to_owned());
    assert_eq!(with("/routes", json!([twice, twice])), name);
    assert_eq!(with("/version", "0".repeat(16).into()), DecodeError::Corrupt);
}

#[test]
fn a_future_format_is_told_as_one_whatever_else_it_has() {
    let line = br#"{"format":2,"version":"0123456789abcdef","objects":[]}"#;
    assert_eq!(decode(line).err(), Some(DecodeError::Unknown("format".to_owned())));
    assert_eq!(claimed_version(line), "0123456789abcdef");
    // What is no version is not passed on.
    let line = format!(r#"{{"format":2,"version":"{CANARY}"}}"#);
    assert_eq!(claimed_version(line.as_bytes()), "");
    assert_eq!(claimed_version(b"{"), "");
}

#[test]
fn long_paths_are_cut() {
    let line = format!(r#"{{"format":1,"{}":0}}"#, "x".repeat(1000));
    let error = decode(line.as_bytes()).unwrap_err().to_string();
    assert!(error.len() < 400, "{error}");
}

#[test]
fn nothing_shows_a_key() {
    let line = encode(&full_world());
    let bundle = decode(&line).unwrap();
    let compiled = compile(&bundle.world);
    let shown = format!("{bundle:?} {compiled:?} {}", dump::text(&compiled.table));
    assert!(String::from_utf8_lossy(&line).contains(CANARY));
    assert!(!shown.contains(CANARY), "{shown}");
}
