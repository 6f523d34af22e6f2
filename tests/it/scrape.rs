//! The admin pages of a real process: where they are reached; its metrics are well formed, complete,
//! and bounded whatever callers send.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::thread;

use crate::support::client::{Client, request};
use crate::support::dialects::{CHAT, DIALECTS, streaming};
use crate::support::gate::Gate;
use crate::support::metrics::{Samples, wait_sum};
use crate::support::proxy::{Launch, Proxy};
use crate::support::upstream::{LAST_CHUNK, Upstream, chunk, json_answer};
use crate::support::yaml::{all_to, provider, route};

const ANSWER: &str = r#"{"usage":{"prompt_tokens":11,"completion_tokens":3,"prompt_tokens_details":{"cached_tokens":5}}}"#;

fn answering() -> Upstream {
    Upstream::replying(|_| json_answer("200 OK", ANSWER))
}

fn body(model: &str) -> String {
    format!("{{\"model\":{}}}", serde_json::Value::from(model))
}

/// As in an injected sidecar: the kubelet calls by the pod's address, of whichever family it is.
#[test]
fn every_address_is_of_both_families() {
    let upstream = answering();
    let manifests = provider("there", &upstream.url(), "") + &all_to("there");
    let proxy = Launch::new().flag("--admin", "[::]:0").start(&manifests);
    for address in [IpAddr::from(Ipv4Addr::LOCALHOST), IpAddr::from(Ipv6Addr::LOCALHOST)] {
        let mut client = Client::connect(SocketAddr::from((address, proxy.admin().port())));
        for page in ["/readyz", "/table"] {
            assert_eq!(client.get(page, &[]).status(), 200, "{page} at {address}");
        }
    }
}

#[test]
fn every_series_belongs_to_a_family_with_help_and_type() {
    let upstream = streaming(CHAT.first, |connection| {
        connection.write(chunk(CHAT.last))?;
        connection.write(LAST_CHUNK)
    });
    let proxy = Proxy::start(&(provider("there", &upstream.url(), "") + &all_to("there")));
    proxy.client().post(CHAT.target, &[], CHAT.body);
    proxy.client().post(CHAT.target, &[], "no json");
    let samples = Samples::of(&proxy.metrics());
    for sample in &samples.all {
        let family = samples.family(sample);
        let family = family.unwrap_or_else(|| panic!("{} has no family", sample.name));
        assert!(family.starts_with("pillion_") || family.starts_with("gen_ai_"), "{family}");
        let is_counter = samples.families[family] == "counter";
        assert_eq!(is_counter, family.ends_with("_total"), "{family}");
    }
}

#[test]
fn a_stream_has_its_clocks_and_disjoint_tokens() {
    for dialect in DIALECTS {
        let gate = Gate::default();
        let held = gate.clone();
        let upstream = streaming(dialect.first, move |connection| {
            held.pass();
            connection.write(chunk(dialect.last))?;
            connection.write(LAST_CHUNK)
        });
        let proxy = Proxy::start(&(provider("there", &upstream.url(), "") + &all_to("there")));
        let mut client = proxy.client();
        client.send(request("POST", dialect.target, &[], dialect.body)).head();
        client.piece();
        wait_sum(&proxy, "pillion_open_streams", &[], 1.0);
        wait_sum(&proxy, "pillion_open_connections", &[], 1.0);
        gate.open();
        client.piece();
        client.piece();
        wait_sum(&proxy, "pillion_open_streams", &[], 0.0);
        let samples = Samples::of(&proxy.metrics());
        let call =
            [("api", dialect.api), ("provider", "default/there"), ("route", "default/everything")];
        for clock in [
            "gen_ai_client_operation_duration_seconds",
            "pillion_time_to_first_byte_seconds",
            "gen_ai_server_time_to_first_token_seconds",
            "gen_ai_server_time_per_output_token_seconds",
            "pillion_overhead_seconds",
        ] {
            assert_eq!(
                samples.sum(&format!("{clock}_count"), &call),
                1.0,
                "{clock} {}",
                dialect.api
            );
        }
        let duration = samples.sum("gen_ai_client_operation_duration_seconds_sum", &call);
        let overhead = samples.sum("pillion_overhead_seconds_sum", &call);
        assert!(overhead > 0.0 && overhead < duration, "{overhead} of {duration}");
        let token = samples.sum("gen_ai_server_time_to_first_token_seconds_sum", &call);
        assert!(token <= duration);
        for (token_type, count) in [("input", 7.0), ("output", 3.0)] {
            let labels = [&call[..], &[("gen_ai_token_type", token_type)]].concat();
            assert_eq!(samples.sum("gen_ai_client_token_usage_sum", &labels), count);
        }
        let served = [&call[..], &[("outcome", "served"), ("status_class", "2xx")]].concat();
        assert_eq!(samples.sum("pillion_requests_total", &served), 1.0);
    }
}

