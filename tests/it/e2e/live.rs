//! What is applied, changed, rotated and deleted, as the next call has it.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use k8s_openapi::api::core::v1::Secret;
use kube::api::{Patch, PatchParams};
use pillion::api::LlmRoute;
use serde_json::json;

use super::sidecar::{CALL, Sidecar, call};
use super::stage::Stage;
use super::{assert_within_a_second, route_to};
use crate::support::client::{Client, request};
use crate::support::dialects::CHAT;
use crate::support::gate::Gate;
use crate::support::proxy::CANARY;
use crate::support::upstream::{LAST_CHUNK, STREAM_HEAD, Upstream, chunk, json_answer};
use crate::support::wire::{End, Piece};
use crate::support::yaml::{all_to, bearer, key, provider};

/// An upstream that answers with its name.
pub(super) fn named(name: &'static str) -> Upstream {
    Upstream::replying(move |_| json_answer("200 OK", &format!("{name:?}")))
}

/// The key of the upstream's newest request.
#[track_caller]
pub(super) fn last_key(upstream: &Upstream) -> String {
    upstream.requests().last().unwrap().head.header("authorization").unwrap().to_owned()
}

#[test]
fn what_is_applied_runs_and_what_is_changed_follows() {
    let stage = Stage::new();
    let controller = stage.controller("one");
    let sidecar = stage.sidecar(&stage.pod("app", &[]));
    assert_eq!(sidecar.call().refusal(), "404 no_route openai/invalid_request_error");
    let (first, second) = (named("first"), named("second"));
    stage.apply(&(provider("first", &first.url(), "") + &all_to("first")));
    let applied = Instant::now();
    sidecar.until(|answer| answer.status() == 200);
    assert_within_a_second(applied);
    assert_eq!(last_key(&first), bearer("first"));

    stage.apply(&(provider("second", &second.url(), "") + &all_to("second")));
    let applied = Instant::now();
    sidecar.until(|answer| answer.text() == "\"second\"");
    assert_within_a_second(applied);
    assert_eq!(last_key(&second), bearer("second"));

    stage.delete::<Secret>("second");
    let deleted = Instant::now();
    let answer = sidecar.until(|answer| answer.status() != 200);
    assert_within_a_second(deleted);
    assert_eq!(answer.refusal(), "503 unservable openai/server_error");
    stage.secret("second", "api-key", &key("third"));
    sidecar.until(|answer| answer.status() == 200);
    assert_eq!(last_key(&second), bearer("third"));

    stage.delete::<LlmRoute>("everything");
    let deleted = Instant::now();
    let answer = sidecar.until(|answer| answer.status() != 200);
    assert_within_a_second(deleted);
    assert_eq!(answer.refusal(), "404 no_route openai/invalid_request_error");
    assert_eq!(controller.complaints(), Vec::<String>::new());
}

/// Answers calls with the key that they came with, and holds streams at the gate.
fn telling(gate: &Gate) -> Upstream {
    let held = gate.clone();
    Upstream::start(move |connection| {
        while let Some(request) = connection.request()? {
            let key = request.head.header("authorization").unwrap().replace(CANARY, "CANARY");
            if request.text() == CALL {
                connection.write(json_answer("200 OK", &format!("{key:?}")))?;
                continue;
            }
            connection.write(STREAM_HEAD)?;
            connection.write(chunk(CHAT.first))?;
            held.pass();
            connection.write(chunk(CHAT.last))?;
            connection.write(LAST_CHUNK)?;
        }
        Ok(())
    })
}

#[test]
fn fault_31_a_rotated_secret_is_used_by_the_next_call_and_streams_go_on() {
    let stage = Stage::new();
    let gate = Gate::default();
    let upstream = telling(&gate);
    stage.apply(&(provider("there", &upstream.url(), "") + &all_to("there")));
    let _controller = stage.controller("one");
    let sidecar = stage.sidecar(&stage.pod("app", &[]));
    let mut stream = sidecar.client();
    stream.send(request("POST", CHAT.target, &[], CHAT.body));
    assert_eq!(stream.head().status(), 200);
    assert_eq!(stream.piece(), Piece::Bytes(CHAT.first.into()));

    stage.secret("there", "api-key", &key("rotated"));
    let rotated = Instant::now();
    sidecar.until(|answer| answer.text().contains("CANARY-rotated"));
    assert_within_a_second(rotated);
    gate.open();
    assert_eq!(stream.piece(), Piece::Bytes(CHAT.last.into()));
    assert_eq!(stream.piece(), Piece::End(End::Whole(Vec::new())));
    assert_eq!(upstream.requests()[0].head.header("authorization"), Some(&*bearer("there")));
}

/// Sends every call to this provider from now on, under another model.
fn point(stage: &Stage, provider: &str, model: &str) {
    let target = json!({"provider": {"name": provider}, "model": model});
    let patch = Patch::Merge(json!({"spec": {"rules": [{"name": "all", "targets": [target]}]}}));
    let routes = stage.api::<LlmRoute>();
    stage.block_on(routes.patch("everything", &PatchParams::default(), &patch)).unwrap();
}

