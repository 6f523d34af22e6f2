//! A controller that says no.

use std::time::{Duration, Instant};

use super::controller::Policy;
use super::*;
use crate::support::metrics::wait_sum;

#[test]
fn a_refusal_is_told_once_with_a_remedy_and_tried_again() {
    for (status, remedy) in [
        (401, "audience pillion.dev"),
        (403, "the pod still exists"),
        (404, "--controller"),
        (429, "tried again"),
        (503, "tried again"),
    ] {
        let scene = Scene::new();
        scene.controller.offer(&scene.line("first"));
        scene.controller.policy(Policy::Refuse(status, None, "said by the controller\n"));
        let launch = scene.launch().without_waiting();
        let Scene { controller, files, .. } = scene;
        let proxy = launch.start_from(files);
        controller.wait_refused(4);
        assert_eq!(proxy.page("/readyz").0, 503);
        proxy.wait_log(|line| line["message"].as_str().unwrap().contains("refuses"));
        let refusals = || {
            let lines = proxy.log().into_iter();
            let told = |line: &Value| line["message"].as_str().unwrap().contains("refuses");
            lines.filter(told).collect::<Vec<_>>()
        };
        let [told] = &refusals()[..] else { panic!("{:?}", refusals()) };
        let message = told["message"].as_str().unwrap();
        assert!(message.contains(&status.to_string()), "{message}");
        assert!(message.contains("said by the controller"), "{message}");
        assert!(told["remedy"].as_str().unwrap().contains(remedy), "{told}");
        assert_eq!(told["level"], "WARN");
        controller.policy(Policy::Accept);
        proxy.wait_ready();
        wait_sum(&proxy, "pillion_controller_connected", &[], 1.0);
    }
}

#[test]
fn a_refusal_costs_nothing_of_what_runs() {
    let (proxy, there) = Scene::new().started();
    there.controller.policy(Policy::Refuse(403, None, "no such pod"));
    there.controller.end();
    there.controller.wait_refused(3);
    assert_eq!(call(&proxy).status(), 200);
    assert_eq!(proxy.page("/readyz").0, 200);
    wait_sum(&proxy, "pillion_controller_connects_total", &[("result", "refused")], 3.0);
}

#[test]
fn a_controller_that_says_when_is_heeded() {
    let (_proxy, there) = Scene::new().started();
    there.controller.policy(Policy::Refuse(429, Some("2"), "too many"));
    // Before the refusal: whoever hears of it late would measure too little.
    let began = Instant::now();
    there.controller.end();
    there.controller.wait_refused(2);
    assert!(began.elapsed() >= Duration::from_millis(1900), "{:?}", began.elapsed());
}

#[test]
fn a_file_that_is_missing_is_told_and_used_when_it_comes() {
    for (name, remedy) in [("token", "--token"), ("ca.crt", "--controller-ca")] {
        let scene = Scene::new();
        scene.controller.offer(&scene.line("first"));
        let content = fs::read_to_string(scene.files.path().join(name)).unwrap();
        scene.files.remove(name);
        let launch = scene.launch().without_waiting();
        let proxy = launch.start_from(scene.files);
        let told = proxy.wait_log(|line| line["level"] == "WARN");
        assert!(told["message"].as_str().unwrap().contains(name), "{told}");
        assert!(told["remedy"].as_str().unwrap().contains(remedy), "{told}");
        proxy.manifests.write(name, &content);
        proxy.wait_ready();
    }
}