#[test]
fn token_types_are_disjoint() {
    let upstream = answering();
    let proxy = Proxy::start(&(provider("there", &upstream.url(), "") + &all_to("there")));
    proxy.client().post(CHAT.target, &[], &body("m"));
    let samples = Samples::of(&proxy.metrics());
    // 11 prompt tokens, of which 5 came from a cache.
    for (token_type, count) in [("input", 6.0), ("cache_read", 5.0), ("output", 3.0)] {
        let labels = [("gen_ai_token_type", token_type)];
        assert_eq!(samples.sum("gen_ai_client_token_usage_sum", &labels), count, "{token_type}");
    }
    assert_eq!(samples.values("gen_ai_token_type").len(), 3);
}

/// As many names as an attacker, or a careless loop, may make up.
const JUNK: usize = 10_000;
const CALLERS: usize = 4;

#[test]
fn fault_64_ten_thousand_junk_models_make_one_series() {
    let upstream = answering();
    let models = "  models: [{ name: declared }]\n";
    let rules = "[{ matches: [{ model: \"junk-*\" }, { model: declared }], targets: [{ provider: \
                 { name: there } }] }]";
    let manifests = provider("there", &upstream.url(), models) + &route("r", rules);
    let proxy = Launch::new().flag("--access-log", "off").start(&manifests);
    proxy.client().post(CHAT.target, &[], &body("declared"));
    proxy.client().post(CHAT.target, &[], &body("junk-before"));
    proxy.client().post(CHAT.target, &[], &body("unrouted-before"));
    let before = Samples::of(&proxy.metrics()).all.len();
    thread::scope(|scope| {
        for caller in 0..CALLERS {
            let proxy = &proxy;
            scope.spawn(move || {
                let mut client = proxy.client();
                for number in 0..JUNK / CALLERS {
                    // One in ten is taken by a rule, the others by none.
                    let kind = if number % 10 == 0 { "junk" } else { "unrouted" };
                    client.post(CHAT.target, &[], &body(&format!("{kind}-{caller}-{number}")));
                }
            });
        }
    });
    let samples = Samples::of(&proxy.metrics());
    assert_eq!(samples.all.len(), before);
    let models: Vec<_> = samples.values("gen_ai_request_model").into_iter().collect();
    assert_eq!(models, ["declared", "none", "other"]);
    let count = |model| samples.sum("pillion_requests_total", &[("gen_ai_request_model", model)]);
    assert_eq!(["declared", "other", "none"].map(count), [1.0, 1001.0, 9001.0]);
}

#[test]
fn fault_64_hostile_names_stay_within_their_label() {
    let hostile = "a\"} 1\\n{b=\"\u{1f600}é\\";
    let upstream = answering();
    let models = format!("  models: [{{ name: {} }}]\n", serde_json::Value::from(hostile));
    let proxy = Proxy::start(&(provider("there", &upstream.url(), &models) + &all_to("there")));
    for model in [hostile, "\u{1b}[31mred\u{1b}[0m", "new\nline", "nul\u{0}", &"x".repeat(1024)] {
        let answer = proxy.client().post(CHAT.target, &[("x-hostile", "a\"}{\\")], &body(model));
        assert_eq!(answer.status(), 200, "{model:?}");
    }
    // A longer name than any model has is no call to forward.
    let answer = proxy.client().post(CHAT.target, &[], &body(&"x".repeat(10_000)));
    assert_eq!(answer.status(), 400);
    let samples = Samples::of(&proxy.metrics());
    let models: Vec<_> = samples.values("gen_ai_request_model").into_iter().collect();
    assert_eq!(models, [hostile, "none", "other"]);
    assert_eq!(samples.sum("pillion_requests_total", &[("gen_ai_request_model", hostile)]), 1.0);
    assert!(samples.all.iter().all(|sample| samples.family(sample).is_some()));
}

#[test]
fn reloads_and_the_running_table_are_on_the_page() {
    let upstream = answering();
    let proxy = Proxy::start(&(provider("there", &upstream.url(), "") + &all_to("there")));
    let samples = Samples::of(&proxy.metrics());
    assert_eq!(samples.sum("pillion_reloads_total", &[("result", "applied")]), 1.0);
    assert_eq!(samples.sum("pillion_table_info", &[]), 1.0);
    assert_eq!(samples.values("version").len(), 1);
    // Between this test's writing and the far future.
    let loaded = samples.sum("pillion_table_loaded_timestamp_seconds", &[]);
    assert!(loaded > 1.7e9, "{loaded}");
    assert_eq!(samples.sum("pillion_panics_total", &[]), 0.0);
}
