//! FAULTS 21 to 26: bodies that no translation can be made of, and those that only look so.

use serde_json::Value;

use super::sides::{CHAT, MESSAGES, PAIRS, RESPONSES, Side};
use crate::support::client::{Answer, Client};
use crate::support::codings::{CODINGS, gzip};
use crate::support::proxy::{Launch, Proxy};
use crate::support::upstream::{Recorded, Upstream, json_answer};

const COUNT_TOKENS: &str = "/v1/messages/count_tokens";

/// A pair of dialects with a proxy between them.
struct Between {
    client: Side,
    upstream: Upstream,
    proxy: Proxy,
}

impl Between {
    fn all() -> Vec<Self> {
        PAIRS.map(|(client, upstream)| Self::of(client, upstream)).into()
    }

    fn of(client: Side, side: Side) -> Self {
        let upstream = Upstream::replying(move |_| json_answer("200 OK", side.answer));
        let proxy = super::proxy(side.api, &upstream);
        Self { client, upstream, proxy }
    }

    /// 400 in the caller's dialect, and nothing at the upstream; says why.
    #[track_caller]
    fn refuses(&self, body: &[u8]) -> String {
        let answer = post(&mut self.proxy.client(), self.client.target, &[], body);
        let kind = format!("400 bad_request {}/invalid_request_error", self.client.family());
        assert_eq!(answer.refusal(), kind, "{}", shown(body));
        assert!(self.upstream.requests().is_empty(), "{}", shown(body));
        self.client.message(&answer.json())
    }

    /// What reaches the upstream.
    #[track_caller]
    fn takes(&self, headers: &[(&str, &str)], body: &[u8]) -> Recorded {
        let before = self.upstream.requests().len();
        let answer = post(&mut self.proxy.client(), self.client.target, headers, body);
        assert_eq!(answer.status(), 200, "{} {}", answer.text(), shown(body));
        self.upstream.wait_requests(before + 1).swap_remove(before)
    }
}

fn post(client: &mut Client, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
    // An answer may come, and the connection end, before all of it is sent.
    drop(client.try_send(message(target, headers, body)));
    client.answer()
}

fn message(target: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let lines: String =
        headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let length = body.len();
    let head =
        format!("POST {target} HTTP/1.1\r\nhost: a\r\n{lines}content-length: {length}\r\n\r\n");
    [head.as_bytes(), body].concat()
}

fn shown(body: &[u8]) -> String {
    String::from_utf8_lossy(&body[..body.len().min(120)]).into_owned()
}

fn deep(levels: usize) -> String {
    "[".repeat(levels) + &"]".repeat(levels)
}

/// A tool with this schema, as the dialect has it.
fn tool(side: &Side, schema: &str) -> String {
    let tool = match side.api {
        "OpenAiChat" => format!(
            "{{\"type\":\"function\",\"function\":{{\"name\":\"f\",\"parameters\":{schema}}}}}"
        ),
        "AnthropicMessages" => format!("{{\"name\":\"f\",\"input_schema\":{schema}}}"),
        _ => format!("{{\"type\":\"function\",\"name\":\"f\",\"parameters\":{schema}}}"),
    };
    format!("\"tools\":[{tool}]")
}

#[test]
fn fault_21_what_is_too_deep_is_not_translated() {
    for between in Between::all() {
        let client = between.client;
        for levels in [10_000, 1_000_000] {
            let schema = format!("{{\"type\":\"object\",\"default\":{}}}", deep(levels));
            for member in [format!("\"unknown\":{}", deep(levels)), tool(&client, &schema)] {
                let why = between.refuses(client.call_with(&member).as_bytes());
                assert!(why.contains("more than 100 deep"), "{why}");
            }
            let open = format!("{{\"model\":\"m\",\"x\":{}", "[".repeat(levels));
            between.refuses(open.as_bytes());
        }
        let schema = format!("{{\"type\":\"object\",\"default\":{}}}", deep(90));
        let sent = between.takes(&[], client.call_with(&tool(&client, &schema)).as_bytes());
        assert!(sent.text().contains(&deep(90)), "{}", sent.text());
    }
}

