//! Paths and methods, from the client's request line to the upstream's.

use crate::support::client::Client;
use crate::support::proxy::Proxy;
use crate::support::refusal::{Caller, body};
use crate::support::upstream::{LAST_CHUNK, STREAM_HEAD, Upstream, chunk, json_answer};
use crate::support::wire::{End, Piece};
use crate::support::yaml::{all_to, endpoint, provider, route};

fn obliging() -> Upstream {
    Upstream::replying(|_| json_answer("200 OK", "{}"))
}

fn proxy_to(upstream: &Upstream) -> Proxy {
    Proxy::start(&(provider("there", &upstream.url(), "") + &all_to("there")))
}

/// The request line that reaches the upstream, for a request line and a JSON body of the client.
#[track_caller]
fn sent(proxy: &Proxy, upstream: &Upstream, target: &str, model: &str) -> String {
    let before = upstream.requests().len();
    let answer = proxy.client().post(target, &[], &body(model));
    assert_eq!(answer.status(), 200, "{target}: {}", answer.text());
    upstream.wait_requests(before + 1)[before].head.first_line.clone()
}

/// API, path of the base URL, path that the upstream is asked for; the bases are those of the
/// vendors' documents.
const BASES: [(&str, &str, &str); 26] = [
    ("AnthropicMessages", "", "/v1/messages"),
    ("AnthropicMessages", "/v1", "/v1/messages"),
    ("AnthropicMessages", "/api", "/api/v1/messages"),
    ("AnthropicMessages", "/anthropic", "/anthropic/v1/messages"),
    ("AnthropicMessages", "/anthropic/v1", "/anthropic/v1/messages"),
    ("AnthropicMessages", "/apps/anthropic", "/apps/anthropic/v1/messages"),
    (
        "AnthropicMessages",
        "/api/v2/apps/claude-code-proxy",
        "/api/v2/apps/claude-code-proxy/v1/messages",
    ),
    ("AnthropicMessages", "/api/anthropic", "/api/anthropic/v1/messages"),
    ("AnthropicMessages", "/coding/", "/coding/v1/messages"),
    ("OpenAiChat", "", "/v1/chat/completions"),
    ("OpenAiChat", "/", "/v1/chat/completions"),
    ("OpenAiChat", "/v1", "/v1/chat/completions"),
    ("OpenAiChat", "/v1/", "/v1/chat/completions"),
    ("OpenAiChat", "/openai/v1", "/openai/v1/chat/completions"),
    ("OpenAiChat", "/api/v1", "/api/v1/chat/completions"),
    ("OpenAiChat", "/compatible-mode/v1", "/compatible-mode/v1/chat/completions"),
    ("OpenAiChat", "/api/paas/v4", "/api/paas/v4/chat/completions"),
    ("OpenAiChat", "/api/coding/paas/v4/", "/api/coding/paas/v4/chat/completions"),
    ("OpenAiChat", "/v1beta/openai", "/v1beta/openai/chat/completions"),
    ("OpenAiChat", "/api/projects/p/openai/v1", "/api/projects/p/openai/v1/chat/completions"),
    (
        "OpenAiChat",
        "/v1/projects/p/locations/l/endpoints/openapi",
        "/v1/projects/p/locations/l/endpoints/openapi/chat/completions",
    ),
    ("OpenAiChat", "/a%2Fb/v1", "/a%2Fb/v1/chat/completions"),
    ("OpenAiChat", "/openai/deployments/{model}", "/openai/deployments/row-22/chat/completions"),
    ("Gemini", "", "/v1beta/models/row-23:generateContent"),
    ("Gemini", "/v1beta", "/v1beta/models/row-24:generateContent"),
    (
        "Gemini",
        "/v1/projects/p/locations/global/publishers/google",
        "/v1/projects/p/locations/global/publishers/google/models/row-25:generateContent",
    ),
];

#[test]
fn every_base_url_keeps_its_prefix_and_the_query() {
    let upstream = obliging();
    let mut yaml = String::new();
    let mut rules = String::new();
    for (row, (api, base, _)) in BASES.iter().enumerate() {
        yaml += &endpoint(&format!("p{row}"), api, &(upstream.url() + base));
        rules += &format!(
            "{{ matches: [{{ model: row-{row} }}], targets: [{{ provider: {{ name: p{row} }} }}] }},"
        );
    }
    let proxy = Proxy::start(&(yaml + &route("rows", &format!("[{rules}]"))));
    for (row, (api, base, expected)) in BASES.iter().enumerate() {
        let model = format!("row-{row}");
        let target = match *api {
            "AnthropicMessages" => "/v1/messages".to_owned(),
            "Gemini" => Caller::Gemini.target(&model),
            _ => "/v1/chat/completions".to_owned(),
        };
        let query = "?beta=true&a=%2F+%2f&&b";
        assert_eq!(
            sent(&proxy, &upstream, &(target + query), &model),
            format!("POST {expected}{query} HTTP/1.1"),
            "{api} {base}"
        );
    }
}

