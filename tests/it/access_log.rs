//! The access log: one line of JSON a call, whichever way it ends, and nothing that is secret.

use serde_json::Value;

use crate::support::client::request;
use crate::support::dialects::{CHAT, MESSAGES, streaming};
use crate::support::proxy::{Launch, Proxy};
use crate::support::upstream::{Closing, LAST_CHUNK, Upstream, chunk, json_answer};
use crate::support::yaml::{all_to, provider, route};

fn proxy_to(upstream: &Upstream) -> Proxy {
    Proxy::start(&(provider("there", &upstream.url(), "") + &all_to("there")))
}

fn answering() -> Upstream {
    Upstream::replying(|_| json_answer("200 OK", "{}"))
}

fn keys(line: &Value) -> String {
    let keys: Vec<&str> = line.as_object().unwrap().keys().map(String::as_str).collect();
    keys.join(" ")
}

/// Every line has these.
const ALWAYS: [&str; 8] =
    ["time", "method", "path", "operation", "status", "outcome", "response_bytes", "duration_ms"];

#[test]
fn a_streamed_call_is_told_in_full() {
    let upstream = streaming(MESSAGES.first, |connection| {
        connection.write(chunk(MESSAGES.last))?;
        connection.write(LAST_CHUNK)
    });
    let rules = "[{ name: all, targets: [{ provider: { name: there }, model: renamed }] }]";
    let proxy = Proxy::start(&(provider("there", &upstream.url(), "") + &route("r", rules)));
    let session = [("x-claude-code-session-id", "session-7")];
    proxy.client().post(MESSAGES.target, &session, MESSAGES.body);
    let line = &proxy.wait_access_log(1)[0];
    assert_eq!(
        keys(line),
        "time method path api operation route rule provider account session model model_sent \
         upstream status outcome request_bytes response_bytes duration_ms first_byte_ms \
         first_token_ms input_tokens output_tokens"
    );
    for (key, value) in [
        ("method", "POST"),
        ("path", "/v1/messages"),
        ("api", "AnthropicMessages"),
        ("operation", "chat"),
        ("route", "default/r"),
        ("rule", "all"),
        ("provider", "default/there"),
        ("account", "main"),
        ("session", "session-7"),
        ("model", "m"),
        ("model_sent", "renamed"),
        ("upstream", &upstream.address().to_string()),
        ("outcome", "served"),
    ] {
        assert_eq!(line[key], value, "{key}");
    }
    assert_eq!(line["status"], 200);
    assert_eq!(line["request_bytes"], MESSAGES.body.len());
    assert_eq!(line["response_bytes"], MESSAGES.whole().len());
    let clock = |key: &str| line[key].as_f64().unwrap();
    assert!(clock("first_byte_ms") <= clock("first_token_ms"));
    assert!(clock("first_token_ms") <= clock("duration_ms"));
    let time = line["time"].as_str().unwrap();
    assert!(time.starts_with("20") && time.ends_with('Z') && time.len() == 24, "{time}");
}

