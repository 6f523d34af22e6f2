//! Headers, both ways, and credentials: what goes on, what does not, and what is put in place.

use crate::support::client::Answer;
use crate::support::manifests::Manifests;
use crate::support::proxy::{CANARY, Launch, Proxy};
use crate::support::refusal::{Caller, body};
use crate::support::upstream::{Recorded, Upstream, json_answer};
use crate::support::yaml::{all_to, bearer, key, object, provider, route, secret};

const CHAT: &str = "/v1/chat/completions";
const MESSAGES: &str = "/v1/messages";

fn obliging() -> Upstream {
    Upstream::replying(|_| json_answer("200 OK", "{}"))
}

/// An upstream whose only answer is this.
fn answering(answer: &'static str) -> Upstream {
    Upstream::replying(|_| answer.into())
}

fn proxy_to(upstream: &Upstream) -> Proxy {
    with_spec(upstream, "")
}

/// A proxy to a Custom provider with these further lines of spec.
fn with_spec(upstream: &Upstream, spec: &str) -> Proxy {
    Proxy::start(&(provider("there", &upstream.url(), spec) + &all_to("there")))
}

/// What reaches the upstream when a client sends these headers.
#[track_caller]
fn sent(proxy: &Proxy, upstream: &Upstream, target: &str, headers: &[(&str, &str)]) -> Recorded {
    let before = upstream.requests().len();
    let answer = proxy.client().post(target, headers, &body("m"));
    assert_eq!(answer.status(), 200, "{}", answer.text());
    upstream.wait_requests(before + 1).swap_remove(before)
}

/// FAULTS 18.
#[test]
fn fault_18_what_belongs_to_one_hop_does_not_go_on() {
    let upstream = obliging();
    let proxy = proxy_to(&upstream);
    let request = sent(
        &proxy,
        &upstream,
        CHAT,
        &[
            ("connection", "keep-alive, X-Hop"),
            ("Connection", "authorization, content-length"),
            ("x-hop", "1"),
            ("keep-alive", "timeout=5"),
            ("te", "trailers"),
            ("trailer", "x-t"),
            ("proxy-authorization", "Basic eA=="),
            ("proxy-connection", "keep-alive"),
            ("upgrade", "h2c"),
            ("x-kept", "1"),
        ],
    );
    let head = &request.head;
    for name in [
        "connection",
        "x-hop",
        "keep-alive",
        "te",
        "trailer",
        "proxy-authorization",
        "proxy-connection",
        "upgrade",
    ] {
        assert_eq!(head.header(name), None, "{name}");
    }
    assert_eq!(head.header("x-kept"), Some("1"));
    assert_eq!(head.header("authorization"), Some(bearer("there").as_str()));
    assert_eq!(request.text(), body("m"));
}

/// FAULTS 18, on the way back.
#[test]
fn fault_18_what_belongs_to_the_upstreams_hop_does_not_come_back() {
    let upstream = answering(
        "HTTP/1.1 200 OK\r\nconnection: X-Hop, keep-alive\r\nx-hop: 1\r\nkeep-alive: timeout=5\r\n\
         proxy-authenticate: Basic\r\ntrailer: x-t\r\nupgrade: h2\r\nx-kept: 1\r\n\
         content-length: 2\r\n\r\n{}",
    );
    let answer = Caller::Chat.ask(&mut proxy_to(&upstream).client(), "m");
    let hop = ["x-hop", "keep-alive", "proxy-authenticate", "trailer", "upgrade", "connection"];
    for name in hop {
        assert_eq!(answer.head.header(name), None, "{name}");
    }
    assert_eq!(answer.head.header("x-kept"), Some("1"));
    assert_eq!(answer.text(), "{}");
}

/// FAULTS 19.
#[test]
fn fault_19_no_credential_of_the_client_goes_on() {
    let upstream = obliging();
    let proxy = proxy_to(&upstream);
    let mine = format!("sk-mine-{CANARY}");
    let bearer_of_mine = format!("Bearer {mine}");
    let credentials = [
        ("Authorization", bearer_of_mine.as_str()),
        ("authorization", "Basic bWluZQ=="),
        ("x-api-key", &mine),
        ("api-key", &mine),
        ("x-goog-api-key", &mine),
        ("cookie", &mine),
        ("cookie", "b=2"),
        ("proxy-authorization", &mine),
    ];
    for (target, expected) in [
        (format!("{CHAT}?key={mine}&a=1"), "/v1/chat/completions?a=1"),
        (format!("{CHAT}?k%65y={mine}&a=1"), "/v1/chat/completions?a=1"),
        (format!("{MESSAGES}?a=1&key={mine}"), "/v1/messages?a=1"),
        (
            format!("/v1beta/models/m:generateContent?key={mine}"),
            "/v1beta/models/m:generateContent",
        ),
    ] {
        let request = sent(&proxy, &upstream, &target, &credentials);
        let raw = String::from_utf8_lossy(&request.head.raw).into_owned();
        assert!(!raw.contains("mine") && !raw.contains("bWluZQ"), "{raw}");
        assert_eq!(request.target(), expected);
        assert_eq!(request.head.header("authorization"), Some(bearer("there").as_str()));
        for name in ["x-api-key", "api-key", "x-goog-api-key", "cookie"] {
            assert_eq!(request.head.header(name), None, "{name}");
        }
    }
}

