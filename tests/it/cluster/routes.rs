//! LlmRoutes that break one rule each.

use serde_json::{Value, json};

use super::refused::{Case, bad, good, with};
use pillion::api::{CONNECTION_HEADERS, CREDENTIAL_HEADERS};

const NAME: &str = "spec.rules[0].name";

pub(super) fn cases() -> Vec<Case> {
    [routes(), matches(), headers(), targets(), timeouts(), clients(), workloads()]
        .into_iter()
        .flatten()
        .collect()
}

/// A route of one rule that takes every call, with these fields of its own.
fn rule(fields: Value) -> Value {
    rules(vec![fields])
}

fn rules(each: Vec<Value>) -> Value {
    let targets = json!({"targets": [{"provider": {"name": "p"}}]});
    let rules: Vec<Value> = each.into_iter().map(|fields| with(targets.clone(), fields)).collect();
    json!({"rules": rules})
}

fn matching(fields: Value) -> Value {
    rule(json!({"matches": [fields]}))
}

fn target(fields: Value) -> Value {
    rule(json!({"targets": [with(json!({"provider": {"name": "p"}}), fields)]}))
}

fn client(name: &str) -> Value {
    json!({"name": name, "keyRef": {"name": "keys", "key": "a"}})
}

fn selector(fields: Value) -> Value {
    with(rule(json!({})), json!({"workloads": {"podSelector": fields}}))
}

fn routes() -> Vec<Case> {
    vec![
        good(rule(json!({}))),
        bad(json!({}), "spec.rules: Required value"),
        bad(rules(vec![]), "spec.rules: should have at least 1 items"),
        bad(rules(vec![json!({}); 65]), "spec.rules: must have at most 64 items"),
        good(rules(vec![json!({"name": "a"}), json!({"name": "b"}), json!({}), json!({})])),
        bad(
            rules(vec![json!({"name": "a"}), json!({}), json!({"name": "a"})]),
            "spec.rules: names of rules must be unique",
        ),
        bad(rule(json!({"name": "a b"})), "spec.rules[0].name: should match"),
        Case {
            spec: rule(json!({"name": "a".repeat(64)})),
            expected: Some((NAME, "may not be more than 63 bytes")),
        },
    ]
}

fn matches() -> Vec<Case> {
    const MODEL: &str = "spec.rules[0].matches[0].model";
    let mut cases: Vec<Case> = ["*", "claude-*", "*-mini", "a b", "z-ai/glm-4.5-air"]
        .map(|model| good(matching(json!({"model": model}))))
        .into();
    cases.extend(["a*b", "**", "*a*", "a\nb", "a\u{7f}"].map(|model| Case {
        spec: matching(json!({"model": model})),
        expected: Some((MODEL, "should match")),
    }));
    cases.extend([
        Case {
            spec: matching(json!({"model": "a".repeat(257)})),
            expected: Some((MODEL, "may not be more than 256 bytes")),
        },
        bad(
            rule(json!({"matches": vec![json!({}); 33]})),
            "spec.rules[0].matches: must have at most 32 items",
        ),
        bad(
            matching(json!({"api": "OpenAI"})),
            "spec.rules[0].matches[0].api: supported values: \"OpenAiChat\", \"OpenAiResponses\"",
        ),
    ]);
    cases
}

fn headers() -> Vec<Case> {
    const NAME: &str = "spec.rules[0].matches[0].headers[0].name";
    let header = |fields: Value| matching(json!({"headers": [fields]}));
    let reserved = CONNECTION_HEADERS.into_iter().chain(CREDENTIAL_HEADERS);
    let reserved = reserved.chain(["Host", "X-API-Key", "Proxy-Authorization"]);
    let mut cases: Vec<Case> = reserved
        .map(|name| Case {
            spec: header(json!({"name": name})),
            expected: Some((
                NAME,
                "a header of the connection or with a credential cannot be matched",
            )),
        })
        .collect();
    cases.extend([":authority", "a b", "a\r\nb", "schl\u{fc}ssel"].map(|name| Case {
        spec: header(json!({"name": name})),
        expected: Some((NAME, "should match")),
    }));
    cases.extend([
        good(header(json!({"name": "X-Team", "value": "a"}))),
        bad(header(json!({})), "spec.rules[0].matches[0].headers[0].name: Required value"),
        bad(
            header(json!({"name": "x", "value": " a"})),
            "spec.rules[0].matches[0].headers[0].value: should match",
        ),
        bad(
            header(json!({"name": "x", "value": "a".repeat(1025)})),
            "spec.rules[0].matches[0].headers[0].value: may not be more than 1024 bytes",
        ),
        bad(
            matching(json!({"headers": vec![json!({"name": "x"}); 9]})),
            "spec.rules[0].matches[0].headers: must have at most 8 items",
        ),
    ]);
    cases
}

