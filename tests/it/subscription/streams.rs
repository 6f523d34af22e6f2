//! Bundles that come, as a stream goes well or badly.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use serde_json::json;

use super::controller::{Controller, Policy};
use super::*;
use crate::support::metrics::wait_sum;
use crate::support::yaml::{bearer, route};

#[test]
fn a_bundle_is_taken_answered_and_replaced_by_a_newer_one() {
    let (proxy, there) = Scene::new().started();
    let first = there.line("first");
    let stream = there.controller.wait_stream(1);
    let address = there.controller.address();
    assert_eq!(stream.target, format!("POST https://{address}/v1/bundles"));
    assert_eq!(stream.token, format!("Bearer {}", token(1)));
    let answer = there.controller.wait_answer(|_| true);
    assert_eq!(answer, json!({"type": "applied", "version": version(&first)}));
    assert_eq!(call(&proxy).status(), 200);
    assert_eq!(last_key(&there.upstream), bearer("first"));

    let second = there.line("second");
    there.controller.offer(&second);
    there.controller.wait_answer(applied(&version(&second)));
    assert_eq!(call(&proxy).status(), 200);
    assert_eq!(last_key(&there.upstream), bearer("second"));

    assert_eq!(proxy.metric("pillion_controller_connected"), Some(1.0));
    let connects = "pillion_controller_connects_total{result=\"connected\"}";
    assert_eq!(proxy.metric(connects), Some(1.0));
    for family in ["pillion_bundle_info", "pillion_table_info"] {
        let series = format!("{family}{{version=\"{}\"}}", version(&second));
        assert_eq!(proxy.metric(&series), Some(1.0));
        let series = format!("{family}{{version=\"{}\"}}", version(&first));
        assert_eq!(proxy.metric(&series), None);
    }
    assert!(proxy.metric("pillion_bundle_received_timestamp_seconds").unwrap() > 1.7e9);
    // No thread of its own: the main one, the worker, the access log's.
    assert_eq!(crate::support::process::threads(proxy.pid()), 3);
}

#[test]
fn fault_40_a_bundle_that_an_older_sidecar_cannot_read_is_rejected_whole() {
    let (proxy, there) = Scene::new().started();
    let mut newer: Value = serde_json::from_slice(&there.line("second")).unwrap();
    newer["routes"][0]["spec"]["rules"][0]["fallback"] = json!([CANARY]);
    let newer = serde_json::to_vec(&newer).unwrap();
    there.controller.offer(&[&newer[..], b"\n"].concat());
    let answer = there.controller.wait_answer(rejected);
    assert_eq!(answer["version"], bundle::claimed_version(&newer));
    let reason = answer["reason"].as_str().unwrap();
    assert!(reason.contains("routes[0].spec.rules[0].fallback"), "{reason}");
    assert!(reason.contains("update the sidecar") && !reason.contains(CANARY), "{reason}");
    proxy.wait_log(|line| {
        let told = line["message"].as_str().unwrap();
        line["level"] == "ERROR" && told.contains("spec.rules[0].fallback")
    });
    assert_eq!(call(&proxy).status(), 200);
    assert_eq!(last_key(&there.upstream), bearer("first"));
    assert_eq!(proxy.metric("pillion_reloads_total{result=\"rejected\"}"), Some(1.0));

    let second = there.line("second");
    there.controller.offer(&second);
    there.controller.wait_answer(applied(&version(&second)));
}

#[test]
fn fault_34_a_bad_edit_is_held_by_itself_and_said_to_the_controller() {
    let (proxy, there) = Scene::new().started();
    let url = there.upstream.url();
    let typo = route("everything", "[{ name: all, targets: [{ provider: { name: frist } }] }]");
    let other =
        "[{ name: other, matches: [{ model: other }], targets: [{ provider: { name: first } }] }]";
    let edited = provider("first", &url, "") + &typo + &route("other", other);
    let line = bundle::encode(&world(&edited));
    there.controller.offer(&line);
    let answer = there.controller.wait_answer(applied(&version(&line)));
    assert_eq!(answer["held"], json!(["LlmRoute default/everything"]));
    assert_eq!(call(&proxy).status(), 200);
    assert!(proxy.page("/table").1.contains("default/other"), "the others move on");
    assert_eq!(proxy.metric("pillion_bundle_held_objects"), Some(1.0));
    assert_eq!(proxy.metric("pillion_manifest_faults{severity=\"error\"}"), Some(2.0));

    // The same one again, as after a reconnection, is answered the same, and not told again.
    let told = proxy.log().len();
    there.controller.end();
    there.controller.wait_stream(2);
    wait_sum(&proxy, "pillion_reloads_total", &[("result", "unchanged")], 1.0);
    let news = proxy.log().split_off(told);
    assert!(news.iter().all(|line| line["message"] == "connected to the controller"), "{news:?}");
}

