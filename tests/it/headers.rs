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

const REFUSAL: &str = "{\"type\":\"error\", \"error\":{\"message\":\"no\"} }";

/// What providers say along with a refusal.
const SAID: [(&str, &str); 10] = [
    ("retry-after", "7"),
    ("retry-after-ms", "7100"),
    ("x-should-retry", "true"),
    ("request-id", "req_1"),
    ("x-request-id", "req_2"),
    ("anthropic-ratelimit-tokens-reset", "2026-01-01T00:00:00Z"),
    ("x-ratelimit-remaining-requests", "0"),
    ("content-type", "application/json"),
    ("set-cookie", "a=1; Secure"),
    ("set-cookie", "b=2"),
];

/// FAULTS 55.
#[test]
fn fault_55_an_upstreams_refusal_comes_back_as_it_is() {
    // The model that is asked for is the status that is answered.
    let upstream = Upstream::replying(|request| {
        let status = request.text().replace(|c: char| !c.is_ascii_digit(), "");
        let lines = SAID.map(|(name, value)| format!("{name}: {value}\r\n")).concat();
        let length = REFUSAL.len();
        format!("HTTP/1.1 {status} No\r\n{lines}content-length: {length}\r\n\r\n{REFUSAL}").into()
    });
    let proxy = proxy_to(&upstream);
    let mut client = proxy.client();
    let statuses = [400, 401, 403, 404, 408, 409, 413, 429, 500, 503, 529];
    for status in statuses {
        let answer = Caller::Messages.ask(&mut client, &status.to_string());
        assert_eq!((answer.status(), answer.text()), (status, REFUSAL));
        for (name, value) in SAID {
            assert!(answer.head.all(name).contains(&value), "{status} {name}");
        }
        assert_eq!(answer.head.all("set-cookie").len(), 2);
        assert_eq!(answer.head.header("x-pillion-reason"), None);
    }
    assert_eq!(upstream.requests().len(), statuses.len(), "one was tried again");
    for (line, status) in proxy.wait_access_log(statuses.len()).iter().zip(statuses) {
        assert_eq!((&line["status"], &line["request_id"]), (&status.into(), &"req_1".into()));
        assert_eq!(line["outcome"], "served");
    }
}

/// FAULTS 54.
#[test]
fn fault_54_a_redirect_is_passed_on_and_never_followed() {
    let elsewhere = obliging();
    let location = format!("{}/v1/messages", elsewhere.url());
    let there = location.clone();
    let upstream = Upstream::replying(move |request| {
        let status = request.text().replace(|c: char| !c.is_ascii_digit(), "");
        let head = format!("HTTP/1.1 {status} There\r\nlocation: {there}\r\n");
        (head + "content-length: 0\r\n\r\n").into()
    });
    let proxy = proxy_to(&upstream);
    for status in [301, 302, 303, 307, 308] {
        let answer = Caller::Messages.ask(&mut proxy.client(), &status.to_string());
        assert_eq!(answer.status(), status);
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

/// What a client sends, and what goes upstream; `None` is the provider's own key.
type Exchange = ((&'static str, &'static str), Option<&'static str>);

#[track_caller]
fn check_mode(mode: &str, exchanges: &[Exchange]) {
    let upstream = obliging();
    let proxy = in_mode(&upstream, mode);
    let ours = format!("x-api-key: {}", key("there"));
    for (header, expected) in exchanges {
        let request = sent(&proxy, &upstream, MESSAGES, &[*header]);
        assert_eq!(credentials(&request), expected.unwrap_or(&ours), "{mode} {header:?}");
    }
    let lines = proxy.wait_access_log(exchanges.len());
    for (line, (header, expected)) in lines.iter().zip(exchanges) {
        let account = expected.is_none().then_some("main");
        assert_eq!(line["account"].as_str(), account, "{mode} {header:?}");
    }
}

#[test]
fn the_modes_of_client_credentials() {
    let oauth = ("authorization", "Bearer sk-ant-oat01-x");
    let api_key = ("x-api-key", "sk-ant-api03-x");
    let nothing = ("x-none", "");
    check_mode("Replace", &[(oauth, None), (api_key, None), (nothing, None)]);
    check_mode(
        "Forward",
        &[
            (("authorization", "Bearer anything"), Some("authorization: Bearer anything")),
            (("x-api-key", "anything"), Some("x-api-key: anything")),
            (("cookie", "a=b"), None),
            (nothing, None),
        ],
    );
    check_mode(
        "ForwardIfProviderKey",
        &[
            (oauth, Some("authorization: Bearer sk-ant-oat01-x")),
            (("authorization", "Bearer sk-ant-api03-x"), Some("x-api-key: sk-ant-api03-x")),
            (api_key, Some("x-api-key: sk-ant-api03-x")),
            (("authorization", "Bearer sk-or-v1-x"), None),
            (("authorization", "Bearer team-a"), None),
            (nothing, None),
        ],
    );
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
