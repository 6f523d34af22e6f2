use serde_json::json;

use super::*;

/// Checks the breaches of `value`, each as `path: message: remedy`.
fn check(shape: &Shape, mut value: Value, expected: &[&str]) {
    let breaches = super::check(shape, &mut value, "spec");
    let show = |breach: &Breach| format!("{}: {}: {}", breach.path, breach.message, breach.remedy);
    assert_eq!(breaches.iter().map(show).collect::<Vec<_>>(), expected);
}

fn route(rule: Value) -> Value {
    let mut full = json!({"targets": [{"provider": {"name": "p"}}]});
    full.as_object_mut().unwrap().extend(rule.as_object().unwrap().clone());
    json!({"rules": [full]})
}

#[test]
fn everything_wrong_is_told_at_once() {
    let value = json!({
        "clients": [
            {"name": "a", "keyRef": {"name": "S", "key": "k"}},
            {"name": "a", "keyRef": {}}
        ],
        "rules": [{"targets": [], "timeout": {}, "matches": [{"api": "OpenAI", "model": "a*b"}]}],
        "rulez": [],
    });
    check(
        &LLM_ROUTE,
        value,
        &[
            "spec.clients[0].keyRef.name: not of the form that this field needs: it must match \
         ^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$",
            "spec.clients[1].keyRef.key: this field is missing: add it",
            "spec.clients[1].keyRef.name: this field is missing: add it",
            "spec.clients[1]: stands in the list already, by its name: remove or rename one of \
             the two",
            "spec.rules[0].targets: has 0 items: the least is 1",
            "spec.rules[0].timeout: there is no such field: remove it or use one of matches, name, \
         targets, timeouts",
            "spec.rules[0].matches[0].api: not one of the values that this field knows: use one of \
         OpenAiChat, OpenAiResponses, OpenAiEmbeddings, OpenAi, AnthropicMessages, Gemini",
            "spec.rules[0].matches[0].model: not of the form that this field needs: it must match \
         ^(\\*[^*\\x00-\\x1f\\x7f]*|[^*\\x00-\\x1f\\x7f]+\\*?)$",
            "spec.rulez: there is no such field: remove it or use one of clients, rules, workloads",
        ],
    );
}

#[test]
fn types_are_told_without_the_value() {
    check(&LLM_ROUTE, json!({"rules": "canary"}), &["spec.rules: this is text: write a list"]);
    let name = route(json!({"name": 12345}));
    check(
        &LLM_ROUTE,
        name,
        &["spec.rules[0].name: this is a number: write text, in quotes where it looks like \
             something else"],
    );
    check(&LLM_ROUTE, json!(["canary"]), &["spec: this is a list: write a mapping"]);
}

#[test]
fn numbers_are_whole_and_in_range() {
    let weight = |weight: Value| {
        let target = json!({"provider": {"name": "p"}, "weight": weight});
        json!({"rules": [{"targets": [target]}]})
    };
    for fine in [json!(0), json!(1_000_000), json!(null)] {
        check(&LLM_ROUTE, weight(fine), &[]);
    }
    for range in [json!(-1), json!(1_000_001), json!(u64::MAX)] {
        let expected = "spec.rules[0].targets[0].weight: out of range: use 0 to 1000000";
        check(&LLM_ROUTE, weight(range), &[expected]);
    }
    let expected = "spec.rules[0].targets[0].weight: this is a number: write a whole number";
    check(&LLM_ROUTE, weight(json!(0.5)), &[expected]);
}

#[test]
fn lengths_count_characters() {
    check(&LLM_ROUTE, route(json!({"matches": [{"model": "ü".repeat(256)}]})), &[]);
    let expected = "spec.rules[0].matches[0].model: has 257 characters: the most is 256";
    check(&LLM_ROUTE, route(json!({"matches": [{"model": "ü".repeat(257)}]})), &[expected]);
}

#[test]
fn maps_and_sets_are_bounded() {
    let headers = |headers: Value| json!({"provider": "Groq", "headers": headers});
    check(&PROVIDER_SECRET, headers(json!({"set": {"X-A": "a b"}, "remove": ["x-b"]})), &[]);
    check(
        &PROVIDER_SECRET,
        headers(json!({"set": {"X-A": "a\r\nb"}, "remove": ["b", "b"]})),
        &[
            "spec.headers.set.X-A: not of the form that this field needs: it must match \
             ^([!-~]([\\t -~]*[!-~])?)?$",
            "spec.headers.remove[1]: stands in the list already: remove or rename one of the two",
        ],
    );
    let many: Map<_, _> = (0..33).map(|n| (format!("x-{n}"), json!("1"))).collect();
    let expected = "spec.headers.set: has 33 members: the most is 32";
    check(&PROVIDER_SECRET, headers(json!({"set": many})), &[expected]);
}

#[test]
fn durations_are_those_of_the_gateway_api() {
    for (text, fine) in [("5s", true), ("1h30m", true), ("1.5s", false), ("5", false), ("", false)]
    {
        let mut value = route(json!({"timeouts": {"idle": text}}));
        assert_eq!(super::check(&LLM_ROUTE, &mut value, "spec").is_empty(), fine, "{text}");
    }
}

/// A pattern that does not compile here would be no check at all, and a kind of schema that is not
/// known here would let everything pass.
#[test]
fn every_schema_is_understood() {
    fn count(shape: &Shape) -> usize {
        match shape {
            Shape::Anything => panic!("a schema of a kind that is not walked"),
            Shape::Text(text) => usize::from(text.pattern.is_some()),
            Shape::Whole { min, max } => {
                assert!(min.is_some() && max.is_some());
                0
            }
            Shape::Truth => 0,
            Shape::List { items, size, .. } => {
                assert!(size.max < usize::MAX, "a list without bound");
                count(items)
            }
            Shape::Struct { fields, .. } => fields.values().map(count).sum(),
            Shape::Dict { values, size } => {
                assert!(size.max < usize::MAX, "a map without bound");
                count(values)
            }
        }
    }
    fn bounded(shape: &Shape) -> bool {
        match shape {
            Shape::Text(text) => text.size.max < usize::MAX || !text.choices.is_empty(),
            Shape::List { items: inner, .. } | Shape::Dict { values: inner, .. } => bounded(inner),
            Shape::Struct { fields, .. } => fields.values().all(bounded),
            Shape::Whole { .. } | Shape::Truth | Shape::Anything => true,
        }
    }
    for (shape, definition) in
        [(&LLM_ROUTE, LlmRoute::crd()), (&PROVIDER_SECRET, ProviderSecret::crd())]
    {
        let schema = definition.spec.versions[0].schema.clone().unwrap();
        let mut parts = schema.open_api_v3_schema.unwrap().properties.unwrap();
        let text = serde_json::to_string(&parts["spec"]).unwrap();
        assert_eq!(count(shape), text.matches("\"pattern\":").count());
        assert!(bounded(shape), "text without bound");
        // The API server alone checks a status; its texts are bounded even so.
        assert!(bounded(&Shape::of(parts.remove("status").unwrap())), "text without bound");
    }
}