fn targets() -> Vec<Case> {
    vec![
        good(target(json!({"weight": 0}))),
        good(target(json!({"weight": 1_000_000, "model": "z-ai/glm-4.5-air"}))),
        bad(rule(json!({"targets": []})), "spec.rules[0].targets: should have at least 1 items"),
        bad(
            rule(json!({"targets": vec![json!({"provider": {"name": "p"}}); 17]})),
            "spec.rules[0].targets: must have at most 16 items",
        ),
        bad(json!({"rules": [{}]}), "spec.rules[0].targets: Required value"),
        bad(rule(json!({"targets": [{}]})), "spec.rules[0].targets[0].provider: Required value"),
        bad(
            target(json!({"provider": {}})),
            "spec.rules[0].targets[0].provider.name: Required value",
        ),
        bad(
            target(json!({"provider": {"name": "P"}})),
            "spec.rules[0].targets[0].provider.name: should match",
        ),
        bad(
            target(json!({"provider": {"name": "p", "namespace": "a.b"}})),
            "spec.rules[0].targets[0].provider.namespace: should match",
        ),
        bad(
            target(json!({"weight": -1})),
            "spec.rules[0].targets[0].weight: should be greater than or equal to 0",
        ),
        bad(
            target(json!({"weight": 1_000_001})),
            "spec.rules[0].targets[0].weight: should be less than or equal to 1000000",
        ),
        bad(
            target(json!({"weight": "1"})),
            "spec.rules[0].targets[0].weight: must be of type integer",
        ),
        bad(target(json!({"model": "a*"})), "spec.rules[0].targets[0].model: should match"),
    ]
}

fn timeouts() -> Vec<Case> {
    let mut cases = Vec::new();
    for (field, path) in [
        ("connect", "spec.rules[0].timeouts.connect"),
        ("firstByte", "spec.rules[0].timeouts.firstByte"),
        ("idle", "spec.rules[0].timeouts.idle"),
        ("keepAlive", "spec.rules[0].timeouts.keepAlive"),
    ] {
        let timeout = |text: &str| rule(json!({"timeouts": {field: text}}));
        cases.extend(["1ms", "1h30m", "120s"].map(|text| good(timeout(text))));
        for (text, message) in [
            ("0s", "must be more than 0s"),
            ("0h0ms", "must be more than 0s"),
            ("5", "should match"),
            ("-5s", "should match"),
            ("1.5s", "should match"),
            ("123456s", "should match"),
            ("99999h99999m99999s99999ms99999999", "may not be more than 32 bytes"),
        ] {
            cases.push(Case { spec: timeout(text), expected: Some((path, message)) });
        }
    }
    cases
}

fn clients() -> Vec<Case> {
    let clients = |clients: Vec<Value>| with(rule(json!({})), json!({"clients": clients}));
    let many = (0..129).map(|number| client(&format!("team-{number}"))).collect();
    vec![
        good(clients(vec![client("team-a"), client("team-b")])),
        bad(clients(vec![client("a"), client("a")]), "spec.clients[1]: Duplicate value"),
        bad(clients(many), "spec.clients: must have at most 128 items"),
        bad(clients(vec![client("-a")]), "spec.clients[0].name: should match"),
        bad(clients(vec![json!({"name": "a"})]), "spec.clients[0].keyRef: Required value"),
        bad(
            clients(vec![json!({"name": "a", "keyRef": {"name": "keys", "key": "a/b"}})]),
            "spec.clients[0].keyRef.key: should match",
        ),
        bad(
            clients(vec![json!({"name": "a", "keyRef": {"name": "Keys", "key": "a"}})]),
            "spec.clients[0].keyRef.name: should match",
        ),
    ]
}

fn workloads() -> Vec<Case> {
    let expression = |fields: Value| selector(json!({"matchExpressions": [fields]}));
    let labels: Value = (0..33).map(|number| (format!("l{number}"), json!(""))).collect();
    vec![
        good(selector(json!({}))),
        good(selector(json!({"matchLabels": {"app.kubernetes.io/name": "chat"}}))),
        good(expression(json!({"key": "a", "operator": "In", "values": ["b", ""]}))),
        bad(
            with(rule(json!({})), json!({"workloads": {}})),
            "spec.workloads.podSelector: Required value",
        ),
        bad(
            selector(json!({"matchLabels": labels})),
            "spec.workloads.podSelector.matchLabels: must have at most 32 items",
        ),
        bad(
            selector(json!({"matchLabels": {"a": "b c"}})),
            "spec.workloads.podSelector.matchLabels.a: should match",
        ),
        bad(
            expression(json!({"key": "a", "operator": "Equals"})),
            "spec.workloads.podSelector.matchExpressions[0].operator: supported values: \"In\"",
        ),
        bad(
            expression(json!({"key": "a/", "operator": "Exists"})),
            "spec.workloads.podSelector.matchExpressions[0].key: should match",
        ),
        bad(
            expression(json!({"key": "a", "operator": "In", "values": vec!["b"; 65]})),
            "spec.workloads.podSelector.matchExpressions[0].values: must have at most 64 items",
        ),
    ]
}
