//! Which routes and which keys a pod gets.

use std::thread;
use std::time::Instant;

use super::live::{last_key, named};
use super::sidecar::Sidecar;
use super::stage::Stage;
use super::{for_pods, route_to};
use crate::support::GUARD;
use crate::support::upstream::Upstream;
use crate::support::yaml::{bearer, key, provider};

/// Waits until what a sidecar keeps has exactly these providers' keys, of the two.
#[track_caller]
fn holds(sidecar: &Sidecar, expected: &[&str]) {
    let began = Instant::now();
    loop {
        let kept = sidecar.cached();
        let found: Vec<&str> =
            ["chat", "batch"].into_iter().filter(|name| kept.contains(&key(name))).collect();
        if found == expected && !kept.is_empty() {
            return;
        }
        assert!(began.elapsed() < GUARD, "it holds {found:?}, not {expected:?}");
        thread::yield_now();
    }
}

fn two_teams(stage: &Stage) -> [Upstream; 2] {
    ["chat", "batch"].map(|name| {
        let upstream = named(name);
        let route = route_to(name, name, &for_pods(name));
        stage.apply(&(provider(name, &upstream.url(), "") + &route));
        upstream
    })
}

#[test]
fn labels_decide_and_a_pod_has_no_key_that_none_of_its_routes_names() {
    let stage = Stage::new();
    let [chat, batch] = two_teams(&stage);
    let _controller = stage.controller("one");
    let pods = ["chat", "batch", "neither"].map(|app| stage.pod(app, &[("app", app)]));
    let [one, two, three] = pods.each_ref().map(|pod| stage.sidecar(pod));
    assert_eq!(one.call().text(), "\"chat\"");
    assert_eq!(last_key(&chat), bearer("chat"));
    assert_eq!(two.call().text(), "\"batch\"");
    assert_eq!(last_key(&batch), bearer("batch"));
    assert_eq!(three.call().refusal(), "404 no_route openai/invalid_request_error");
    holds(&one, &["chat"]);
    holds(&two, &["batch"]);
    holds(&three, &[]);

    stage.label(&pods[0], &[("app", Some("batch"))]);
    one.until(|answer| answer.text() == "\"batch\"");
    holds(&one, &["batch"]);
    stage.label(&pods[0], &[("app", None)]);
    one.until(|answer| answer.status() == 404);
    holds(&one, &[]);
    assert_eq!(two.call().text(), "\"batch\"");

    // The selector changes, not the pod.
    stage.apply(&route_to("chat", "chat", &for_pods("neither")));
    three.until(|answer| answer.text() == "\"chat\"");
    holds(&three, &["chat"]);
}