/// What stands in a string is no JSON of the caller's, but would be the upstream's.
#[test]
fn fault_21_deep_arguments_stay_text() {
    for (client, said) in [
        (
            CHAT,
            r#""messages":[{"role":"user","content":"x"},{"role":"assistant","tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"DEEP"}}]},{"role":"tool","tool_call_id":"c","content":"r"}]"#,
        ),
        (
            RESPONSES,
            r#""input":[{"role":"user","content":"x"},{"type":"function_call","call_id":"c","name":"f","arguments":"DEEP"},{"type":"function_call_output","call_id":"c","output":"r"}]"#,
        ),
    ] {
        let between = Between::of(client, MESSAGES);
        let body = format!("{{\"model\":\"m\",{said}}}");
        let deep = format!("{{\\\"a\\\":{}}}", deep(1_000_000));
        let sent = between.takes(&[], body.replace("DEEP", &deep).as_bytes());
        let sent: Value = sent.text().parse().unwrap();
        let input = &sent["messages"][1]["content"][0]["input"]["input"];
        assert!(input.as_str().unwrap().starts_with("{\"a\":[["), "{input}");
    }
}

#[test]
fn fault_22_text_arrives_as_it_is_or_not_at_all() {
    for between in Between::all() {
        let client = between.client;
        let call = client.call(false);
        let with = |text: &[u8]| {
            let at = call.find("hi").unwrap();
            [&call.as_bytes()[..at], text, &call.as_bytes()[at + 2..]].concat()
        };
        for text in [&b"\xff\xfe"[..], b"\xc3\x28", b"\xed\xa0\x80", b"\\ud800", b"\\udc00\\ud800"]
        {
            between.refuses(&with(text));
        }
        between.refuses(&[b"\xef\xbb\xbf", call.as_bytes()].concat());
        between.refuses(&with(b"\x00"));
        let hard = r"\u0000 \u001b \u2028 \ud83d\ude00 \/ \u00e9";
        let sent: Value = between.takes(&[], &with(hard.as_bytes())).text().parse().unwrap();
        let said = sent.to_string();
        assert!(said.contains(r"\u0000 \u001b") && said.contains("\u{2028} \u{1f600} / \u{e9}"));
        // In a schema, nobody has to understand it.
        let schema = r#"{"type":"object","properties":{},"x":"\ud800 \u0000"}"#;
        let sent = between.takes(&[], client.call_with(&tool(&client, schema)).as_bytes());
        assert!(sent.text().contains(r"\ud800 \u0000"), "{}", sent.text());
    }
}

