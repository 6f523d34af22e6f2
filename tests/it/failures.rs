//! Failures: each in the caller's dialect, with its status and its reason, and nothing of what lies
//! behind.

mod answers;
mod connecting;
mod tls;

use crate::support::proxy::{Launch, Proxy};
use crate::support::refusal::{Caller, body};
use crate::support::upstream::{Upstream, json_answer};
use crate::support::yaml::{all_to, endpoint, key, object, provider, route, secret};

/// Asserts that each kind of caller is refused in its own words: `words` are the dialects' words
/// for the error, in the order of [`Caller::ALL`].
#[track_caller]
fn refused(proxy: &Proxy, model: &str, told: &str, words: [&str; 3]) {
    for (caller, word) in Caller::ALL.into_iter().zip(words) {
        let answer = caller.ask(&mut proxy.client(), model);
        assert_eq!(answer.refusal(), format!("{told} {}/{word}", caller.dialect()));
        let message = answer.text();
        for inside in ["127.0.0.1", "there", "default", "rustls", "hyper", "os error"] {
            assert!(!message.contains(inside), "{inside} in {message}");
        }
    }
}

/// The words for what is the gateway's or the provider's fault.
const API: [&str; 3] = ["server_error", "api_error", "UNAVAILABLE"];
const TIMEOUT: [&str; 3] = ["server_error", "timeout_error", "DEADLINE_EXCEEDED"];

#[test]
fn what_no_route_takes() {
    let upstream = Upstream::replying(|_| json_answer("200 OK", "{}"));
    let rules =
        "[{ matches: [{ model: \"claude-*\" }], targets: [{ provider: { name: there } }] }]";
    let proxy = Proxy::start(&(provider("there", &upstream.url(), "") + &route("r", rules)));
    let words = ["invalid_request_error", "not_found_error", "NOT_FOUND"];
    for (caller, word) in Caller::ALL.into_iter().zip(words) {
        let answer = caller.ask(&mut proxy.client(), "gpt-4o");
        assert_eq!(answer.refusal(), format!("404 no_route {}/{word}", caller.dialect()));
        assert_eq!(answer.head.header("x-should-retry"), Some("false"));
        assert!(answer.text().contains("gpt-4o"));
    }
    let chat = Caller::Chat.ask(&mut proxy.client(), "gpt-4o").json();
    assert_eq!(chat["error"]["code"], "model_not_found");
    let nameless = proxy.client().post("/v1/messages", &[], "{}");
    assert_eq!(nameless.refusal(), "404 no_route anthropic/not_found_error");
    assert_eq!(Caller::Messages.ask(&mut proxy.client(), "claude-x").status(), 200);
    assert_eq!(upstream.requests().len(), 1);
}

#[test]
fn what_no_target_speaks() {
    let upstream = Upstream::replying(|_| json_answer("200 OK", "{}"));
    let yaml = endpoint("there", "Gemini", &upstream.url()) + &all_to("there");
    let proxy = Proxy::start(&yaml);
    let answer = Caller::Chat.ask(&mut proxy.client(), "m");
    assert_eq!(answer.refusal(), "400 unsupported openai/invalid_request_error");
    assert!(answer.text().contains("OpenAiChat"), "{}", answer.text());
    let messages = Caller::Messages.ask(&mut proxy.client(), "m");
    assert_eq!(messages.refusal(), "400 unsupported anthropic/invalid_request_error");
    assert_eq!(Caller::Gemini.ask(&mut proxy.client(), "m").status(), 200);
}

/// A provider whose key is not to be found.
fn keyless(name: &str, base_url: &str) -> String {
    let spec = format!(
        "  provider: Custom\n  endpoints: [{{ api: OpenAi, baseUrl: \"{base_url}\" }}, {{ api: \
         AnthropicMessages, baseUrl: \"{base_url}\" }}, {{ api: Gemini, baseUrl: \"{base_url}\" }}]\n  \
         keys: [{{ name: main, secretRef: {{ name: gone, key: api-key }} }}]\n"
    );
    object("ProviderSecret", name, &spec)
}

