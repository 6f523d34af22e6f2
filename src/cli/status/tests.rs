use kube::api::{ApiResource, DynamicObject};
use kube::core::Status;
use serde_json::{Value, json};

use super::cluster::{Scope, explained};
use super::view::View;
use super::{json, text};
use crate::api::{LlmRoute, ProviderSecret};
use crate::cli::terminal::Look;

fn object(kind: &str, name: &str, spec: Value, status: Value) -> View {
    let object: DynamicObject = serde_json::from_value(json!({
        "apiVersion": "pillion.dev/v1alpha1",
        "kind": kind,
        "metadata": {"namespace": "team-a", "name": name, "generation": 2},
        "spec": spec,
        "status": status,
    }))
    .unwrap();
    View::of(&object)
}

fn condition(of: &str, status: &str, words: (&str, &str), generation: i64) -> Value {
    let (reason, message) = words;
    json!({"type": of, "status": status, "reason": reason, "message": message,
        "observedGeneration": generation, "lastTransitionTime": "2026-01-01T00:00:00Z"})
}

fn chat() -> Value {
    json!({"rules": [
        {"name": "cheap", "matches": [{"model": "claude-haiku-*"}, {"model": "gpt-4o", "api": "OpenAiChat"}],
         "targets": [{"provider": {"name": "openrouter"}, "model": "z-ai/glm", "weight": 60},
                     {"provider": {"name": "shared", "namespace": "team-b"}, "weight": 20}]},
        {"targets": [{"provider": {"name": "anthropic"}}]},
    ]})
}

fn fine(generation: i64) -> Value {
    json!({"sidecars": {"total": 3, "programmed": 3, "ready": "3/3"}, "conditions": [
        condition("Accepted", "True", ("Accepted", "nothing is wrong with it"), generation),
        condition("ResolvedRefs", "True", ("ResolvedRefs", "everything is there"), generation),
        condition("Programmed", "True", ("Programmed", "3 of 3 sidecars run it"), generation),
    ]})
}

fn bad() -> Value {
    let missing = "spec.rules[0].targets[1].provider: there is no such ProviderSecret: team-a/x; \
        the target is left out. Remedy: create it, or correct the name\nand 3 more";
    let shadowed = "spec.rules[1]: it never gets a call. Remedy: remove one of the two";
    json!({"sidecars": {"total": 3, "programmed": 1, "ready": "1/3"}, "conditions": [
        condition("Accepted", "True", ("Shadowed", shadowed), 2),
        condition("ResolvedRefs", "False", ("ProviderNotFound", missing), 2),
        condition("Programmed", "False", ("Pending", "1 of 3 sidecars run it. Remedy: wait"), 2),
    ]})
}

fn views() -> Vec<View> {
    let key = "spec.keys[0].secretRef: Secret 'k' is not there\u{1b}[2J. Remedy: create it";
    vec![
        object("LlmRoute", "chat", chat(), fine(2)),
        object("LlmRoute", "bad", chat(), bad()),
        object("LlmRoute", "stale", json!({}), fine(1)),
        object("LlmRoute", "new", json!({"rules": 7}), Value::Null),
        object(
            "ProviderSecret",
            "anthropic",
            json!({"provider": "Anthropic"}),
            json!({"routes": 2, "conditions": [
                condition("Accepted", "True", ("Accepted", ""), 2),
                condition("ResolvedRefs", "False", ("KeyNotUsable", key), 2),
            ]}),
        ),
    ]
}

const TABLE: &str = "\
LLMROUTE      ACCEPTED  RESOLVEDREFS  PROGRAMMED  SIDECARS
team-a/chat   True      True          True        3/3
    cheap: claude-haiku-*, gpt-4o (OpenAiChat) → openrouter (z-ai/glm) 75%, team-b/shared 25%
    rule-1: * → anthropic
team-a/bad    True      False         False       1/3
    cheap: claude-haiku-*, gpt-4o (OpenAiChat) → openrouter (z-ai/glm) 75%, team-b/shared 25%
    rule-1: * → anthropic
    spec.rules[1]: it never gets a call
      → remove one of the two
  ✗ ProviderNotFound
    spec.rules[0].targets[1].provider: there is no such ProviderSecret: team-a/x; the target is left out
      → create it, or correct the name
    and 3 more
  ✗ Pending
    1 of 3 sidecars run it
      → wait
team-a/stale  stale     stale         stale       3/3
    Accepted is said of an earlier version of it
      → wait a moment, or see that `pillion controller` runs
    ResolvedRefs is said of an earlier version of it
      → wait a moment, or see that `pillion controller` runs
    Programmed is said of an earlier version of it
      → wait a moment, or see that `pillion controller` runs
team-a/new    -         -             -           -
    no controller has said anything of it
      → see that `pillion controller` runs, and that it watches this namespace

PROVIDERSECRET    ACCEPTED  RESOLVEDREFS  ROUTES
team-a/anthropic  True      False         2
    Anthropic
  ✗ KeyNotUsable
    spec.keys[0].secretRef: Secret 'k' is not there\\u{1b}[2J
      → create it

4 LlmRoutes, 1 ProviderSecret: 4 are not well
";

#[test]
fn the_table_says_what_is_not_well_and_what_to_do() {
    let mut out = Vec::new();
    text::write(&views(), "namespace team-a", &mut out, Look::PLAIN).unwrap();
    assert_eq!(String::from_utf8(out).unwrap(), TABLE);
    let mut out = Vec::new();
    text::write(&[], "namespace team-a", &mut out, Look::PLAIN).unwrap();
    assert!(String::from_utf8(out).unwrap().ends_with("in namespace team-a\n"));
}

#[test]
fn programs_get_the_same() {
    let mut out = Vec::new();
    json(&views(), &mut out).unwrap();
    let document: Value = serde_json::from_slice(&out).unwrap();
    assert_eq!(document["well"], false);
    let objects = document["objects"].as_array().unwrap();
    let well: Vec<&Value> = objects.iter().map(|object| &object["well"]).collect();
    assert_eq!(well, [true, false, false, false, false]);
    assert_eq!(
        (&objects[0]["namespace"], &objects[0]["sidecars"]),
        (&json!("team-a"), &json!("3/3"))
    );
    assert_eq!(objects[1]["conditions"][1]["reason"], "ProviderNotFound");
}

#[test]
fn errors_say_what_to_do() {
    let one = Scope::Namespace("team-a".to_owned());
    let (routes, providers) =
        (ApiResource::erase::<LlmRoute>(&()), ApiResource::erase::<ProviderSecret>(&()));
    for (code, scope, resource, expected) in [
        (401, &one, &routes, "log in again"),
        (403, &one, &routes, "`list` on the resource `llmroutes.pillion.dev` in namespace team-a"),
        (403, &Scope::All, &providers, "`providersecrets.pillion.dev` in all namespaces"),
        (404, &one, &routes, "pillion crds | kubectl apply"),
        (500, &one, &routes, "llmroutes.pillion.dev cannot be listed at https://c"),
    ] {
        let status = Status { code, ..Status::default() };
        let error = kube::Error::Api(Box::new(status));
        let text = format!("{:#}", explained(error, scope, resource, "https://c"));
        assert!(text.contains(expected), "{code}: {text}");
    }
    let refused = std::io::Error::other("connection refused");
    let text = explained(kube::Error::Service(Box::new(refused)), &one, &routes, "https://c");
    assert!(
        text.to_string().starts_with("no cluster can be reached at https://c (connection refused)")
    );
}