#[test]
fn fault_23_what_stands_twice_is_not_translated() {
    for between in Between::all() {
        let client = between.client;
        let (messages, inner) = match client.api {
            "OpenAiResponses" => {
                ("\"input\":\"x\"", r#""input":[{"role":"user","role":"system","content":"x"}]"#)
            }
            "AnthropicMessages" => (
                "\"messages\":[]",
                r#""max_tokens":9,"messages":[{"role":"user","role":"assistant","content":"x"}]"#,
            ),
            _ => {
                ("\"messages\":[]", r#""messages":[{"role":"user","role":"system","content":"x"}]"#)
            }
        };
        for member in [
            "\"model\":\"other\"",
            "\"mod\\u0065l\":\"other\"",
            "\"stream\":true,\"stream\":false",
            "\"temperature\":0,\"temp\\u0065rature\":1",
            "\"unknown\":1,\"unknown\":2",
            messages,
        ] {
            between.refuses(client.call_with(member).as_bytes());
        }
        between.refuses(format!("{{\"model\":\"m\",{inner}}}").as_bytes());
    }
}

#[test]
fn fault_24_numbers_keep_their_value_or_are_refused() {
    let odd = "[1.0,1e2,-0,1e400,-1e-400,9223372036854775808,100000000000000000000,0.1000000000000000055511151231257827]";
    for between in Between::all() {
        let client = between.client;
        for number in ["1e400", "-1e400", "\"1\""] {
            between.refuses(client.call_with(&format!("\"temperature\":{number}")).as_bytes());
        }
        let limit = match client.api {
            "OpenAiResponses" => "max_output_tokens",
            _ => "max_completion_tokens",
        };
        if client.api != MESSAGES.api {
            for number in ["18446744073709551616", "1e400", "-1", "1.5"] {
                between.refuses(client.call_with(&format!("\"{limit}\":{number}")).as_bytes());
            }
            let large = client.call_with(&format!("\"{limit}\":9223372036854775808"));
            let sent = between.takes(&[], large.as_bytes());
            assert!(sent.text().contains("_tokens\":9223372036854775808"), "{}", sent.text());
        }
        let schema = format!("{{\"type\":\"object\",\"properties\":{{}},\"enum\":{odd}}}");
        let sent = between.takes(&[], client.call_with(&tool(&client, &schema)).as_bytes());
        assert!(sent.text().contains(odd), "{}", sent.text());
    }
    let between = Between::of(MESSAGES, CHAT);
    let history = r#"{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"x"},{"role":"assistant","content":[{"type":"tool_use","id":"c","name":"f","input":{"n":ODD}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"c","content":"r"}]}]}"#;
    let sent = between.takes(&[], history.replace("ODD", odd).as_bytes());
    assert!(sent.text().contains(&format!("{{\\\"n\\\":{odd}}}")), "{}", sent.text());
}

#[test]
fn fault_25_what_has_a_wrong_type_is_not_translated() {
    for between in Between::all() {
        let client = between.client;
        let bad = match client.api {
            "OpenAiResponses" => ["\"input\":{}", "\"input\":[7]", "\"input\":7"],
            _ => [
                "\"messages\":{}",
                "\"messages\":[7]",
                "\"messages\":[{\"role\":\"user\",\"content\":7}]",
            ],
        };
        for member in bad.into_iter().chain(["\"stream\":\"true\"", "\"stream\":1"]) {
            let body = match member.starts_with("\"stream") {
                true => client.call_with(member),
                false => format!("{{\"model\":\"m\",\"max_tokens\":9,{member}}}"),
            };
            let why = between.refuses(body.as_bytes());
            let name = member.split('"').nth(1).unwrap();
            assert!(why.contains(name), "{why}");
        }
        for body in ["", "[]", "null", "\"x\"", "{", "model"] {
            between.refuses(body.as_bytes());
        }
    }
}

#[test]
fn fault_26_compressed_bodies_are_translated_without_their_compression() {
    for between in Between::all() {
        let call = between.client.call(false);
        for (coding, encode) in CODINGS {
            let packed = encode(call.as_bytes());
            let sent = between.takes(&[("content-encoding", coding)], &packed);
            assert_eq!(sent.head.all("content-encoding"), [""; 0]);
            assert!(sent.text().contains("\"hi\""), "{coding}: {}", sent.text());
            let length = sent.body.len().to_string();
            assert_eq!(sent.head.header("content-length"), Some(length.as_str()));
        }
    }
    let between = Between::of(MESSAGES, CHAT);
    let told = "400 bad_request anthropic/invalid_request_error";
    let whole = gzip(MESSAGES.call(false).as_bytes());
    for (coding, body) in [
        ("gzip", &whole[..20]),
        ("gzip", b"{}"),
        ("zstd", b"{}"),
        ("gzip, gzip", &whole),
        ("x", b"{}"),
    ] {
        for target in [MESSAGES.target, COUNT_TOKENS] {
            let coded = [("content-encoding", coding)];
            let answer = post(&mut between.proxy.client(), target, &coded, body);
            assert_eq!(answer.refusal(), told, "{coding}");
        }
    }
    assert!(between.upstream.requests().is_empty());
}

/// A hundred kilobytes that become a hundred megabytes cost no more than the limit of any body, and
/// those that fit are held to the memory for all bodies.
#[test]
fn fault_26_a_bomb_is_refused() {
    let upstream = Upstream::replying(|_| json_answer("200 OK", CHAT.answer));
    let yaml = super::manifests(CHAT.api, &upstream);
    let limits = Launch::new().flag("--body-limit", "1Mi").flag("--body-memory", "300Ki");
    let proxy = limits.start(&yaml);
    let coded = [("content-encoding", "gzip")];
    for target in [MESSAGES.target, COUNT_TOKENS] {
        for kilobytes in [1025, 100 << 10] {
            let answer = post(&mut proxy.client(), target, &coded, &bomb(kilobytes));
            assert_eq!(answer.refusal(), "413 body_too_large anthropic/request_too_large");
        }
    }
    let answer = post(&mut proxy.client(), MESSAGES.target, &coded, &bomb(500));
    assert_eq!(answer.refusal(), "503 overloaded anthropic/overloaded_error");
    assert!(upstream.requests().is_empty());
    let answer = post(&mut proxy.client(), MESSAGES.target, &coded, &bomb(100));
    assert_eq!(answer.status(), 200);
    assert!(upstream.requests()[0].body.len() > 100 << 10);
}

/// A call that says so many kilobytes, compressed.
fn bomb(kilobytes: usize) -> Vec<u8> {
    let call = MESSAGES.call(false);
    let (before, after) = call.split_once("hi").unwrap();
    let kilobyte = gzip(&[b'x'; 1 << 10]);
    [gzip(before.as_bytes()), kilobyte.repeat(kilobytes), gzip(after.as_bytes())].concat()
}
