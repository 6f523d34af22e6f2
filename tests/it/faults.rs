//! The rows of FAULTS that have no other home, and `docs/faults.md`, which says of each row what
//! Pillion does and which tests show it.

mod document;
mod h2;
mod processes;

use crate::support::dialects::CHAT;
use crate::support::proxy::Proxy;
use crate::support::refusal::{Caller, body};
use crate::support::upstream::{STREAM_HEAD, Upstream, chunk, json_answer};
use crate::support::wire::End;
use crate::support::yaml::{all_to, provider};

fn obliging() -> Upstream {
    Upstream::replying(|_| json_answer("200 OK", "{}"))
}

fn proxy_to(upstream: &Upstream) -> Proxy {
    Proxy::start(&(provider("there", &upstream.url(), "") + &all_to("there")))
}

/// A JSON call in raw bytes.
fn call(path: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!("POST {path} HTTP/1.1\r\nhost: a\r\ncontent-length: {length}\r\n\r\n");
    [head.as_bytes(), body].concat()
}

const PATHS: [&str; 3] = ["/v1/chat/completions", "/v1/messages", "/v1/responses"];

/// Each of these bodies arrives as it was sent, on each of the paths.
#[track_caller]
fn untouched(bodies: &[&[u8]]) {
    let upstream = obliging();
    let proxy = proxy_to(&upstream);
    let mut client = proxy.client();
    for path in PATHS {
        for body in bodies {
            let shown = String::from_utf8_lossy(body);
            let before = upstream.requests().len();
            assert_eq!(client.send(call(path, body)).answer().status(), 200, "{path} {shown}");
            assert!(upstream.wait_requests(before + 1)[before].body == *body, "{path} {shown}");
        }
    }
}

#[test]
fn fault_22_bytes_that_are_no_text() {
    untouched(&[
        b"{\"model\":\"m\",\"s\":\"\xff\xfe\xc3\x28\",\"\xf0\x28\":1}",
        b"{\"model\":\"m\",\"s\":\"\\ud800\",\"t\":\"\\udc00\\ud800\"}",
        b"{\"model\":\"m\",\"s\":\"\\u0000\"}",
        b"\xef\xbb\xbf{\"model\":\"m\"}",
    ]);
    // In the name that is routed on, nobody may have to guess.
    let upstream = obliging();
    let proxy = proxy_to(&upstream);
    for name in [&b"\\ud800"[..], b"\xff", b"\\udc00\\ud800"] {
        let body = [b"{\"model\":\"", name, b"\"}"].concat();
        let answer = proxy.client().send(call("/v1/messages", &body)).answer();
        assert_eq!(answer.refusal(), "400 bad_request anthropic/invalid_request_error");
    }
    assert_eq!(upstream.connections(), 0);
}

#[test]
fn fault_24_numbers_keep_their_spelling() {
    untouched(&[
        b"{\"model\":\"m\",\"n\":[1.0,1e2,1E+2,-0,-0.0,1e400,-1e-400,9223372036854775808]}",
        b"{\"model\":\"m\",\"n\":0.1000000000000000055511151231257827,\"k\":100000000000000000000}",
    ]);
}

#[test]
fn fault_25_members_of_a_wrong_type_are_the_upstreams_to_judge() {
    untouched(&[
        b"{\"model\":\"m\",\"stream\":\"true\"}",
        b"{\"model\":\"m\",\"stream\":1,\"stream_options\":7}",
        b"{\"model\":\"m\",\"messages\":{},\"max_tokens\":\"9\"}",
        b"{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":7}]}",
    ]);
    // But for the one that is routed on.
    let upstream = obliging();
    let proxy = proxy_to(&upstream);
    for model in ["7", "null", "[\"m\"]", "{}"] {
        let body = format!("{{\"model\":{model}}}");
        let answer = proxy.client().send(call("/v1/messages", body.as_bytes())).answer();
        assert_eq!(answer.refusal(), "400 bad_request anthropic/invalid_request_error", "{model}");
    }
}

/// An LlmRoute of this name and age, to a provider of the same name.
fn aged(name: &str, year: u16) -> String {
    format!(
        "---\napiVersion: pillion.dev/v1alpha1\nkind: LlmRoute\nmetadata: {{ name: {name}, \
         namespace: default, creationTimestamp: \"{year}-01-01T00:00:00Z\" }}\nspec:\n  rules: \
         [{{ name: all, matches: [{{ model: m }}], targets: [{{ provider: {{ name: {name} }} }}] \
         }}]\n"
    )
}

#[test]
fn fault_35_of_two_equal_claims_the_older_wins_and_the_other_is_told() {
    let (one, two) = (obliging(), obliging());
    let providers = provider("one", &one.url(), "") + &provider("two", &two.url(), "");
    for (years, winner, loser) in [((2020, 2021), "one", "two"), ((2021, 2020), "two", "one")] {
        let routes = aged("one", years.0) + &aged("two", years.1);
        let proxy = Proxy::start(&(providers.clone() + &routes));
        let told = proxy.wait_log(|line| line.to_string().contains("claims the same calls"));
        assert!(told["object"].as_str().unwrap().ends_with(loser), "{told}");
        let (before, model) = ((one.requests().len(), two.requests().len()), body("m"));
        for _ in 0..5 {
            assert_eq!(proxy.client().post("/v1/responses", &[], &model).status(), 200);
        }
        let got = (one.requests().len() - before.0, two.requests().len() - before.1);
        assert_eq!(got, if winner == "one" { (5, 0) } else { (0, 5) });
    }
}

#[test]
fn fault_56_what_an_upstream_says_for_a_stream_is_passed_on() {
    let html = "<html>gateway</html>";
    let plain = |kind: &str, text: &str| {
        let length = text.len();
        format!("HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\n\r\n{text}")
            .into_bytes()
    };
    let error = "data: {\"error\":{\"message\":\"no\",\"code\":429}}\n\n";
    let first = [STREAM_HEAD, &chunk(error), b"0\r\n\r\n"].concat();
    for (answer, text) in [
        (plain("text/html", html), html),
        (plain("application/json", ""), ""),
        (
            plain("application/json", "{\"error\":{\"message\":\"x\"}}"),
            "{\"error\":{\"message\":\"x\"}}",
        ),
        (first, error),
    ] {
        let upstream = Upstream::replying(move |_| answer.clone());
        let proxy = proxy_to(&upstream);
        let mut client = proxy.client();
        for _ in 0..2 {
            let got = client.post(CHAT.target, &[], CHAT.body);
            assert_eq!((got.status(), got.text()), (200, text));
            assert_eq!(got.end, End::Whole(Vec::new()), "{text}");
        }
        assert_eq!(upstream.connections(), 1, "{text}");
    }
    // A stream that says nothing at all is no success.
    let empty = Upstream::replying(|_| [STREAM_HEAD, b"0\r\n\r\n"].concat());
    let got = Caller::Chat.ask(&mut proxy_to(&empty).client(), "m");
    assert!(got.text().starts_with(CHAT.error), "{}", got.text());
}
