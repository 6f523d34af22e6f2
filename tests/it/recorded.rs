//! Recorded traffic of real providers through a real Pillion: every answer arrives byte for byte,
//! and what the access log and the metrics say of it is what its provider reported.
//!
//! Pieces, chunks, framings and flushes of coders are random; the seed is printed, and
//! `PILLION_SEED` sets it. Without the corpus, these tests say so and pass.

mod codings;
#[path = "../../src/llm/tap/recorded/corpus.rs"]
mod corpus;
mod replay;

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use h2::server::Builder;
use serde_json::Value;

use crate::support::client::Client;
use crate::support::h2::{H2Recorded, H2Reply, H2Upstream};
use crate::support::metrics::{Samples, wait_sum};
use crate::support::proxy::{Launch, Proxy};
use crate::support::tls::Ca;
use crate::support::upstream::{Connection, Upstream};
use crate::support::yaml::{all_to, provider};
use codings::Coding;
use corpus::{Exchange, Operation};
use replay::{Call, Calls, Choice, Ending, ID};

/// As many at once.
const CLIENTS: usize = 8;

const TYPES: [&str; 4] = ["input", "output", "cache_read", "cache_creation"];

fn seed() -> u64 {
    let given = std::env::var_os("PILLION_SEED").and_then(|seed| seed.to_str()?.parse().ok());
    let seed = given.unwrap_or_else(|| fastrand::u64(..));
    println!("PILLION_SEED={seed}");
    seed
}

fn everything() -> Arc<Calls> {
    let choice = Choice { seed: seed(), codings: &Coding::ALL, wanted: |_| true, asked: None };
    Arc::new(Calls::of(&choice))
}

/// Answers as recorded, and sees to it that requests arrive as they were sent.
fn provide(connection: &mut Connection, calls: &Calls) -> io::Result<()> {
    while let Some(request) = connection.request()? {
        let call = calls.named(request.head.header(ID).unwrap());
        if request.body != call.asked.as_bytes() {
            calls.wrong(call, "the request was changed on the way");
        }
        let (writes, ending) = call.writes();
        for write in writes {
            connection.write(write)?;
            thread::yield_now();
        }
        if ending == Ending::Close {
            return connection.close();
        }
    }
    Ok(())
}

fn provide_h2(request: &H2Recorded, calls: &Calls) -> H2Reply {
    let call = calls.named(request.head.headers()[ID].to_str().unwrap());
    if request.body != call.asked.as_bytes() {
        calls.wrong(call, "the request was changed on the way");
    }
    let mut answer = http::Response::new(());
    *answer.status_mut() = u16::try_from(call.exchange.status).unwrap().try_into().unwrap();
    for (name, value) in call.headers() {
        let name = http::HeaderName::try_from(name).unwrap();
        answer.headers_mut().insert(name, value.try_into().unwrap());
    }
    H2Reply::Answer(answer, call.frames())
}

/// Makes every call, several at once, then compares what was counted; `body` is what the client of
/// a call must get.
#[track_caller]
fn replay(calls: &Calls, yaml: &str, body: fn(&Call) -> Vec<u8>) {
    if calls.all.is_empty() {
        return;
    }
    let proxy = Launch::new().flag("--workers", "2").start(&(yaml.to_owned() + &all_to("there")));
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(|| {
                let mut client = Client::connect(proxy.address());
                while let Some(call) = calls.all.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let answer = client.send(call.request()).answer();
                    call.compare(calls, &answer, &body(call));
                    if !answer.is_whole() {
                        client = Client::connect(proxy.address());
                    }
                }
            });
        }
    });
    compare_lines(calls, &proxy);
    calls.judge();
    compare_metrics(calls, &proxy);
}

fn compare_lines(calls: &Calls, proxy: &Proxy) {
    let lines = proxy.wait_access_log(calls.all.len());
    assert_eq!(lines.len(), calls.all.len(), "one line a call");
    for line in lines {
        let call = calls.named(line["session"].as_str().unwrap());
        let read = TYPES.map(|name| line[format!("{name}_tokens")].as_u64());
        let expected = call.exchange.expected();
        if read != expected || line["outcome"] != "served" {
            calls.wrong(call, format!("tokens {read:?}, not {expected:?}: {line}"));
        }
        if line["status"] != call.exchange.status {
            calls.wrong(call, format!("logged as {line}"));
        }
    }
}

