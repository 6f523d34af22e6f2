//! FAULTS 55: an upstream's refusals in the caller's dialect.

use super::sides::{MESSAGES, PAIRS};
use super::stage::Always;
use crate::support::upstream::json_answer;

const STATUSES: [(&str, &str, &str); 12] = [
    ("400 Bad Request", "invalid_request_error", "invalid_request_error"),
    ("401 Unauthorized", "authentication_error", "authentication_error"),
    ("402 Payment Required", "billing_error", "invalid_request_error"),
    ("403 Forbidden", "permission_error", "permission_error"),
    ("404 Not Found", "not_found_error", "invalid_request_error"),
    ("413 Content Too Large", "request_too_large", "invalid_request_error"),
    ("422 Unprocessable Content", "invalid_request_error", "invalid_request_error"),
    ("429 Too Many Requests", "rate_limit_error", "rate_limit_error"),
    ("500 Internal Server Error", "api_error", "server_error"),
    ("503 Service Unavailable", "overloaded_error", "service_unavailable_error"),
    ("504 Gateway Timeout", "timeout_error", "server_error"),
    ("529 Overloaded", "overloaded_error", "service_unavailable_error"),
];

/// What clients retry by, and what they find an answer again by.
const HEADERS: [(&str, &str); 9] = [
    ("retry-after", "7"),
    ("retry-after-ms", "7000"),
    ("x-should-retry", "false"),
    ("x-ratelimit-remaining-requests", "0"),
    ("x-ratelimit-reset-tokens", "6m0s"),
    ("anthropic-ratelimit-requests-remaining", "0"),
    ("anthropic-ratelimit-tokens-reset", "2026-01-01T00:00:00Z"),
    ("request-id", "req_1"),
    ("x-request-id", "req_1"),
];

/// The same refusal in the words of each kind of upstream.
fn bodies() -> [&'static str; 7] {
    [
        r#"{"error":{"message":"slow down","type":"t","param":null,"code":null}}"#,
        r#"{"type":"error","error":{"type":"t","message":"slow down"},"request_id":"req_1"}"#,
        r#"{"error":{"code":429,"message":"slow down","status":"RESOURCE_EXHAUSTED"}}"#,
        r#"{"error":"slow down"}"#,
        r#"{"message":"slow down"}"#,
        r#"{"detail":"slow down"}"#,
        "slow down\n",
    ]
}

/// An answer with these headers, too.
fn with(answer: Vec<u8>, headers: &[(&str, &str)]) -> Vec<u8> {
    let lines: String =
        headers.iter().map(|(name, value)| format!("\r\n{name}: {value}")).collect();
    let answer = String::from_utf8(answer).unwrap();
    answer.replacen("\r\n", &format!("{lines}\r\n"), 1).into_bytes()
}

#[test]
fn fault_55_refusals_are_translated_and_keep_status_and_headers() {
    for pair in PAIRS {
        let (always, client) = (Always::between(pair), pair.0);
        let of_the_body = [("etag", "\"1\""), ("content-md5", "x")];
        let headers = [HEADERS.as_slice(), &of_the_body].concat();
        for (status, anthropic, openai) in STATUSES {
            always.says(with(json_answer(status, bodies()[0]), &headers));
            for stream in [true, false] {
                let told = always.ask(stream);
                assert_eq!(told.status().to_string(), status[..3]);
                assert_eq!(client.message(&told.json()), "slow down");
                let kind = if client.api == MESSAGES.api { anthropic } else { openai };
                assert_eq!(told.json()["error"]["type"], kind, "{status}");
                for (name, value) in HEADERS {
                    assert_eq!(told.head.header(name), Some(value), "{status} {name}");
                }
                for (name, _) in of_the_body {
                    assert_eq!(told.head.header(name), None, "{name}");
                }
            }
        }
        for line in always.proxy.wait_access_log(2 * STATUSES.len()) {
            assert_eq!(line["request_id"], "req_1", "{line}");
        }
    }
}

#[test]
fn fault_55_refusals_of_every_form_are_read() {
    for pair in PAIRS {
        let always = Always::between(pair);
        for body in bodies() {
            let told = always.says(json_answer("429 Too Many Requests", body)).ask(true);
            let message = pair.0.message(&told.json());
            assert_eq!((told.status(), message.as_str()), (429, "slow down"));
        }
    }
}

/// A status that came counts, whatever becomes of the words.
#[test]
fn fault_55_a_refusal_without_words_keeps_its_status() {
    let long = format!("{{\"error\":{{\"message\":\"{}\"}}}}", "x".repeat(2 << 20));
    let deep = "[".repeat(1_000_000);
    for pair in PAIRS {
        let always = Always::between(pair);
        for body in ["", "<html>busy</html>", "{", "{}", "null", &deep, &long] {
            let told = always.says(json_answer("529 Overloaded", body)).ask(true);
            assert_eq!(told.status(), 529);
            pair.0.message(&told.json());
        }
        let cut = "HTTP/1.1 529 Overloaded\r\ncontent-length: 100\r\n\r\n{\"error\":";
        let told = always.says_and_closes(cut).ask(false);
        assert_eq!(told.status(), 529, "{}", told.text());
        pair.0.message(&told.json());
    }
}

/// One id under the names that both makers' clients look for.
#[test]
fn fault_55_the_id_of_an_answer_is_found_by_every_client() {
    for pair in PAIRS {
        let always = Always::between(pair);
        for given in ["request-id", "x-request-id"] {
            let answer = json_answer("200 OK", pair.1.answer);
            let told = always.says(with(answer, &[(given, "req_1")])).ask(false);
            for name in ["request-id", "x-request-id"] {
                assert_eq!(told.head.header(name), Some("req_1"), "{name}");
            }
        }
    }
}