#[test]
fn the_key_goes_where_the_provider_wants_it() {
    let upstream = obliging();
    for (auth, name, value, target) in [
        ("{ type: ApiKeyHeader, name: x-api-key }", "x-api-key", key("there"), CHAT),
        ("{ type: ApiKeyHeader, name: api-key }", "api-key", key("there"), CHAT),
        ("{ type: Bearer }", "authorization", bearer("there"), CHAT),
    ] {
        let proxy = with_spec(&upstream, &format!("  auth: {auth}\n"));
        let request = sent(&proxy, &upstream, target, &[("authorization", "Bearer x")]);
        assert_eq!(request.head.header(name), Some(value.as_str()), "{auth}");
        let others = ["authorization", "x-api-key", "api-key"];
        for other in others.iter().filter(|other| **other != name) {
            assert_eq!(request.head.header(other), None);
        }
    }
    let in_query = with_spec(&upstream, "  auth: { type: QueryParameter, name: key }\n");
    let request = sent(&in_query, &upstream, &format!("{CHAT}?a=1&key=x"), &[]);
    let (path, value) = request.target().split_once("?a=1&key=").unwrap();
    assert_eq!((path, value.replace("%2D", "-")), (CHAT, key("there")));
    assert_eq!(request.head.header("authorization"), None);
    let none = with_spec(&upstream, "  auth: { type: None }\n");
    let request = sent(&none, &upstream, CHAT, &[("authorization", "Bearer x")]);
    assert_eq!(request.head.header("authorization"), None);
}

#[test]
fn a_version_is_added_only_where_none_was_sent() {
    let upstream = obliging();
    let proxy = proxy_to(&upstream);
    let version = |headers: &[(&str, &str)], target| {
        let head = sent(&proxy, &upstream, target, headers).head;
        head.header("anthropic-version").map(str::to_owned)
    };
    assert_eq!(version(&[], MESSAGES).as_deref(), Some("2023-06-01"));
    let newest = [("Anthropic-Version", "2026-10-21")];
    assert_eq!(version(&newest, MESSAGES).as_deref(), Some("2026-10-21"));
    assert_eq!(version(&[], CHAT), None);
}

#[test]
fn whatever_is_not_ours_arrives_as_it_was_sent() {
    let upstream = obliging();
    let proxy = proxy_to(&upstream);
    let headers = [
        ("anthropic-beta", "claude-code-20250219,interleaved-thinking-2025-05-14"),
        ("anthropic-beta", "unheard-of-2027"),
        ("anthropic-dangerous-direct-browser-access", "true"),
        ("user-agent", "claude-cli/9.9 (external, cli)"),
        ("accept-encoding", "gzip, deflate, br, zstd"),
        ("accept", "application/json"),
        ("content-type", "application/json; charset=utf-8"),
        ("x-stainless-retry-count", "0"),
        ("x-claude-code-session-id", "7d9c"),
        ("openai-organization", "org"),
        ("http-referer", "https://a.example"),
        ("origin", "https://b.example"),
        ("x-forwarded-for", "10.0.0.1"),
        ("x-bytes", "caf\u{e9} \"quoted\" \t tab"),
        ("x-empty", ""),
    ];
    let request = sent(&proxy, &upstream, MESSAGES, &headers);
    for (name, _) in headers {
        let of_name = headers.iter().filter(|(have, _)| *have == name);
        let values: Vec<&str> = of_name.map(|(_, value)| *value).collect();
        assert_eq!(request.head.all(name), values, "{name}");
    }
    let address = upstream.address().to_string();
    assert_eq!(request.head.header("host"), Some(address.as_str()));
    // Nothing is there that was neither sent nor is ours to say.
    let ours = ["host", "content-length", "authorization", "anthropic-version"];
    for (name, _) in &request.head.headers {
        let known = headers.iter().any(|(have, _)| have == name) || ours.contains(&name.as_str());
        assert!(known, "{name} was added");
    }
}