#[test]
fn every_end_is_one_line() {
    let upstream = Upstream::start(|connection| {
        while let Some(request) = connection.request()? {
            match request.text() {
                text if text.contains("broken") => return connection.close(),
                text if text.contains("silent") => return connection.wait_left(),
                text if text.contains("limited") => {
                    connection.write(json_answer("429 Too Many Requests", "{}"))?;
                }
                _ => connection.write(json_answer("200 OK", "{}"))?,
            }
        }
        Ok(())
    });
    let rules = "[{ matches: [{ model: \"m-*\" }], targets: [{ provider: { name: there } }] }, \
                 { matches: [{ model: nowhere }], targets: [{ provider: { name: gone } }] }]";
    let gone = provider("gone", "http://127.0.0.1:1", "");
    let manifests = provider("there", &upstream.url(), "") + &gone + &route("r", rules);
    let proxy = Launch::new().flag("--body-limit", "1Ki").start(&manifests);
    let large = format!("{{\"model\":\"m-large\",\"x\":\"{}\"}}", "x".repeat(2000));
    for (target, body, status, outcome) in [
        (CHAT.target, "{\"model\":\"m-1\"}", 200, "served"),
        (CHAT.target, "{\"model\":\"m-limited\"}", 429, "served"),
        (CHAT.target, "{\"model\":\"unknown\"}", 404, "no_route"),
        ("/nothing/here", "{}", 404, "no_route"),
        (CHAT.target, "{\"model\":", 400, "bad_request"),
        ("/v1//chat/completions", "{}", 400, "bad_request"),
        (CHAT.target, &large, 413, "body_too_large"),
        (CHAT.target, "{\"model\":\"nowhere\"}", 502, "connect_failed"),
        (CHAT.target, "{\"model\":\"m-broken\"}", 502, "upstream_broken"),
    ] {
        let before = proxy.wait_access_log(0).len();
        assert_eq!(proxy.client().post(target, &[], body).status(), status, "{body}");
        let lines = proxy.wait_access_log(before + 1);
        assert_eq!(lines.len(), before + 1, "{body}");
        let line = &lines[before];
        assert_eq!(
            (&line["status"], &line["outcome"]),
            (&status.into(), &outcome.into()),
            "{body}"
        );
        for key in ALWAYS {
            assert!(!line[key].is_null(), "{key} is not in {line}");
        }
    }
    let told = proxy.wait_access_log(9);
    assert!(told[8]["detail"].is_string() && told[0]["detail"].is_null());
    assert_eq!(proxy.client().get("/v1/models", &[]).status(), 200);
    let own = &proxy.wait_access_log(10)[9];
    assert_eq!((&own["path"], &own["outcome"]), (&"/v1/models".into(), &"served".into()));

    let mut left = proxy.client();
    left.send(request("POST", CHAT.target, &[], "{\"model\":\"m-silent\"}"));
    // One was sent twice: the connection that broke off had been used before.
    upstream.wait_requests(5);
    drop(left);
    let line = &proxy.wait_access_log(11)[10];
    assert_eq!((&line["outcome"], &line["status"]), (&"client_closed".into(), &0.into()));
    assert_eq!(line["provider"], "default/there");
}

#[test]
fn fault_64_what_callers_write_cannot_break_a_line() {
    let upstream = answering();
    let proxy = proxy_to(&upstream);
    for hostile in [
        "\u{1b}[31mred\u{1b}[0m",
        "new\nline\r\n{\"outcome\":\"forged\"}",
        "quote\"back\\slash\u{0}",
        "\u{2028}\u{202e}right-to-left",
        &"long ".repeat(200),
    ] {
        let before = proxy.wait_access_log(0).len();
        let body = format!("{{\"model\":{}}}", Value::from(hostile));
        let session = [("x-claude-code-session-id", "\u{e9}\t\"}{\\")];
        assert_eq!(proxy.client().post(CHAT.target, &session, &body).status(), 200);
        let lines = proxy.wait_access_log(before + 1);
        assert_eq!(lines.len(), before + 1);
        let logged = lines[before]["model"].as_str().unwrap();
        assert!(hostile.starts_with(logged) && logged.len() <= 256, "{logged:?}");
        assert_eq!(lines[before]["outcome"], "served");
    }
    // The raw bytes hold no control character but the line feeds between lines.
    let raw = proxy.raw_access_log();
    assert!(raw.bytes().all(|byte| byte == b'\n' || byte >= b' '), "{raw:?}");
}

#[test]
fn fault_65_neither_query_nor_headers_nor_bodies_are_logged() {
    let upstream = answering();
    let proxy = proxy_to(&upstream);
    let target = "/v1beta/models/m:generateContent?key=query-secret&alt=json";
    let headers = [
        ("authorization", "Bearer header-secret"),
        ("x-api-key", "header-secret"),
        ("cookie", "session=header-secret"),
    ];
    proxy.client().post(target, &headers, "{\"contents\":\"body-secret\"}");
    proxy.client().get("/v1/models?key=query-secret", &headers);
    proxy.client().get("/nothing?key=query-secret", &headers);
    let lines = proxy.wait_access_log(3);
    assert_eq!(lines[0]["path"], "/v1beta/models/m:generateContent");
    let everything =
        [proxy.raw_access_log(), format!("{:?}", proxy.log()), proxy.metrics()].concat();
    for secret in ["query-secret", "header-secret", "body-secret"] {
        assert!(!everything.contains(secret), "{secret} in {everything}");
    }
}

#[test]
fn lines_are_there_when_the_process_has_ended() {
    let upstream = answering();
    let mut proxy = proxy_to(&upstream);
    let mut client = proxy.client();
    for _ in 0..100 {
        client.post(CHAT.target, &[], CHAT.body);
    }
    proxy.terminate();
    assert!(proxy.wait_exit().success());
    assert_eq!(proxy.wait_access_log(0).len(), 100);
    drop(client);
    assert_eq!(upstream.wait_closed(0), Closing::Done);
}