/// Sums and counts of tokens by API, operation and type.
fn compare_metrics(calls: &Calls, proxy: &Proxy) {
    let mut books = BTreeMap::<_, (f64, f64)>::new();
    for call in &calls.all {
        for (token_type, count) in TYPES.into_iter().zip(call.exchange.expected()) {
            if let Some(count) = count {
                let entry = books.entry((call.labels(), token_type)).or_default();
                *entry = (entry.0 + count as f64, entry.1 + 1.0);
            }
        }
    }
    wait_sum(proxy, "pillion_requests_total", &[("outcome", "served")], calls.all.len() as f64);
    let samples = Samples::of(&proxy.metrics());
    let counted = |end: &str, labels: &[(&str, &str)]| {
        samples.sum(&format!("gen_ai_client_token_usage_{end}"), labels)
    };
    for (((api, operation), token_type), expected) in &books {
        let labels = [
            ("api", *api),
            ("gen_ai_operation_name", *operation),
            ("gen_ai_token_type", *token_type),
        ];
        let read = (counted("sum", &labels), counted("count", &labels));
        assert_eq!(read, *expected, "{labels:?}");
    }
    let all = books.values().fold((0.0, 0.0), |all, more| (all.0 + more.0, all.1 + more.1));
    assert_eq!((counted("sum", &[]), counted("count", &[])), all, "tokens that nobody reported");
}

fn as_sent(call: &Call) -> Vec<u8> {
    call.body.clone()
}

const AS_SENT: &str = "  streamUsage: AsSent\n";

#[test]
fn recorded_answers_arrive_byte_for_byte_and_are_counted() {
    let calls = everything();
    let provided = Arc::clone(&calls);
    let upstream = Upstream::start(move |connection| provide(connection, &provided));
    replay(&calls, &provider("there", &upstream.url(), AS_SENT), as_sent);
}

/// A provider over TLS, whose CA stands in its manifest.
fn trusted(ca: &Ca, url: &str) -> String {
    let bundle = Value::from(ca.pem());
    provider("there", url, &format!("{AS_SENT}  tls: {{ caBundle: {bundle} }}\n"))
}

#[test]
fn recorded_answers_arrive_over_tls() {
    let (calls, ca) = (everything(), Ca::new());
    let provided = Arc::clone(&calls);
    let config = ca.server(&["localhost"], &[b"http/1.1"]);
    let upstream = Upstream::start_tls(config, move |connection| provide(connection, &provided));
    replay(&calls, &trusted(&ca, &upstream.url_as("localhost")), as_sent);
}

#[test]
fn recorded_answers_arrive_over_http_2() {
    let (calls, ca) = (everything(), Ca::new());
    let provided = Arc::clone(&calls);
    let config = ca.server(&["localhost"], &[b"h2"]);
    let upstream = H2Upstream::start(Some(config), Builder::new(), move |request| {
        provide_h2(request, &provided)
    });
    let url = format!("https://localhost:{}", upstream.address().port());
    replay(&calls, &trusted(&ca, &url), as_sent);
}

/// Does Pillion ask for the usage of these?
fn is_chat_stream(exchange: &Exchange) -> bool {
    let chat = matches!(exchange.operation, Operation::Chat | Operation::Completions);
    chat && exchange.stream && exchange.status == 200
}

const NOT_ASKING: &str = "{\"model\":\"m\",\"stream\":true,\"messages\":[]}";
const ASKING: &str =
    "{\"stream_options\":{\"include_usage\":true},\"model\":\"m\",\"stream\":true,\"messages\":[]}";

/// The stream without the events that only report usage, as a client would take it apart.
fn without_usage(call: &Call) -> Vec<u8> {
    let text = std::str::from_utf8(&call.body).unwrap();
    let only_usage = |event: &&str| {
        let data: String = event.lines().filter_map(|line| line.strip_prefix("data:")).collect();
        serde_json::from_str::<Value>(&data).is_ok_and(|data| {
            data["choices"].as_array().is_some_and(Vec::is_empty) && !data["usage"].is_null()
        })
    };
    text.split_inclusive("\n\n").filter(|event| !only_usage(event)).collect::<String>().into()
}

#[test]
fn usage_that_pillion_asked_for_is_all_that_a_recorded_stream_lacks() {
    let (seed, codings) = (seed(), &[Coding::Identity]);
    let asked = Some(NOT_ASKING);
    let calls = Calls::of(&Choice { seed, codings, wanted: is_chat_stream, asked });
    let calls = Arc::new(calls);
    let taken_out = calls.all.iter().filter(|call| without_usage(call) != call.body).count();
    assert!(calls.all.is_empty() || taken_out > 10, "only {taken_out} streams have such a chunk");
    let provided = Arc::clone(&calls);
    let upstream = Upstream::start(move |connection| {
        while let Some(request) = connection.request()? {
            let call = provided.named(request.head.header(ID).unwrap());
            if request.text() != ASKING {
                provided.wrong(call, request.text());
            }
            for write in call.writes().0 {
                connection.write(write)?;
            }
            if call.writes().1 == Ending::Close {
                return connection.close();
            }
        }
        Ok(())
    });
    replay(&calls, &provider("there", &upstream.url(), ""), without_usage);
}
