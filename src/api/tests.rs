use kube::CustomResourceExt;
use kube_cel::Validator;
use serde_json::{Value, json};

use super::*;

/// The CEL rules of kind `T` that `spec` breaks, by message.
fn broken<T: CustomResourceExt>(spec: Value) -> Vec<String> {
    let definition = serde_json::to_value(T::crd()).unwrap();
    let schema = &definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
    let outcome = Validator::new().validate(schema, &json!({"spec": spec}), None);
    let errors = outcome.err().map(|errors| errors.iter().map(ToString::to_string).collect());
    errors.unwrap_or_default()
}

/// Checks that `spec` breaks exactly the rule whose message has `expected` in it, or none.
fn check<T: CustomResourceExt>(spec: Value, expected: Option<&str>) {
    let messages = broken::<T>(spec.clone());
    match (expected, messages.as_slice()) {
        (None, []) => {}
        (Some(expected), [message]) if message.contains(expected) => {}
        _ => panic!("{spec}: expected {expected:?}, got {messages:?}"),
    }
}

fn provider(fields: Value) -> Value {
    let mut spec = json!({"provider": "Anthropic"});
    let map = spec.as_object_mut().unwrap();
    map.extend(fields.as_object().unwrap().clone());
    spec
}

fn rules(rules: Value) -> Value {
    json!({"rules": rules})
}

#[test]
fn auth_forms_have_a_name_exactly_where_they_need_one() {
    let message = Some("need a name");
    for (auth, expected) in [
        (json!({"type": "Bearer"}), None),
        (json!({"type": "None"}), None),
        (json!({"type": "Bearer", "name": "x"}), message),
        (json!({"type": "None", "name": "x"}), message),
        (json!({"type": "ApiKeyHeader"}), message),
        (json!({"type": "ApiKeyHeader", "name": "Authorization"}), None),
        (json!({"type": "QueryParameter", "name": "key"}), None),
        (json!({"type": "QueryParameter"}), message),
        (json!({"type": "ApiKeyHeader", "name": "Host"}), Some("cannot carry a key")),
        (json!({"type": "ApiKeyHeader", "name": "Proxy-X"}), Some("cannot carry a key")),
    ] {
        check::<ProviderSecret>(provider(json!({"auth": auth})), expected);
        let endpoint = json!({"api": "OpenAiChat", "auth": auth});
        check::<ProviderSecret>(provider(json!({"endpoints": [endpoint]})), expected);
    }
}

#[test]
fn custom_says_every_endpoint() {
    let message = Some("provider Custom needs");
    let (full, bare) = (
        json!({"api": "OpenAiChat", "baseUrl": "http://llm:8000"}),
        json!({"api": "AnthropicMessages"}),
    );
    for (spec, expected) in [
        (json!({"provider": "Custom", "endpoints": [full]}), None),
        (json!({"provider": "Custom"}), message),
        (json!({"provider": "Custom", "endpoints": []}), message),
        (json!({"provider": "Custom", "endpoints": [full, bare]}), message),
        (json!({"provider": "Aliyun", "endpoints": [bare]}), None),
    ] {
        check::<ProviderSecret>(spec, expected);
    }
}

#[test]
fn a_selector_stands_exactly_where_it_is_used() {
    let message = Some("from Selector needs");
    for (namespaces, expected) in [
        (json!({}), None),
        (json!({"from": "All"}), None),
        (json!({"from": "Selector"}), message),
        (json!({"from": "Selector", "selector": {}}), None),
        (json!({"from": "Same", "selector": {}}), message),
        (json!({"selector": {}}), message),
    ] {
        let allowed = json!({"allowedRoutes": {"namespaces": namespaces}});
        check::<ProviderSecret>(provider(allowed), expected);
    }
}

/// FAULTS 30.
#[test]
fn headers_of_the_connection_and_credentials_are_refused_everywhere() {
    let reserved = CONNECTION_HEADERS.into_iter().chain(CREDENTIAL_HEADERS).chain([
        "Host",
        "X-API-Key",
        "Proxy-Authorization",
    ]);
    for name in reserved {
        let set = json!({"headers": {"set": {name: "x"}}});
        check::<ProviderSecret>(provider(set), Some("cannot be set"));
        let remove = json!({"headers": {"remove": [name]}});
        check::<ProviderSecret>(provider(remove), Some("cannot be named here"));
        let matches = json!([{"headers": [{"name": name}]}]);
        check::<LlmRoute>(rules(json!([{"matches": matches}])), Some("cannot be matched"));
    }
    for name in [":authority", "a b", "a\r\nb", "", "schl\u{fc}ssel"] {
        let set = json!({"headers": {"set": {name: "x"}}});
        check::<ProviderSecret>(provider(set), Some("a header's name"));
    }
    let fine = json!({"headers": {"set": {"HTTP-Referer": "x"}, "remove": ["x-trace", "host-x"]}});
    check::<ProviderSecret>(provider(fine), None);
    let matches = json!([{"headers": [{"name": "X-Team", "value": "a"}]}]);
    check::<LlmRoute>(rules(json!([{"matches": matches}])), None);
}

#[test]
fn names_of_rules_are_unique_where_given() {
    for (list, expected) in [
        (json!([{"name": "a"}, {"name": "b"}, {}, {}]), None),
        (json!([{"name": "a"}, {}, {"name": "a"}]), Some("unique")),
    ] {
        check::<LlmRoute>(rules(list), expected);
    }
}

#[test]
fn no_timeout_is_zero() {
    for (text, expected) in [("1ms", None), ("1h30m", None), ("0s", Some("more than 0s"))] {
        for field in ["connect", "firstByte", "idle", "keepAlive"] {
            check::<LlmRoute>(rules(json!([{"timeouts": {field: text}}])), expected);
        }
    }
}

#[test]
fn defaults_leave_no_trace() {
    let spec: LlmRouteSpec =
        serde_json::from_value(rules(json!([{"targets": [{"provider": {"name": "p"}}]}]))).unwrap();
    let text = serde_json::to_string(&spec).unwrap();
    assert_eq!(text, r#"{"rules":[{"targets":[{"provider":{"name":"p"}}]}]}"#);
    assert_eq!(spec.rules[0].targets[0].weight, 1);
}
