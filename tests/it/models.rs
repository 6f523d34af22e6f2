//! What Pillion answers itself: the models that routes declare, in the caller's shape.

use serde_json::{Value, json};

use crate::support::proxy::{CANARY, Proxy};
use crate::support::upstream::{Upstream, json_answer};
use crate::support::yaml::{object, provider, secret};

const ANTHROPIC: (&str, &str) = ("anthropic-version", "2023-06-01");

/// An open route with two models (one of them with a name for people), and a guarded one with a
/// third.
fn yaml(upstream: &Upstream) -> String {
    let models = "  models: [{ name: claude-b, displayName: \"Claude B\" }, { name: unreached }]\n";
    let guarded = "  clients: [{ name: a, keyRef: { name: a-key, key: k } }]\n  rules: [{ matches: \
                   [{ model: secret/one }], targets: [{ provider: { name: there } }] }]\n";
    let open = "  rules: [{ matches: [{ model: gpt-a }, { model: \"claude-*\" }], targets: \
                [{ provider: { name: there } }] }]\n";
    provider("there", &upstream.url(), models)
        + &object("LlmRoute", "open", open)
        + &object("LlmRoute", "guarded", guarded)
        + &secret("a-key", "k", &client_key())
}

fn client_key() -> String {
    format!("team-{CANARY}")
}

fn upstream() -> Upstream {
    Upstream::replying(|_| json_answer("200 OK", "{}"))
}

fn ids(list: &Value, member: &str, id: &str) -> Vec<String> {
    let entries = list[member].as_array().unwrap().iter();
    entries.map(|entry| entry[id].as_str().unwrap().to_owned()).collect()
}

#[test]
fn the_list_has_the_shape_of_the_caller() {
    let upstream = upstream();
    let proxy = Proxy::start(&yaml(&upstream));
    let mut client = proxy.client();
    for target in ["/v1/models", "/models", "/openai/v1/models", "/v1/v1/models", "/v1/models/"] {
        let list = client.get(target, &[]).json();
        assert_eq!(list["object"], "list", "{target}");
        assert_eq!(ids(&list, "data", "id"), ["claude-b", "gpt-a"]);
        let entry = json!({ "id": "gpt-a", "object": "model", "created": 0, "owned_by": "there" });
        assert_eq!(list["data"][1], entry);
    }
    for (target, headers) in [
        ("/v1/models?limit=1000", &[ANTHROPIC][..]),
        ("/anthropic/v1/models", &[]),
        ("/models?limit=1000", &[("anthropic-beta", "x")]),
    ] {
        let list = client.get(target, headers).json();
        assert_eq!(ids(&list, "data", "id"), ["claude-b", "gpt-a"], "{target}");
        assert_eq!(list["data"][0]["type"], "model");
        assert_eq!(list["data"][0]["display_name"], "Claude B");
        assert_eq!(
            (&list["has_more"], &list["first_id"], &list["last_id"]),
            (&json!(false), &json!("claude-b"), &json!("gpt-a"))
        );
    }
    let list = client.get("/v1beta/models?pageSize=50", &[]).json();
    assert_eq!(ids(&list, "models", "name"), ["models/claude-b", "models/gpt-a"]);
    assert_eq!(upstream.connections(), 0);
}

#[test]
fn pages_are_turned_as_anthropics_clients_do() {
    let proxy = Proxy::start(&yaml(&upstream()));
    let mut client = proxy.client();
    let first = client.get("/v1/models?limit=1", &[ANTHROPIC]).json();
    assert_eq!(
        (ids(&first, "data", "id"), &first["has_more"]),
        (vec!["claude-b".to_owned()], &json!(true))
    );
    let next = client.get("/v1/models?limit=1&after_id=claude-b", &[ANTHROPIC]).json();
    assert_eq!(
        (ids(&next, "data", "id"), &next["has_more"]),
        (vec!["gpt-a".to_owned()], &json!(false))
    );
}

#[test]
fn one_model() {
    let proxy = Proxy::start(&yaml(&upstream()));
    let mut client = proxy.client();
    let openai = client.get("/v1/models/gpt-a", &[]).json();
    assert_eq!((&openai["id"], &openai["object"]), (&json!("gpt-a"), &json!("model")));
    let anthropic = client.get("/v1/models/claude-b", &[ANTHROPIC]).json();
    assert_eq!((&anthropic["id"], &anthropic["type"]), (&json!("claude-b"), &json!("model")));
    let gemini = client.get("/v1beta/models/gpt-a", &[]).json();
    assert_eq!(gemini["name"], "models/gpt-a");
    for (target, headers, told) in [
        ("/v1/models/none", &[][..], "openai/invalid_request_error"),
        ("/v1/models/none", &[ANTHROPIC], "anthropic/not_found_error"),
        ("/v1beta/models/none", &[], "gemini/NOT_FOUND"),
        // Declared by the provider, but no rule takes it.
        ("/v1/models/unreached", &[], "openai/invalid_request_error"),
        ("/v1/models/secret%2Fone", &[], "openai/invalid_request_error"),
    ] {
        let answer = client.get(target, headers);
        assert_eq!(answer.refusal(), format!("404 no_route {told}"), "{target}");
    }
}

#[test]
fn a_caller_sees_what_it_may_use() {
    let proxy = Proxy::start(&yaml(&upstream()));
    let mut client = proxy.client();
    let (key, bearer) = (client_key(), format!("Bearer {}", client_key()));
    for credential in [("authorization", bearer.as_str()), ("x-api-key", &key)] {
        let list = client.get("/v1/models", &[credential]).json();
        assert_eq!(ids(&list, "data", "id"), ["claude-b", "gpt-a", "secret/one"]);
        for target in ["/v1/models/secret%2Fone", "/v1/models/secret/one"] {
            assert_eq!(client.get(target, &[credential]).json()["id"], "secret/one");
        }
    }
    let wrong = client.get("/v1/models", &[("x-api-key", "team-other")]).json();
    assert_eq!(ids(&wrong, "data", "id"), ["claude-b", "gpt-a"]);
}

#[test]
fn lists_can_be_asked_for_by_head_and_by_nothing_else() {
    let proxy = Proxy::start(&yaml(&upstream()));
    let mut client = proxy.client();
    client.send("HEAD /v1/models HTTP/1.1\r\nhost: a\r\n\r\n");
    let head = client.answer_to_head();
    assert_eq!((head.status(), head.header("content-type")), (200, Some("application/json")));
    let length = client.get("/v1/models", &[]).body.len().to_string();
    assert_eq!(head.header("content-length"), Some(length.as_str()));
    let told = "405 method_not_allowed openai/invalid_request_error";
    assert_eq!(client.post("/v1/models", &[], "{}").refusal(), told);
    let alive = client.get("/", &[]).json();
    assert_eq!(alive["name"], "pillion");
    let told = "405 method_not_allowed openai/invalid_request_error";
    assert_eq!(client.post("/", &[], "").refusal(), told);
}
