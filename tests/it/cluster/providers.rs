//! ProviderSecrets that break one rule each.

use serde_json::{Value, json};

use super::refused::{Case, bad, good, with};
use pillion::api::{CONNECTION_HEADERS, CREDENTIAL_HEADERS};

pub(super) fn cases() -> Vec<Case> {
    [presets(), auth(), namespaces(), headers(), keys(), models(), parameters(), tls()]
        .into_iter()
        .flatten()
        .collect()
}

fn provider(fields: Value) -> Value {
    with(json!({"provider": "Anthropic"}), fields)
}

fn presets() -> Vec<Case> {
    const CUSTOM: &str = "spec: provider Custom needs at least one endpoint, and a baseUrl in each";
    let custom = |endpoints: Value| json!({"provider": "Custom", "endpoints": endpoints});
    let full = json!({"api": "OpenAiChat", "baseUrl": "http://llm:8000"});
    let bare = json!({"api": "AnthropicMessages"});
    vec![
        good(provider(json!({}))),
        good(custom(json!([full]))),
        good(json!({"provider": "Aliyun", "endpoints": [bare]})),
        bad(json!({}), "spec.provider: Required value"),
        bad(json!({"provider": "OpenAI"}), "spec.provider: supported values: \"Anthropic\""),
        bad(json!({"provider": "Custom"}), CUSTOM),
        bad(custom(json!([])), CUSTOM),
        bad(custom(json!([full, bare])), CUSTOM),
        bad(custom(json!([full, full])), "spec.endpoints[1]: Duplicate value"),
        bad(
            custom(json!([{"baseUrl": "http://llm:8000"}])),
            "spec.endpoints[0].api: Required value",
        ),
        bad(
            custom(json!([{"api": "OpenAiChat", "baseUrl": "llm:8000"}])),
            "spec.endpoints[0].baseUrl: should match",
        ),
        bad(
            custom(json!([{"api": "Chat", "baseUrl": "http://llm:8000"}])),
            "spec.endpoints[0].api: supported values: \"OpenAiChat\"",
        ),
        bad(
            custom(
                json!([{"api": "OpenAiChat", "baseUrl": format!("http://{}", "a".repeat(2048))}]),
            ),
            "spec.endpoints[0].baseUrl: may not be more than 2048 bytes",
        ),
        bad(
            provider(json!({"clientCredentials": "Drop"})),
            "spec.clientCredentials: supported values: \"Replace\", \"Forward\"",
        ),
        bad(
            provider(json!({"streamUsage": "Always"})),
            "spec.streamUsage: supported values: \"Request\", \"AsSent\"",
        ),
    ]
}

fn auth() -> Vec<Case> {
    const NEEDS: &str = "ApiKeyHeader and QueryParameter need a name, Bearer and None have none";
    const CARRY: &str = "a header of the connection cannot carry a key";
    let mut cases = Vec::new();
    for (auth, expected) in [
        (json!({"type": "Bearer"}), None),
        (json!({"type": "None"}), None),
        (json!({"type": "ApiKeyHeader", "name": "Authorization"}), None),
        (json!({"type": "QueryParameter", "name": "key"}), None),
        (json!({"type": "Bearer", "name": "x"}), Some(("", NEEDS))),
        (json!({"type": "None", "name": "x"}), Some(("", NEEDS))),
        (json!({"type": "ApiKeyHeader"}), Some(("", NEEDS))),
        (json!({"type": "QueryParameter"}), Some(("", NEEDS))),
        (json!({"type": "ApiKeyHeader", "name": "Host"}), Some((".name", CARRY))),
        (json!({"type": "ApiKeyHeader", "name": "Proxy-X"}), Some((".name", CARRY))),
        (json!({"type": "ApiKeyHeader", "name": "a b"}), Some((".name", "should match"))),
        (json!({"type": "Basic"}), Some((".type", "supported values: \"Bearer\""))),
        (json!({"name": "x-api-key"}), Some((".type", "Required value"))),
    ] {
        cases.push(at("spec.auth", provider(json!({"auth": auth})), expected));
        let endpoint = json!({"api": "OpenAiChat", "auth": auth});
        let spec = provider(json!({"endpoints": [endpoint]}));
        cases.push(at("spec.endpoints[0].auth", spec, expected));
    }
    cases
}

