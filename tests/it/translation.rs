//! Targets that speak another dialect than the caller, through the real proxy: what they get, what
//! the caller gets, how streams end, what the books say.

mod answers;
mod document;
mod errors;
mod requests;
mod sides;
mod stage;
mod streams;

use serde_json::{Value, json};

use crate::support::client::request;
use crate::support::gate::Gate;
use crate::support::proxy::{CANARY, Proxy};
use crate::support::upstream::{LAST_CHUNK, Recorded, STREAM_HEAD, Upstream, chunk, json_answer};
use crate::support::yaml::{all_to, object, secret};

const MESSAGES: &str = "/v1/messages?beta=true";
const CHAT: &str = "/v1/chat/completions";

const CHAT_ANSWER: &str = r#"{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"glm-4.6","choices":[{"index":0,"message":{"role":"assistant","content":"hello"},"finish_reason":"stop"}],"usage":{"prompt_tokens":11,"completion_tokens":3,"total_tokens":14,"prompt_tokens_details":{"cached_tokens":5}}}"#;
const MESSAGES_ANSWER: &str = r#"{"id":"msg_1","type":"message","role":"assistant","model":"claude-x","content":[{"type":"text","text":"hello"}],"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":6,"output_tokens":3,"cache_read_input_tokens":5,"cache_creation_input_tokens":0}}"#;
const CHAT_HELLO: &str = r#"{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"glm-4.6","choices":[{"index":0,"delta":{"role":"assistant","content":"hello"},"finish_reason":null}]}"#;
const CHAT_FINISH: &str = r#"{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"glm-4.6","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#;
const CHAT_USAGE: &str = r#"{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"glm-4.6","choices":[],"usage":{"prompt_tokens":11,"completion_tokens":3,"total_tokens":14}}"#;

fn asked(stream: bool) -> String {
    json!({
        "model": "claude-alias", "max_tokens": 64, "stream": stream, "system": "be brief",
        "messages": [{ "role": "user", "content": "hi" }],
    })
    .to_string()
}

/// A proxy whose only provider speaks one API, and renames the model.
fn proxy(api: &str, upstream: &Upstream) -> Proxy {
    Proxy::start(&manifests(api, upstream))
}

fn manifests(api: &str, upstream: &Upstream) -> String {
    let provider = format!(
        "  provider: Custom\n  endpoints: [{{ api: {api}, baseUrl: \"{}\" }}]\n  keys: [{{ name: main, \
         secretRef: {{ name: there, key: api-key }} }}]\n",
        upstream.url()
    );
    object("ProviderSecret", "there", &provider)
        + &secret("there", "api-key", &format!("sk-{CANARY}-there"))
        + &all_to("there").replace("name: there }", "name: there }, model: glm-4.6")
}

fn event(data: &str) -> String {
    format!("data: {data}\n\n")
}

/// Names and data of the events of a stream.
fn events(text: &str) -> Vec<(String, Value)> {
    let read = |block: &str| {
        let line = |name: &str| block.lines().find_map(|line| line.strip_prefix(name));
        let data = line("data: ").unwrap_or("null");
        (line("event: ").unwrap_or_default().to_owned(), data.parse().unwrap_or(Value::Null))
    };
    text.split("\n\n").filter(|block| !block.is_empty()).map(read).collect()
}

fn only(upstream: &Upstream) -> Recorded {
    let mut requests = upstream.wait_requests(1);
    assert_eq!(requests.len(), 1);
    requests.remove(0)
}

