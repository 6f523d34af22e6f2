//! The usage chunk that Pillion asks for, and takes out again.

use super::{ask, expect, proxy_to, rest, whole};
use crate::support::client::request;
use crate::support::dialects::CHAT;
use crate::support::gate::Gate;
use crate::support::metrics::wait_sum;
use crate::support::upstream::{LAST_CHUNK, STREAM_HEAD, Upstream, chunk};

const FIRST: &str = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"\\\"usage\\\":{\"}}],\"usage\":null}\n\n";
/// As Azure begins its streams.
const EMPTY: &str = "data: {\"choices\":[],\"prompt_filter_results\":[]}\n\n";
const FINISH: &str = "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}],\"usage\":null}\n\n";
const USAGE: &str = "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":11,\"completion_tokens\":3,\
                     \"prompt_tokens_details\":{\"cached_tokens\":5}}}\n\n";
const DONE: &str = "data: [DONE]\n\n";

/// A provider that reports usage, in a chunk cut in two by a gate.
fn reporting(gate: Gate) -> Upstream {
    Upstream::start(move |connection| {
        while connection.request()?.is_some() {
            connection.write(STREAM_HEAD)?;
            connection.write(chunk([EMPTY, FIRST, FINISH, &USAGE[..20]].concat()))?;
            gate.pass();
            connection.write(chunk([&USAGE[20..], DONE].concat()))?;
            connection.write(LAST_CHUNK)?;
        }
        Ok(())
    })
}

#[test]
fn usage_is_asked_for_and_taken_out_again() {
    let gate = Gate::default();
    let upstream = reporting(gate.clone());
    let proxy = proxy_to(&upstream.url());
    let mut client = proxy.client();
    let accept = [("accept-encoding", "gzip, br")];
    let asked = "{\"model\":\"m\" , \"stream\":true, \"messages\":[]}";
    client.send(request("POST", CHAT.target, &accept, asked));
    client.head();
    // The events before it are not held back.
    expect(&mut client, [EMPTY, FIRST, FINISH].concat());
    gate.open();
    assert_eq!(rest(&mut client), (DONE.to_owned(), whole()));

    let sent = &upstream.requests()[0];
    let added = "\"stream_options\":{\"include_usage\":true}";
    assert!(sent.text().contains(added), "{}", sent.text());
    let kept = sent.text().replacen(&format!("{added},"), "", 1);
    let kept = kept.replacen(&format!(",{added}"), "", 1);
    assert_eq!(kept, asked);
    assert_eq!(sent.head.header("accept-encoding"), Some("identity"));

    let line = &proxy.wait_access_log(1)[0];
    let counts = ["input_tokens", "cache_read_tokens", "output_tokens"];
    assert_eq!(counts.map(|name| line[name].as_u64()), [Some(6), Some(5), Some(3)]);
    for (token_type, count) in [("input", 6.0), ("cache_read", 5.0), ("output", 3.0)] {
        let labels = [("gen_ai_token_type", token_type)];
        wait_sum(&proxy, "gen_ai_client_token_usage_sum", &labels, count);
    }
}

#[test]
fn usage_that_the_client_asked_for_is_its_own() {
    let gate = Gate::default();
    gate.open();
    let upstream = reporting(gate);
    let proxy = proxy_to(&upstream.url());
    let mut client = proxy.client();
    let answer = ask(&mut client, &CHAT).answer();
    assert_eq!(answer.text(), [EMPTY, FIRST, FINISH, USAGE, DONE].concat());
    assert_eq!(upstream.requests()[0].text(), CHAT.body);
    assert_eq!(proxy.wait_access_log(1)[0]["input_tokens"], 6);
}

#[test]
fn usage_that_the_client_declined_is_asked_for_and_taken_out() {
    let gate = Gate::default();
    gate.open();
    let upstream = reporting(gate);
    let proxy = proxy_to(&upstream.url());
    let declined = "{\"model\":\"m\",\"stream\":true,\"stream_options\":{\"include_usage\":false}}";
    let answer = proxy.client().post(CHAT.target, &[], declined);
    assert_eq!(answer.text(), [EMPTY, FIRST, FINISH, DONE].concat());
    assert_eq!(upstream.requests()[0].text(), declined.replace("false", "true"));
}