#[test]
fn fault_40_a_controller_that_goes_and_comes_back_changes_nothing() {
    let (proxy, there) = Scene::new().started();
    let address = there.controller.address();
    let (ca, upstream) = (there.ca, there.upstream);
    drop(there.controller);
    wait_sum(&proxy, "pillion_controller_connected", &[], 0.0);
    wait_sum(&proxy, "pillion_controller_connects_total", &[("result", "unreachable")], 2.0);
    assert_eq!(call(&proxy).status(), 200);
    assert_eq!(proxy.page("/readyz").0, 200);

    let controller = Controller::start_on(address, &ca);
    let second = line(&upstream, "second");
    controller.offer(&second);
    controller.wait_answer(applied(&version(&second)));
    assert_eq!(call(&proxy).status(), 200);
    assert_eq!(last_key(&upstream), bearer("second"));
    wait_sum(&proxy, "pillion_controller_connected", &[], 1.0);
}

#[test]
fn fault_39_a_rotated_token_means_a_new_stream_first_and_the_end_of_the_old_one_then() {
    let (proxy, there) = Scene::new().started();
    assert_eq!(there.controller.wait_stream(1).token, format!("Bearer {}", token(1)));
    // One that is refused does not cost the old stream.
    there.controller.policy(Policy::Refuse(401, None, "the token is not valid"));
    proxy.manifests.write("token", &token(2));
    there.controller.wait_refused(1);
    assert!(there.controller.wait_stream(1).is_open);
    there.controller.policy(Policy::Accept);
    let stream = there.controller.wait_stream(2);
    assert_eq!(stream.token, format!("Bearer {}", token(2)));
    there.controller.wait_left(0);
    assert_eq!(proxy.metric("pillion_controller_connected"), Some(1.0));
    assert_eq!(call(&proxy).status(), 200);
}

#[test]
fn fault_40_a_stream_that_ends_is_opened_again_at_once() {
    let (proxy, there) = Scene::new().started();
    for count in 2..5 {
        there.controller.end();
        there.controller.wait_stream(count);
    }
    wait_sum(&proxy, "pillion_controller_connects_total", &[("result", "connected")], 4.0);
    let warnings = proxy.log().into_iter().filter(|line| line["level"] == "WARN");
    assert_eq!(warnings.count(), 0);
}

#[test]
fn half_a_bundle_changes_nothing_and_a_trickle_is_a_bundle() {
    let (proxy, there) = Scene::new().started();
    let second = there.line("second");
    there.controller.send(&second[..second.len() / 2]);
    there.controller.reset();
    there.controller.wait_stream(2);
    assert_eq!(call(&proxy).status(), 200);
    assert_eq!(last_key(&there.upstream), bearer("first"));
    assert_eq!(proxy.metric("pillion_reloads_total{result=\"rejected\"}"), None);

    for piece in second.chunks(7) {
        there.controller.send(piece);
    }
    there.controller.wait_answer(applied(&version(&second)));
    assert_eq!(call(&proxy).status(), 200);
    assert_eq!(last_key(&there.upstream), bearer("second"));
}

#[test]
fn garbage_and_bundles_without_end_are_rejected_on_a_stream_that_goes_on() {
    let (proxy, there) = Scene::new().started();
    there.controller.send(b"\x00\xff{garbage\n");
    let answer = there.controller.wait_answer(rejected);
    assert_eq!(answer["version"], "");
    there.controller.send(&vec![b'x'; bundle::push::MAX_BUNDLE + 1]);
    there.controller.wait_answer(|answer| {
        rejected(answer) && answer["reason"].as_str().unwrap().contains("16777216")
    });
    let second = there.line("second");
    there.controller.send(&[b"\n", &second[..]].concat());
    there.controller.wait_answer(applied(&version(&second)));
    assert_eq!(there.controller.connections(), 1);
    assert_eq!(call(&proxy).status(), 200);
}

/// Takes as long as a ping and the wait for its answer.
#[test]
fn fault_40_a_controller_without_power_is_noticed() {
    let (proxy, there) = Scene::new().started();
    there.controller.wait_stream(1);
    let began = Instant::now();
    there.controller.freeze();
    there.controller.wait_stream(2);
    assert!(began.elapsed() < Duration::from_secs(12), "{:?}", began.elapsed());
    assert_eq!(call(&proxy).status(), 200);
}

#[test]
fn fault_37_a_burst_of_bundles_ends_with_the_last_one() {
    let (proxy, there) = Scene::new().started();
    for number in 0..200 {
        there.controller.offer(&there.line(&format!("p{number}")));
    }
    let last = version(&there.line("p199"));
    there.controller.wait_answer(applied(&last));
    assert_eq!(call(&proxy).status(), 200);
    assert_eq!(last_key(&there.upstream), bearer("p199"));
}

#[test]
fn fault_43_a_controller_that_is_not_to_be_believed_is_told_nothing() {
    for (ca, name) in [(Ca::new(), "127.0.0.1"), (Ca::new(), "elsewhere")] {
        let scene = Scene::new();
        let ca = if name == "elsewhere" { &scene.ca } else { &ca };
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let foreign = Controller::start_as(any, ca.server(&[name], &[b"h2"]));
        let launch = Launch::new().subscribed(foreign.address()).without_waiting();
        let proxy = launch.start_from(scene.files);
        foreign.wait_connections(3);
        let told = proxy.wait_log(|line| line["level"] == "WARN");
        let message = told["message"].as_str().unwrap();
        assert!(message.contains("certificate"), "{message}");
        assert_eq!(proxy.page("/readyz").0, 503);
        assert_eq!(foreign.streams(), 0, "whoever asks for a stream shows its token");
    }
}