#[test]
fn a_messages_call_reaches_a_chat_upstream_and_comes_back() {
    let upstream = Upstream::replying(|_| json_answer("200 OK", CHAT_ANSWER));
    let proxy = proxy("OpenAiChat", &upstream);
    let own = [
        ("x-api-key", "the-callers-own"),
        ("anthropic-version", "2023-06-01"),
        ("anthropic-beta", "a,b"),
        ("x-unknown", "kept"),
    ];
    let answer = proxy.client().post(MESSAGES, &own, &asked(false));
    assert_eq!(
        (answer.status(), answer.head.header("content-type")),
        (200, Some("application/json"))
    );
    let told = answer.json();
    assert_eq!(told["type"], "message");
    assert_eq!(told["content"], json!([{ "type": "text", "text": "hello" }]));
    assert_eq!(told["stop_reason"], "end_turn");
    assert_eq!(told["usage"]["input_tokens"], 6);
    assert_eq!(told["usage"]["cache_read_input_tokens"], 5);

    let sent = only(&upstream);
    assert_eq!((sent.method(), sent.target()), ("POST", "/v1/chat/completions"));
    let key = format!("Bearer sk-{CANARY}-there");
    assert_eq!(sent.head.header("authorization"), Some(key.as_str()));
    for gone in ["x-api-key", "anthropic-version", "anthropic-beta"] {
        assert_eq!(sent.head.header(gone), None, "{gone}");
    }
    assert_eq!(sent.head.header("x-unknown"), Some("kept"));
    let body: Value = sent.text().parse().unwrap();
    assert_eq!(body["model"], "glm-4.6");
    assert_eq!(body["messages"][0], json!({ "role": "system", "content": "be brief" }));

    let line = &proxy.wait_access_log(1)[0];
    assert_eq!(line["translated_to"], "OpenAiChat");
    assert_eq!((&line["model"], &line["model_sent"]), (&json!("claude-alias"), &json!("glm-4.6")));
    let counts = ["input_tokens", "cache_read_tokens", "output_tokens"];
    assert_eq!(counts.map(|name| line[name].as_u64()), [Some(6), Some(5), Some(3)]);
}

#[test]
fn a_chat_call_reaches_a_messages_upstream_and_comes_back() {
    let upstream = Upstream::replying(|_| json_answer("200 OK", MESSAGES_ANSWER));
    let proxy = proxy("AnthropicMessages", &upstream);
    let body = r#"{"model":"gpt","messages":[{"role":"user","content":"hi"}]}"#;
    let told = proxy.client().post(CHAT, &[("openai-organization", "o")], body).json();
    assert_eq!(told["object"], "chat.completion");
    assert_eq!(told["choices"][0]["message"]["content"], "hello");
    assert_eq!(told["choices"][0]["finish_reason"], "stop");
    assert_eq!(told["usage"]["prompt_tokens"], 11);
    let sent = only(&upstream);
    assert_eq!(sent.target(), "/v1/messages");
    assert_eq!(sent.head.header("anthropic-version"), Some("2023-06-01"));
    assert_eq!(sent.head.header("openai-organization"), None);
    let body: Value = sent.text().parse().unwrap();
    assert!(body["max_tokens"].as_u64().is_some_and(|most| most > 0), "{body}");
}

#[test]
fn events_come_as_soon_as_the_upstream_says_something() {
    let gate = Gate::default();
    let held = gate.clone();
    let upstream = Upstream::start(move |connection| {
        while connection.request()?.is_some() {
            connection.write(STREAM_HEAD)?;
            connection.write(chunk(event(CHAT_HELLO)))?;
            held.pass();
            let rest = [event(CHAT_FINISH), event(CHAT_USAGE), event("[DONE]")].concat();
            connection.write(chunk(rest))?;
            connection.write(LAST_CHUNK)?;
        }
        Ok(())
    });
    let proxy = proxy("OpenAiChat", &upstream);
    let mut client = proxy.client();
    client.send(request("POST", MESSAGES, &[], &asked(true)));
    let head = client.head();
    assert!(head.header("content-type").is_some_and(|kind| kind.starts_with("text/event-stream")));
    let mut text = String::new();
    while !text.contains("hello") {
        text += std::str::from_utf8(&client.some().unwrap()).unwrap();
    }
    gate.open();
    // To its end: who leaves before that has left.
    while !text.ends_with("0\r\n\r\n") {
        text += std::str::from_utf8(&client.some().unwrap()).unwrap();
    }
    assert!(text.contains("message_stop\"}"), "{text}");
    let line = &proxy.wait_access_log(1)[0];
    assert_eq!((&line["outcome"], &line["output_tokens"]), (&json!("served"), &json!(3)));
    assert!(line["first_token_ms"].as_f64().is_some(), "{line}");
}