/// A rule that matches and cannot be served refuses: the wider one does not catch its traffic.
#[test]
fn a_missing_key_is_refused_and_nobody_else_catches_the_call() {
    let upstream = Upstream::replying(|_| json_answer("200 OK", "{}"));
    let rules = "[{ targets: [{ provider: { name: there } }] }, \
                  { matches: [{ model: m }], targets: [{ provider: { name: keyless } }] }]";
    let yaml = provider("there", &upstream.url(), "")
        + &keyless("keyless", &upstream.url())
        + &route("r", rules);
    let proxy = Proxy::start(&yaml);
    refused(&proxy, "m", "503 unservable", API);
    assert_eq!(Caller::Chat.ask(&mut proxy.client(), "other").status(), 200);
    assert_eq!(upstream.requests().len(), 1);
    let line = &proxy.wait_access_log(4)[0];
    assert_eq!((&line["outcome"], &line["status"]), (&"unservable".into(), &503.into()));
    assert!(line["detail"].as_str().unwrap().contains("LlmRoute default/r"), "{line}");
}

/// FAULTS 29: and none of it splits a header, nor is it shown.
#[test]
fn fault_29_keys_that_cannot_be_sent() {
    let upstream = Upstream::replying(|_| json_answer("200 OK", "{}"));
    let mut yaml = String::new();
    let mut rules = String::new();
    let canary = key("x");
    let bad = [
        format!("{canary}\r\nx-evil: 1"),
        format!("{canary}\0"),
        format!("{canary}é"),
        String::new(),
        "  \n".to_owned(),
    ];
    for (number, value) in bad.iter().enumerate() {
        let spec = format!(
            "  provider: Custom\n  endpoints: [{{ api: OpenAi, baseUrl: \"{}\" }}]\n  keys: [{{ \
             name: main, secretRef: {{ name: p{number}, key: k }} }}]\n",
            upstream.url()
        );
        let name = format!("p{number}");
        yaml += &object("ProviderSecret", &name, &spec);
        yaml += &secret(&name, "k", value);
        rules += &format!(
            "{{ matches: [{{ model: m{number} }}], targets: [{{ provider: {{ name: {name} }} }}] }},"
        );
    }
    let proxy = Proxy::start(&(yaml + &route("r", &format!("[{rules}]"))));
    for (number, value) in bad.iter().enumerate() {
        let answer = Caller::Chat.ask(&mut proxy.client(), &format!("m{number}"));
        assert_eq!(answer.refusal(), "503 unservable openai/server_error", "{value:?}");
    }
    assert_eq!(upstream.connections(), 0);
}

/// FAULTS 28.
#[test]
fn fault_28_white_space_around_a_key_is_cut_off() {
    let upstream = Upstream::replying(|_| json_answer("200 OK", "{}"));
    let canary = key("x");
    let yaml = keyless("there", &upstream.url())
        + &secret("gone", "api-key", &format!(" {canary}\r\n"))
        + &all_to("there");
    assert_eq!(Caller::Chat.ask(&mut Proxy::start(&yaml).client(), "m").status(), 200);
    let head = &upstream.wait_requests(1)[0].head;
    assert_eq!(head.header("authorization"), Some(format!("Bearer {canary}").as_str()));
}

/// FAULTS 41.
#[test]
fn fault_41_before_there_is_a_table() {
    let upstream = Upstream::replying(|_| json_answer("200 OK", "{}"));
    let proxy = Launch::new().without_waiting().start("kind: [ broken");
    assert_eq!(proxy.page("/readyz").0, 503);
    assert_eq!(proxy.page("/livez").0, 200);
    refused(&proxy, "m", "503 not_ready", API);
    let answer = Caller::Messages.ask(&mut proxy.client(), "m");
    assert_eq!(answer.head.header("retry-after"), Some("1"));
    let models = proxy.client().get("/v1/models", &[]);
    assert_eq!(models.refusal(), "503 not_ready openai/server_error");
    assert_eq!(proxy.client().get("/", &[]).status(), 200);

    proxy.manifests.write("all.yaml", &(provider("there", &upstream.url(), "") + &all_to("there")));
    proxy.wait_ready();
    assert_eq!(Caller::Messages.ask(&mut proxy.client(), "m").status(), 200);
    assert_eq!(upstream.wait_requests(1)[0].text(), body("m"));
}