#[test]
fn a_dated_azure_deployment_has_the_model_in_its_path_and_its_version_first() {
    let upstream = obliging();
    let base = "/openai/deployments/{model}?api-version=2024-10-21";
    let proxy = Proxy::start(
        &(endpoint("azure", "OpenAiChat", &(upstream.url() + base)) + &all_to("azure")),
    );
    assert_eq!(
        sent(&proxy, &upstream, "/v1/chat/completions?x=1", "gpt-4o"),
        "POST /openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21&x=1 HTTP/1.1"
    );
}

/// FAULTS 27.
#[test]
fn fault_27_a_hostile_model_name_stays_one_segment_of_a_path() {
    let upstream = obliging();
    let base = "/openai/deployments/{model}";
    let proxy = Proxy::start(
        &(endpoint("azure", "OpenAiChat", &(upstream.url() + base)) + &all_to("azure")),
    );
    let target = "/v1/chat/completions";
    for (model, segment) in [
        ("a/b", "a%2Fb"),
        ("a b%2F", "a%20b%252F"),
        ("a\r\nx-evil: 1", "a%0D%0Ax-evil%3A%201"),
        ("a?b#c", "a%3Fb%23c"),
        ("..a", "..a"),
        ("é", "%C3%A9"),
    ] {
        assert_eq!(
            sent(&proxy, &upstream, target, model),
            format!("POST /openai/deployments/{segment}/chat/completions HTTP/1.1")
        );
    }
    let reached = upstream.requests().len();
    for model in ["..", ".", "", "../../admin", "a/../b", "a\\..\\b", "a/.."] {
        let answer = Caller::Chat.ask(&mut proxy.client(), model);
        let told = "400 bad_request openai/invalid_request_error";
        assert_eq!(answer.refusal(), told, "{model}");
    }
    let long = Caller::Chat.ask(&mut proxy.client(), &"m".repeat(10_000));
    assert_eq!(long.refusal(), "400 bad_request openai/invalid_request_error");
    assert_eq!(upstream.requests().len(), reached);
    assert!(!proxy.metrics().contains("evil"), "a model's name became a label");
}

#[test]
fn every_prefix_of_a_client_reaches_the_same_operation() {
    let upstream = obliging();
    let proxy = proxy_to(&upstream);
    for (prefixes, operation, expected) in [
        (
            &["", "/v1", "/v1/v1", "/openai", "/openai/v1", "/v1beta/openai"][..],
            "/chat/completions?q",
            "/v1/chat/completions?q",
        ),
        (&["", "/v1", "/v1/v1", "/openai/v1"], "/responses", "/v1/responses"),
        (
            &["", "/v1", "/v1/v1", "/anthropic", "/anthropic/v1"],
            "/messages?beta=true",
            "/v1/messages?beta=true",
        ),
        (
            &["/v1", "/anthropic/v1"],
            "/messages/count_tokens?beta=true",
            "/v1/messages/count_tokens?beta=true",
        ),
        (
            &["/v1beta", "/gemini/v1beta"],
            "/models/m:streamGenerateContent?alt=sse",
            "/v1beta/models/m:streamGenerateContent?alt=sse",
        ),
        (&["/v1/models/m:generateContent"], "", "/v1/models/m:generateContent"),
    ] {
        for prefix in prefixes {
            assert_eq!(
                sent(&proxy, &upstream, &format!("{prefix}{operation}"), "m"),
                format!("POST {expected} HTTP/1.1"),
                "{prefix}{operation}"
            );
        }
    }
}

