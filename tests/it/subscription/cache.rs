//! A sidecar that starts while no controller is there.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::thread;

use tempfile::TempDir;

use super::*;
use crate::support::yaml::{bearer, route};

fn file(folder: &Path) -> PathBuf {
    folder.join("bundle.json")
}

/// Waits until the cache holds a bundle other than `before`.
fn wait_kept(folder: &Path, before: &[u8]) -> Vec<u8> {
    let began = std::time::Instant::now();
    loop {
        match fs::read(file(folder)) {
            Ok(kept) if kept != before => return kept,
            _ => assert!(began.elapsed() < crate::support::GUARD, "never kept"),
        }
        thread::yield_now();
    }
}

fn files(ca: &Ca) -> Manifests {
    let files = Manifests::new();
    files.write("ca.crt", &ca.pem()).write("token", &token(1));
    files
}

#[test]
fn fault_41_without_a_controller_and_a_cache_calls_are_refused_at_once() {
    let scene = Scene::new();
    let launch = scene.launch().without_waiting();
    drop(scene.controller);
    let proxy = launch.start_from(scene.files);
    assert_eq!(proxy.page("/readyz").0, 503);
    let answer = call(&proxy);
    assert_eq!(answer.status(), 503);
    assert_eq!(answer.head.header("x-pillion-reason"), Some("not_ready"));
}

#[test]
fn fault_38_what_ran_is_run_again_from_the_cache_until_the_controller_says_otherwise() {
    let folder = TempDir::new().unwrap();
    let scene = Scene::new();
    let address = scene.controller.address();
    let launch = scene.launch().flag("--cache", folder.path().to_str().unwrap());
    scene.controller.offer(&scene.line("first"));
    let Scene { ca, controller, upstream, files: own } = scene;
    drop(launch.clone().start_from(own));
    let kept = fs::read(file(folder.path())).unwrap();
    assert_eq!(version(&kept), version(&line(&upstream, "first")));
    let mode = fs::metadata(file(folder.path())).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);

    drop(controller);
    let proxy = launch.start_from(files(&ca));
    assert_eq!(call(&proxy).status(), 200);
    assert_eq!(last_key(&upstream), bearer("first"));
    let controller = Controller::start_on(address, &ca);
    let second = line(&upstream, "second");
    controller.offer(&second);
    controller.wait_answer(applied(&version(&second)));
    assert_eq!(call(&proxy).status(), 200);
    assert_eq!(last_key(&upstream), bearer("second"));
    assert_eq!(version(&wait_kept(folder.path(), &kept)), version(&second));
}

#[test]
fn fault_34_what_was_held_is_held_over_a_restart() {
    let folder = TempDir::new().unwrap();
    let scene = Scene::new();
    let launch = scene.launch().flag("--cache", folder.path().to_str().unwrap());
    scene.controller.offer(&scene.line("first"));
    let Scene { ca, controller, upstream, files: own } = scene;
    let proxy = launch.clone().start_from(own);
    let typo = route("everything", "[{ name: all, targets: [{ provider: { name: frist } }] }]");
    let edited = bundle::encode(&world(&(provider("first", &upstream.url(), "") + &typo)));
    controller.offer(&edited);
    controller.wait_answer(applied(&version(&edited)));
    drop(proxy);
    let proxy = launch.start_from(files(&ca));
    let held = |answer: &Value| answer["held"][0] == "LlmRoute default/everything";
    controller.wait_answer(held);
    controller.wait_stream(2);
    assert_eq!(call(&proxy).status(), 200);
}

#[test]
fn a_cache_that_is_no_bundle_is_told_and_removed() {
    let folder = TempDir::new().unwrap();
    fs::write(file(folder.path()), format!("{{\"{CANARY}\": 1}}").replace(CANARY, "x")).unwrap();
    let scene = Scene::new();
    let launch = scene.launch().flag("--cache", folder.path().to_str().unwrap());
    let (upstream, first) = (&scene.upstream, scene.line("first"));
    let proxy = launch.without_waiting().start_from(scene.files);
    proxy.wait_log(|line| line["message"].as_str().unwrap().contains("is removed"));
    assert!(!file(folder.path()).exists());
    assert_eq!(proxy.page("/readyz").0, 503);
    scene.controller.offer(&first);
    proxy.wait_ready();
    assert_eq!(call(&proxy).status(), 200);
    assert_eq!(last_key(upstream), bearer("first"));
}

#[test]
fn a_cache_that_cannot_be_written_is_told_and_nothing_else() {
    let scene = Scene::new();
    let launch = scene.launch().flag("--cache", "/nonexistent");
    scene.controller.offer(&scene.line("first"));
    let proxy = launch.start_from(scene.files);
    let told = proxy.wait_log(|line| line["level"] == "WARN");
    assert!(told["remedy"].as_str().unwrap().contains("--cache"), "{told}");
    assert_eq!(call(&proxy).status(), 200);
}