/// A case whose field stands below `path`.
fn at(path: &str, spec: Value, expected: Option<(&str, &'static str)>) -> Case {
    let field = |field: &str| &*Box::leak(format!("{path}{field}").into_boxed_str());
    Case { spec, expected: expected.map(|(below, message)| (field(below), message)) }
}

fn namespaces() -> Vec<Case> {
    const NEEDS: &str =
        "spec.allowedRoutes.namespaces: from Selector needs a selector, Same and All have none";
    let from = |fields: Value| provider(json!({"allowedRoutes": {"namespaces": fields}}));
    vec![
        good(provider(json!({"allowedRoutes": {}}))),
        good(from(json!({}))),
        good(from(json!({"from": "All"}))),
        good(from(json!({"from": "Selector", "selector": {}}))),
        bad(from(json!({"from": "Selector"})), NEEDS),
        bad(from(json!({"from": "Same", "selector": {}})), NEEDS),
        bad(from(json!({"selector": {}})), NEEDS),
        bad(
            from(json!({"from": "Some"})),
            "spec.allowedRoutes.namespaces.from: supported values: \"Same\", \"All\", \"Selector\"",
        ),
    ]
}

fn headers() -> Vec<Case> {
    const SET: &str = "spec.headers.set";
    const REMOVE: &str = "spec.headers.remove";
    let set = |name: &str| provider(json!({"headers": {"set": {name: "x"}}}));
    let remove = |name: &str| provider(json!({"headers": {"remove": [name]}}));
    let reserved = CONNECTION_HEADERS.into_iter().chain(CREDENTIAL_HEADERS);
    let mut cases = Vec::new();
    for name in reserved.chain(["Host", "X-API-Key", "Proxy-Authorization"]) {
        let message = "a header of the connection or with a credential cannot be set";
        cases.push(Case { spec: set(name), expected: Some((SET, message)) });
        let message = "a header of the connection or with a credential cannot be named here";
        cases.push(Case { spec: remove(name), expected: Some((REMOVE, message)) });
    }
    for name in [":authority", "a b", "a\r\nb", "", "schl\u{fc}ssel"] {
        let message = "a header's name is a token of at most 128 characters";
        cases.push(Case { spec: set(name), expected: Some((SET, message)) });
    }
    let many: Value = (0..33).map(|number| (format!("x-{number}"), json!("a"))).collect();
    let names: Vec<String> = (0..33).map(|number| format!("x-{number}")).collect();
    cases.extend([
        good(provider(json!({"headers": {"set": {"HTTP-Referer": "x"}, "remove": ["host-x"]}}))),
        bad(remove("a b"), "spec.headers.remove[0]: should match"),
        bad(
            provider(json!({"headers": {"remove": ["x-a", "x-a"]}})),
            "spec.headers.remove[1]: Duplicate value",
        ),
        bad(
            provider(json!({"headers": {"remove": names}})),
            "spec.headers.remove: must have at most 32 items",
        ),
        bad(
            provider(json!({"headers": {"set": many}})),
            "spec.headers.set: must have at most 32 items",
        ),
        bad(
            provider(json!({"headers": {"set": {"x-a": "a\r\nb: c"}}})),
            "spec.headers.set.x-a: should match",
        ),
        bad(
            provider(json!({"headers": {"set": {"x-a": "a".repeat(4097)}}})),
            "spec.headers.set.x-a: may not be more than 4096 bytes",
        ),
    ]);
    cases
}

fn keys() -> Vec<Case> {
    let key = |name: &str| json!({"name": name, "secretRef": {"name": "s", "key": "k"}});
    let keys = |keys: Vec<Value>| provider(json!({"keys": keys}));
    let many = (0..65).map(|number| key(&format!("k{number}"))).collect();
    vec![
        good(keys(vec![key("main"), with(key("spare"), json!({"weight": 0}))])),
        bad(keys(vec![key("a"), key("a")]), "spec.keys[1]: Duplicate value"),
        bad(keys(many), "spec.keys: must have at most 64 items"),
        bad(keys(vec![json!({"name": "a"})]), "spec.keys[0].secretRef: Required value"),
        bad(
            keys(vec![json!({"name": "a", "secretRef": {"name": "s"}})]),
            "spec.keys[0].secretRef.key: Required value",
        ),
        bad(
            keys(vec![with(key("a"), json!({"weight": -1}))]),
            "spec.keys[0].weight: should be greater than or equal to 0",
        ),
        bad(
            keys(vec![with(key("a"), json!({"weight": 1_000_001}))]),
            "spec.keys[0].weight: should be less than or equal to 1000000",
        ),
        bad(keys(vec![key(&"a".repeat(64))]), "spec.keys[0].name: may not be more than 63 bytes"),
    ]
}

fn models() -> Vec<Case> {
    let models = |models: Value| provider(json!({"models": models}));
    let many: Vec<Value> = (0..257).map(|number| json!({"name": format!("m{number}")})).collect();
    vec![
        good(models(json!([{"name": "qwen3-coder-plus", "displayName": "Qwen3 Coder Plus"}]))),
        bad(models(json!([{"name": "a"}, {"name": "a"}])), "spec.models[1]: Duplicate value"),
        bad(models(json!(many)), "spec.models: must have at most 256 items"),
        bad(models(json!([{"name": "a*"}])), "spec.models[0].name: should match"),
        bad(
            models(json!([{"name": "a", "displayName": "a\nb"}])),
            "spec.models[0].displayName: should match",
        ),
    ]
}

fn parameters() -> Vec<Case> {
    let many: Value = (0..9).map(|number| (format!("p{number}"), json!("a"))).collect();
    vec![
        good(provider(json!({"parameters": {"region": "eu-west-1"}}))),
        bad(
            provider(json!({"parameters": {"region": "eu/west"}})),
            "spec.parameters.region: should match",
        ),
        bad(provider(json!({"parameters": many})), "spec.parameters: must have at most 8 items"),
    ]
}

fn tls() -> Vec<Case> {
    vec![
        bad(provider(json!({"tls": {}})), "spec.tls.caBundle: Required value"),
        bad(provider(json!({"tls": {"caBundle": "none"}})), "spec.tls.caBundle: should match"),
    ]
}