/// FAULTS 45, 56: how a stream can go wrong, and what the caller is told.
#[test]
fn a_stream_that_is_cut_ends_with_an_error_in_the_callers_dialect() {
    let cases = [
        ("an early end", event(CHAT_HELLO)),
        ("no JSON", [event(CHAT_HELLO), event("<html>")].concat()),
        ("an error", [event(CHAT_HELLO), event(r#"{"error":{"message":"too busy"}}"#)].concat()),
        ("nothing", String::new()),
    ];
    for (what, said) in cases {
        let upstream = Upstream::start(move |connection| {
            while connection.request()?.is_some() {
                connection.write(STREAM_HEAD)?;
                if !said.is_empty() {
                    connection.write(chunk(&said))?;
                }
                connection.write(LAST_CHUNK)?;
            }
            Ok(())
        });
        let proxy = proxy("OpenAiChat", &upstream);
        let answer = proxy.client().post(MESSAGES, &[], &asked(true));
        let events = events(answer.text());
        let (name, last) = events.last().unwrap();
        assert_eq!((name.as_str(), &last["type"]), ("error", &json!("error")), "{what}");
        assert!(!answer.text().contains("message_stop"), "{what}");
    }
}

/// FAULTS 56: what is no stream although one was asked for.
#[test]
fn an_answer_that_is_no_stream_is_told_as_one_or_refused() {
    let whole = Upstream::replying(|_| json_answer("200 OK", CHAT_ANSWER));
    let answer = proxy("OpenAiChat", &whole).client().post(MESSAGES, &[], &asked(true));
    assert_eq!(answer.status(), 200);
    let names: Vec<String> = events(answer.text()).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names.first().map(String::as_str), Some("message_start"));
    assert_eq!(names.last().map(String::as_str), Some("message_stop"));

    for body in ["<html>sign in</html>", "", r#"{"error":{"message":"no"}}"#] {
        let page = Upstream::replying(move |_| json_answer("200 OK", body));
        for stream in [true, false] {
            let answer = proxy("OpenAiChat", &page).client().post(MESSAGES, &[], &asked(stream));
            assert_eq!((answer.status(), &answer.json()["type"]), (502, &json!("error")), "{body}");
        }
    }
}

/// FAULTS 55.
#[test]
fn errors_keep_their_status_and_what_clients_retry_by() {
    let upstream = Upstream::replying(|_| {
        let body = r#"{"error":{"message":"slow down","type":"rate","code":null}}"#;
        let answer = String::from_utf8(json_answer("429 Too Many Requests", body)).unwrap();
        let headers = "\r\nretry-after: 7\r\nx-should-retry: true\r\nx-request-id: req-1\r\n";
        answer.replacen("\r\n", headers, 1).into_bytes()
    });
    let proxy = proxy("OpenAiChat", &upstream);
    let answer = proxy.client().post(MESSAGES, &[], &asked(true));
    assert_eq!(answer.status(), 429);
    for (name, value) in [("retry-after", "7"), ("x-should-retry", "true"), ("request-id", "req-1")]
    {
        assert_eq!(answer.head.header(name), Some(value), "{name}");
    }
    let error = json!({ "type": "rate_limit_error", "message": "slow down" });
    assert_eq!(answer.json(), json!({ "type": "error", "error": error }));
    assert_eq!(proxy.wait_access_log(1)[0]["request_id"], "req-1");
}

#[test]
fn what_cannot_be_said_there_is_refused_by_its_name() {
    let upstream = Upstream::replying(|_| json_answer("200 OK", MESSAGES_ANSWER));
    let proxy = proxy("AnthropicMessages", &upstream);
    let mut client = proxy.client();
    for (body, field) in [
        (r#"{"model":"m","n":2,"messages":[{"role":"user","content":"hi"}]}"#, "n: "),
        (r#"{"model":"m","messages":[{"role":"user","content":7}]}"#, "messages[0].content"),
    ] {
        let answer = client.post(CHAT, &[], body);
        assert_eq!(answer.status(), 400, "{body}");
        let told = answer.json();
        let message = told["error"]["message"].as_str().unwrap();
        assert!(message.starts_with(field), "{message}");
    }
    assert!(upstream.requests().is_empty());
}

#[test]
fn tokens_are_guessed_where_nobody_counts_them() {
    let upstream = Upstream::replying(|_| json_answer("200 OK", "{}"));
    let proxy = proxy("OpenAiChat", &upstream);
    let answer = proxy.client().post("/v1/messages/count_tokens", &[], &asked(false));
    assert_eq!(answer.head.header("x-pillion-estimated"), Some("input_tokens"));
    let tokens = answer.json()["input_tokens"].as_u64().unwrap();
    assert!((5..30).contains(&tokens), "{tokens}");
    assert!(upstream.requests().is_empty());

    let batches = proxy.client().post("/v1/messages/batches", &[], "{\"model\":\"m\"}");
    assert_eq!(batches.status(), 400, "{}", batches.text());
    assert!(batches.text().contains("by translation"), "{}", batches.text());
}