#[test]
fn encoded_bytes_arrive_as_they_were_sent() {
    let upstream = obliging();
    let proxy = proxy_to(&upstream);
    let targets = [
        "/v1/files/a%2Fb%20%c3%A9%2e%7Ex?a=1&a=2&&b=%2f%2F%zz&c={%22}&d=/../",
        "/v1/models/ft:gpt-4o:org::1%3A",
        "/v1/files/",
    ];
    let mut client = proxy.client();
    for target in targets {
        let line = format!("DELETE {target} HTTP/1.1\r\nhost: a\r\n\r\n");
        assert_eq!(client.send(line).answer().status(), 200);
    }
    let requests = upstream.wait_requests(3);
    let arrived: Vec<&str> = requests.iter().map(|request| request.target()).collect();
    assert_eq!(arrived, targets);
}

/// FAULTS 7.
#[test]
fn fault_07_never_an_open_proxy() {
    let (upstream, elsewhere) = (obliging(), obliging());
    let proxy = proxy_to(&upstream);
    let other = elsewhere.address();
    let mut client = proxy.client();
    let answer = client
        .send(format!(
            "POST http://{other}/v1/messages HTTP/1.1\r\nhost: {other}\r\ncontent-length: 13\r\n\r\n\
             {{\"model\":\"m\"}}"
        ))
        .answer();
    assert_eq!(answer.status(), 200);
    let request = &upstream.wait_requests(1)[0];
    assert_eq!(request.head.first_line, "POST /v1/messages HTTP/1.1");
    assert_eq!(request.head.header("host"), Some(upstream.address().to_string().as_str()));
    for line in [
        format!("CONNECT {other} HTTP/1.1"),
        "TRACE /v1/messages HTTP/1.1".to_owned(),
        "OPTIONS * HTTP/1.1".to_owned(),
        "OPTIONS /v1/chat/completions HTTP/1.1".to_owned(),
        "BREW /v1/chat/completions HTTP/1.1".to_owned(),
        "PUT /v1/chat/completions HTTP/1.1".to_owned(),
    ] {
        let mut client = proxy.client();
        let answer = client.send(format!("{line}\r\nhost: {other}\r\n\r\n")).answer();
        assert_eq!(answer.status(), 405, "{line}");
        assert_eq!(answer.head.header("x-pillion-reason"), Some("method_not_allowed"));
        assert!(answer.head.header("allow").is_some());
    }
    assert_eq!((upstream.requests().len(), elsewhere.connections()), (1, 0));
}

/// FAULTS 8.
#[test]
fn fault_08_one_normal_form_of_paths() {
    let upstream = obliging();
    let proxy = proxy_to(&upstream);
    for target in [
        "//v1/messages",
        "/v1//messages",
        "/v1/./messages",
        "/v1/../v1/messages",
        "/v1/%2e%2E/messages",
        "/v1/files/a%2f..%2fb",
        "/v1/files/%2e%2e%2fb",
        "/v1/files/..",
        "/v1/files/a%00b",
        "/v1/files/a%5cb",
        "/v1/files/a\\b",
        "/anthropic/../metrics",
    ] {
        let mut client = proxy.client();
        let answer = client.post(target, &[("anthropic-version", "x")], "{}");
        // Some of these cannot even be parsed, and are refused below the pipeline.
        assert_eq!(answer.status(), 400, "{target}: {}", answer.text());
    }
    let dots = proxy.client().post("/anthropic/v1/../messages", &[], "{}");
    assert_eq!(dots.refusal(), "400 bad_request anthropic/invalid_request_error");
    for target in ["/metrics", "/table", "/readyz", "/livez", "/v2/x", "/admin", "/v1x"] {
        let answer = proxy.client().get(target, &[]);
        assert_eq!(answer.refusal(), "404 no_route openai/invalid_request_error", "{target}");
    }
    assert_eq!(upstream.connections(), 0);
}

/// FAULTS 15.
#[test]
fn fault_15_a_client_that_looks_whether_somebody_is_there() {
    let upstream = obliging();
    let proxy = proxy_to(&upstream);
    let mut client = proxy.client();
    for target in ["/", "/v1", "/anthropic", "/openai/v1/", "/v1beta", "/?x"] {
        assert_eq!(client.get(target, &[]).status(), 200, "{target}");
        client.send(format!("HEAD {target} HTTP/1.1\r\nhost: a\r\n\r\n"));
        assert_eq!(client.answer_to_head().status(), 200, "{target}");
    }
    client.send("HEAD /nowhere HTTP/1.1\r\nhost: a\r\n\r\n");
    assert_eq!(client.answer_to_head().status(), 404);
    let answer = client.get("/nowhere", &[("anthropic-version", "2023-06-01")]);
    assert_eq!(answer.refusal(), "404 no_route anthropic/not_found_error");
    assert_eq!(upstream.connections(), 0);
}