#[test]
fn plain_text_is_asked_for_only_where_the_usage_chunk_must_come_out_again() {
    let upstream = obliging();
    let proxy = proxy_to(&upstream);
    let accepted = |body: &str| {
        let before = upstream.requests().len();
        let headers = [("accept-encoding", "gzip")];
        assert_eq!(proxy.client().post(CHAT, &headers, body).status(), 200);
        let head = upstream.wait_requests(before + 1).swap_remove(before).head;
        head.header("accept-encoding").map(str::to_owned)
    };
    let streamed = accepted("{\"model\":\"m\",\"stream\":true}");
    assert_eq!(streamed.as_deref(), Some("identity"));
    for untouched in [
        "{\"model\":\"m\"}",
        "{\"model\":\"m\",\"stream\":true,\"stream_options\":{\"include_usage\":true}}",
    ] {
        assert_eq!(accepted(untouched).as_deref(), Some("gzip"));
    }
}

#[test]
fn the_length_is_right_after_a_rename() {
    let upstream = obliging();
    let rules = "[{ targets: [{ provider: { name: there }, model: a-much-longer-name }] }]";
    let proxy = Proxy::start(&(provider("there", &upstream.url(), "") + &route("r", rules)));
    let request = sent(&proxy, &upstream, CHAT, &[]);
    let renamed = body("a-much-longer-name");
    assert_eq!(request.text(), renamed);
    let length = renamed.len().to_string();
    assert_eq!(request.head.header("content-length"), Some(length.as_str()));
    assert_eq!(request.head.header("transfer-encoding"), None);
}

/// FAULTS 30: nothing in a manifest can break a request apart.
#[test]
fn fault_30_headers_that_a_manifest_cannot_set() {
    let upstream = obliging();
    let bad = [
        "set: { x-a: \"1\\r\\nx-evil: 1\" }",
        "set: { \"x-a\\r\\nx-evil\": \"1\" }",
        "set: { Host: evil.example }",
        "set: { Content-Length: \"0\" }",
        "set: { Transfer-Encoding: chunked }",
        "set: { \":path\": /evil }",
        "set: { authorization: Bearer x }",
        "set: { Cookie: a=b }",
        "remove: [ host ]",
        "remove: [ \"x y\" ]",
    ];
    let manifests = Manifests::new();
    manifests.write("good.yaml", &(provider("there", &upstream.url(), "") + &all_to("there")));
    for (number, headers) in bad.iter().enumerate() {
        let spec = format!("  headers: {{ {headers} }}\n");
        let yaml = provider(&format!("bad{number}"), &upstream.url(), &spec);
        manifests.write(&format!("bad{number}.yaml"), &yaml);
    }
    let proxy = Launch::new().without_waiting().start_from(manifests);
    for (number, headers) in bad.iter().enumerate() {
        let (name, field) = (format!("/bad{number}.yaml:"), "spec.headers");
        proxy.wait_log(|line| {
            let text = |member: &str| line[member].as_str().unwrap_or_default().to_owned();
            text("level") == "ERROR"
                && text("place").contains(&name)
                && text("field").starts_with(field)
        });
        let refused = Caller::Messages.ask(&mut proxy.client(), "m");
        assert_eq!(refused.refusal(), "503 not_ready anthropic/api_error", "{headers}");
    }
    for number in 0..bad.len() {
        proxy.manifests.remove(&format!("bad{number}.yaml"));
    }
    proxy.wait_ready();
    assert_eq!(Caller::Messages.ask(&mut proxy.client(), "m").status(), 200);
    assert_eq!(upstream.wait_requests(1)[0].text(), body("m"));
}

#[test]
fn a_providers_header_rules() {
    let upstream = obliging();
    let spec =
        "  headers: { set: { X-Title: ours, x-new: \"2\" }, remove: [x-Internal, x-title] }\n";
    let proxy = with_spec(&upstream, spec);
    let sent_headers = [("x-title", "theirs"), ("x-internal", "1"), ("x-other", "1")];
    let head = sent(&proxy, &upstream, CHAT, &sent_headers).head;
    assert_eq!(head.all("x-title"), ["ours"]);
    assert_eq!(head.header("x-new"), Some("2"));
    assert_eq!(head.header("x-internal"), None);
    assert_eq!(head.header("x-other"), Some("1"));
}