/// Provider, key and model must be of one route, else the answer is 500.
fn consistent(name: &'static str) -> Upstream {
    Upstream::replying(move |request| {
        let text = request.text();
        let mine = text.contains(&format!("\"model\":\"{name}-"))
            && request.head.header("authorization") == Some(&bearer(name));
        let status = if mine { "200 OK" } else { "500 Mixed" };
        json_answer(status, &format!("{text:?}"))
    })
}

fn two_sides(stage: &Stage) -> [Upstream; 2] {
    let sides = [consistent("left"), consistent("right")];
    let providers = [("left", &sides[0]), ("right", &sides[1])];
    let yaml = providers.map(|(name, upstream)| provider(name, &upstream.url(), "")).concat();
    let first = all_to("left").replace(" } }] }]", " }, model: left-0 }] }]");
    stage.apply(&(yaml + &first));
    sides
}

#[test]
fn a_change_is_live_in_milliseconds() {
    const CHANGES: usize = 50;
    let stage = Stage::new();
    let _upstreams = two_sides(&stage);
    let _controller = stage.controller("one");
    let sidecar = stage.sidecar(&stage.pod("app", &[]));
    let mut client = sidecar.client();
    let mut times: Vec<Duration> = (1..=CHANGES)
        .map(|number| {
            let name = ["left", "right"][number % 2];
            let model = format!("{name}-{number}");
            point(&stage, name, &model);
            let applied = Instant::now();
            live(&mut client, &model, applied);
            applied.elapsed()
        })
        .collect();
    times.sort();
    let (middle, most) = (times[CHANGES / 2], times[CHANGES - 1]);
    println!("{CHANGES} changes, each live after: p50 {middle:?}, max {most:?}");
    assert!(middle < Duration::from_secs(1), "{times:?}");
}

#[track_caller]
fn live(client: &mut Client, model: &str, since: Instant) {
    loop {
        let answer = call(client);
        assert_eq!(answer.status(), 200, "{answer:?}");
        if answer.text().contains(model) {
            return;
        }
        assert!(since.elapsed() < crate::support::GUARD, "never live: {model}");
        thread::yield_now();
    }
}

#[test]
fn fault_37_a_thousand_changes_under_load_lose_no_call_and_the_last_one_runs() {
    const CHANGES: usize = 1000;
    let stage = Stage::new();
    let _upstreams = two_sides(&stage);
    let controller = stage.controller("one");
    let sidecar = stage.sidecar(&stage.pod("app", &[]));
    let (over, calls) = (AtomicBool::new(false), AtomicUsize::new(0));
    thread::scope(|scope| {
        for _ in 0..2 {
            let (sidecar, over, calls) = (&sidecar, &over, &calls);
            scope.spawn(move || load(sidecar, over, calls));
        }
        for number in 1..=CHANGES {
            let name = ["left", "right"][number % 2];
            point(&stage, name, &format!("{name}-{number}"));
        }
        live(&mut sidecar.client(), &format!("left-{CHANGES}"), Instant::now());
        over.store(true, Ordering::SeqCst);
    });
    let calls = calls.into_inner();
    assert!(calls > CHANGES / 4, "{calls} calls");
    assert_eq!(call(&mut sidecar.client()).status(), 200);
    let (_, table) = sidecar.page("/table");
    assert!(table.contains("left-1000") && !table.contains("right-"), "{table}");
    assert_eq!(controller.complaints(), Vec::<String>::new());
}

fn load(sidecar: &Sidecar, over: &AtomicBool, calls: &AtomicUsize) {
    let mut client = sidecar.client();
    while !over.load(Ordering::SeqCst) {
        let answer = call(&mut client);
        assert!(answer.status() == 200 && answer.is_whole(), "{answer:?}");
        calls.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn a_route_that_is_there_before_the_controller_runs_too() {
    let stage = Stage::new();
    let upstream = named("first");
    stage.apply(&(provider("first", &upstream.url(), "") + &route_to("first", "first", "")));
    let _controller = stage.controller("one");
    // A sidecar is ready with its first bundle: no call of it meets an empty table.
    let sidecar = stage.sidecar(&stage.pod("app", &[]));
    assert_eq!(sidecar.call().status(), 200);
    assert_eq!(last_key(&upstream), bearer("first"));
}

#[test]
fn a_controller_that_is_stopped_hands_over_to_another() {
    let stage = Stage::new();
    let (first, second) = (named("first"), named("second"));
    let providers = provider("first", &first.url(), "") + &provider("second", &second.url(), "");
    stage.apply(&(providers + &all_to("first")));
    let mut one = stage.controller("one");
    let sidecar = stage.sidecar(&stage.pod("app", &[]));
    let two = stage.controller("two");
    assert!(one.stop().success());
    two.wait_log(|line| line["message"].as_str().unwrap_or_default().contains("writes status now"));
    assert_eq!(sidecar.call().text(), "\"first\"");
    stage.apply(&all_to("second"));
    sidecar.until(|answer| answer.text() == "\"second\"");
    stage.until_ready("everything", "1/1");
    assert_eq!(two.complaints(), Vec::<String>::new());
}