fn streaming() -> Upstream {
    Upstream::start(|connection| {
        while connection.request()?.is_some() {
            connection.write(STREAM_HEAD)?;
            connection.write(chunk("data: 1\n\n"))?;
            connection.write(chunk("data: [DONE]\n\n"))?;
            connection.write(LAST_CHUNK)?;
        }
        Ok(())
    })
}

/// FAULTS 16.
#[test]
fn fault_16_old_clients_get_no_chunks_and_the_end_by_closing() {
    let upstream = streaming();
    let proxy = proxy_to(&upstream);
    let body = "{\"model\":\"m\",\"stream\":true}";
    let length = body.len();
    let mut client = proxy.client();
    let answer = client
        .send(format!(
            "POST /v1/chat/completions HTTP/1.0\r\ncontent-length: {length}\r\n\r\n{body}"
        ))
        .answer();
    assert_eq!(answer.head.header("transfer-encoding"), None);
    assert_eq!(answer.text(), "data: 1\n\ndata: [DONE]\n\n");
    assert!(client.is_closed());

    let mut client = proxy.client();
    let answer = client.post("/v1/chat/completions", &[("connection", "close")], body);
    assert_eq!(answer.head.header("connection"), Some("close"));
    assert_eq!(answer.text(), "data: 1\n\ndata: [DONE]\n\n");
    assert_eq!(answer.end, End::Whole(Vec::new()));
    assert!(client.is_closed());

    let mut client = proxy.client();
    let answer = client.send("GET /v1/models HTTP/1.0\r\n\r\n").answer();
    assert_eq!(answer.status(), 200);
    assert!(client.is_closed());
    // The upstream's connections are ours, whatever a client wants of its own.
    assert_eq!(upstream.connections(), 1);
}

/// FAULTS 17.
#[test]
fn fault_17_no_upgrade_goes_through() {
    let upstream = Upstream::replying(|request| match request.target() {
        "/v1/realtime" => json_answer("426 Upgrade Required", "{}"),
        _ => {
            b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n"
                .to_vec()
        }
    });
    let proxy = proxy_to(&upstream);
    let upgrade = [
        ("connection", "Upgrade, HTTP2-Settings"),
        ("upgrade", "websocket"),
        ("http2-settings", "AAMAAABkAAQAoAAAAAIAAAAA"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];
    let answer = proxy.client().get("/v1/realtime", &upgrade);
    assert_eq!(answer.status(), 426);
    let request = &upstream.wait_requests(1)[0];
    for name in ["connection", "upgrade", "http2-settings"] {
        assert_eq!(request.head.header(name), None);
    }
    let forced = proxy.client().get("/v1/threads/t", &upgrade);
    assert_eq!(forced.refusal(), "502 upstream_broken openai/server_error");
    let h2c = proxy.client().get("/", &[("connection", "upgrade"), ("upgrade", "h2c")]);
    assert_eq!(h2c.head.first_line, "HTTP/1.1 200 OK");
}

/// FAULTS 17: prior knowledge is how h2c is served, and it is no tunnel.
#[test]
fn fault_17_the_http2_preface_is_answered_in_http2() {
    let upstream = obliging();
    let proxy = proxy_to(&upstream);
    let mut client = Client::connect(proxy.address());
    // Preface, and empty SETTINGS.
    client.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0");
    client.send(settings_ack());
    let Some(bytes) = client.raw(9) else { panic!("closed") };
    assert_eq!(bytes[3], 4, "the first frame is SETTINGS: {bytes:?}");
    assert_eq!(upstream.connections(), 0);
}

fn settings_ack() -> &'static [u8] {
    b"\0\0\0\x04\x01\0\0\0\0"
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let upstream = Upstream::replying(|request| json_answer("200 OK", request.text()));
    let proxy = proxy_to(&upstream);
    let mut client = proxy.client();
    for model in ["a", "b"] {
        client.send(crate::support::client::request("POST", "/v1/messages", &[], &body(model)));
    }
    assert_eq!(client.answer().text(), body("a"));
    assert_eq!(client.answer().text(), body("b"));
    client.send("GET / HTTP/1.1\r\nhost: a\r\nb ad: 1\r\n\r\n");
    assert_eq!(client.head().status(), 400);
    while !matches!(client.piece(), Piece::End(_)) {}
    assert!(client.is_closed());
}