/// FAULTS 55.
#[test]
fn fault_55_an_upstreams_refusal_comes_back_as_it_is() {
    for status in [
        "400 Bad Request",
        "401 Unauthorized",
        "403 Forbidden",
        "404 Not Found",
        "413 Payload Too Large",
        "429 Too Many Requests",
        "500 Internal Server Error",
        "503 Service Unavailable",
        "529 Site is overloaded",
    ] {
        let body = "{\"type\":\"error\", \"error\":{\"message\":\"no\"} }";
        let upstream = Upstream::replying(move |_| {
            format!(
                "HTTP/1.1 {status}\r\nretry-after: 7\r\nretry-after-ms: 7100\r\n\
                 x-should-retry: true\r\nrequest-id: req_1\r\nx-request-id: req_2\r\n\
                 anthropic-ratelimit-tokens-reset: 2026-01-01T00:00:00Z\r\n\
                 x-ratelimit-remaining-requests: 0\r\nset-cookie: a=1; Secure\r\n\
                 set-cookie: b=2\r\nContent-Type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            )
            .into_bytes()
        });
        let proxy = proxy_to(&upstream);
        let answer = Caller::Messages.ask(&mut proxy.client(), "m");
        let code: u16 = status[..3].parse().unwrap();
        assert_eq!((answer.status(), answer.text()), (code, body));
        for (name, value) in [
            ("retry-after", "7"),
            ("retry-after-ms", "7100"),
            ("x-should-retry", "true"),
            ("request-id", "req_1"),
            ("x-request-id", "req_2"),
            ("anthropic-ratelimit-tokens-reset", "2026-01-01T00:00:00Z"),
            ("x-ratelimit-remaining-requests", "0"),
            ("content-type", "application/json"),
        ] {
            assert_eq!(answer.head.header(name), Some(value), "{status}");
        }
        assert_eq!(answer.head.all("set-cookie"), ["a=1; Secure", "b=2"]);
        assert_eq!(answer.head.header("x-pillion-reason"), None);
        assert_eq!(upstream.requests().len(), 1, "{status} was tried again");
        let line = &proxy.wait_access_log(1)[0];
        assert_eq!((&line["status"], &line["request_id"]), (&code.into(), &"req_1".into()));
    }
}

/// FAULTS 54.
#[test]
fn fault_54_a_redirect_is_passed_on_and_never_followed() {
    let elsewhere = obliging();
    let location = format!("{}/v1/messages", elsewhere.url());
    for status in [
        "301 Moved Permanently",
        "302 Found",
        "303 See Other",
        "307 Temporary Redirect",
        "308 Permanent Redirect",
    ] {
        let there = location.clone();
        let upstream = Upstream::replying(move |_| {
            format!("HTTP/1.1 {status}\r\nlocation: {there}\r\ncontent-length: 0\r\n\r\n").into()
        });
        let answer = Caller::Messages.ask(&mut proxy_to(&upstream).client(), "m");
        assert_eq!(answer.status().to_string(), status[..3]);
        assert_eq!(answer.head.header("location"), Some(location.as_str()));
    }
    assert_eq!(elsewhere.connections(), 0);
}

/// A proxy to an Anthropic provider in one of the modes.
fn in_mode(upstream: &Upstream, mode: &str) -> Proxy {
    let spec = format!(
        "  provider: Anthropic\n  endpoints: [{{ api: AnthropicMessages, baseUrl: \"{}\" }}]\n  \
         keys: [{{ name: main, secretRef: {{ name: there, key: k }} }}]\n  clientCredentials: {mode}\n",
        upstream.url()
    );
    let yaml = object("ProviderSecret", "there", &spec) + &secret("there", "k", &key("there"));
    Proxy::start(&(yaml + &all_to("there")))
}

/// Every credential in a request, as `name: value` lines.
fn credentials(request: &Recorded) -> String {
    let carries = ["authorization", "x-api-key", "api-key", "x-goog-api-key", "cookie"];
    let headers = request.head.headers.iter();
    let carried = headers.filter(|(name, _)| carries.contains(&name.to_lowercase().as_str()));
    let lines: Vec<String> = carried.map(|(name, value)| format!("{name}: {value}")).collect();
    lines.join("; ")
}

#[test]
fn the_modes_of_client_credentials() {
    let ours = format!("x-api-key: {}", key("there"));
    for (mode, name, value, expected) in [
        ("Replace", "authorization", "Bearer sk-ant-oat01-x", &*ours),
        ("Replace", "x-api-key", "sk-ant-api03-x", &ours),
        ("Forward", "authorization", "Bearer anything", "authorization: Bearer anything"),
        ("Forward", "x-api-key", "anything", "x-api-key: anything"),
        ("Forward", "cookie", "a=b", &ours),
        ("Forward", "x-none", "", &ours),
        (
            "ForwardIfProviderKey",
            "authorization",
            "Bearer sk-ant-oat01-x",
            "authorization: Bearer sk-ant-oat01-x",
        ),
        (
            "ForwardIfProviderKey",
            "authorization",
            "Bearer sk-ant-api03-x",
            "x-api-key: sk-ant-api03-x",
        ),
        ("ForwardIfProviderKey", "x-api-key", "sk-ant-api03-x", "x-api-key: sk-ant-api03-x"),
        ("ForwardIfProviderKey", "authorization", "Bearer sk-or-v1-x", &ours),
        ("ForwardIfProviderKey", "authorization", "Bearer team-a", &ours),
        ("ForwardIfProviderKey", "x-none", "", &ours),
    ] {
        let upstream = obliging();
        let proxy = in_mode(&upstream, mode);
        let request = sent(&proxy, &upstream, MESSAGES, &[(name, value)]);
        assert_eq!(credentials(&request), expected, "{mode} {name}: {value}");
        let line = &proxy.wait_access_log(1)[0];
        let account = line["account"].as_str();
        assert_eq!(account, (expected == ours).then_some("main"), "{mode} {name}");
    }
}

/// A route that only holders of this key may use, to this provider.
fn guarded(name: &str, model: &str, provider: &str) -> String {
    let client = format!("team-{name}-{CANARY}");
    let spec = format!(
        "  clients: [{{ name: {name}, keyRef: {{ name: {name}-key, key: k }} }}]\n  rules: [{{ \
         matches: [{{ model: {model} }}], targets: [{{ provider: {{ name: {provider} }} }}] }}]\n"
    );
    object("LlmRoute", name, &spec) + &secret(&format!("{name}-key"), "k", &client)
}

#[test]
fn client_keys_open_their_own_route_and_stay_here() {
    let upstream = obliging();
    let forwarding = provider("there", &upstream.url(), "  clientCredentials: Forward\n");
    let yaml = forwarding + &guarded("a", "for-a", "there") + &guarded("b", "for-b", "there");
    let proxy = Proxy::start(&yaml);
    let key_of = |name: &str| format!("team-{name}-{CANARY}");
    let ask = |caller: Caller, name: &str, value: &str, model: &str| -> Answer {
        let headers = [(name, value)];
        proxy.client().post(&caller.target(model), &headers, &body(model))
    };
    let (a, b) = (key_of("a"), key_of("b"));
    let bearer_a = format!("Bearer {a}");
    for (name, value) in [
        ("authorization", bearer_a.as_str()),
        ("x-api-key", &a),
        ("api-key", &a),
        ("x-goog-api-key", &a),
    ] {
        assert_eq!(ask(Caller::Messages, name, value, "for-a").status(), 200, "{name}");
    }
    let in_query = format!("/v1beta/models/for-a:generateContent?key={a}");
    assert_eq!(proxy.client().post(&in_query, &[], "{}").status(), 200);
    assert_eq!(upstream.wait_requests(5).len(), 5);
    // The key of another route is still nobody else's business.
    let both = [("x-api-key", a.as_str()), ("authorization", &b)];
    assert_eq!(proxy.client().post(MESSAGES, &both, &body("for-a")).status(), 200);
    for request in upstream.wait_requests(6) {
        assert_eq!(credentials(&request), format!("authorization: {}", bearer("there")));
        assert!(!String::from_utf8_lossy(&request.head.raw).contains("team-"));
    }
    for (caller, name, value, model, told) in [
        (Caller::Messages, "x-api-key", &*b, "for-a", "anthropic/authentication_error"),
        (Caller::Messages, "x-api-key", "", "for-a", "anthropic/authentication_error"),
        (Caller::Chat, "authorization", &a, "for-b", "openai/invalid_request_error"),
        (Caller::Chat, "x-none", "", "for-b", "openai/invalid_request_error"),
        (Caller::Gemini, "x-goog-api-key", "no", "for-a", "gemini/UNAUTHENTICATED"),
    ] {
        let answer = ask(caller, name, value, model);
        assert_eq!(answer.refusal(), format!("401 unauthorized {told}"));
        assert_eq!(answer.head.header("x-should-retry"), Some("false"));
    }
    assert_eq!(upstream.requests().len(), 6);
    let lines = proxy.wait_access_log(11);
    let names = lines.iter().filter(|line| line["client"] == "a").count();
    assert_eq!(names, 6, "{lines:?}");
}
