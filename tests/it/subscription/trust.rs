//! A controller whose CA becomes another one while its sidecars run.

use std::fs;

use bundle::push;
use tempfile::TempDir;

use super::controller::Controller;
use super::*;
use crate::support::metrics::wait_any;

#[test]
fn a_sidecar_believes_what_its_controller_has_told_of() {
    let folder = TempDir::new().unwrap();
    let (scene, next) = (Scene::new(), Ca::new());
    let address = scene.controller.address();
    let both = scene.ca.pem() + &next.pem();
    scene.controller.tell(push::authorities_header(&both).unwrap());
    scene.controller.offer(&scene.line("first"));
    let launch = scene.launch().flag("--cache", folder.path().to_str().unwrap());
    let Scene { ca, controller, upstream, files } = scene;
    let proxy = launch.clone().start_from(files);
    proxy.wait_log(|line| line["message"].as_str().unwrap().contains("it is believed"));
    assert_eq!(fs::read_to_string(folder.path().join("ca.crt")).unwrap(), both);

    // The next one is signed by the CA that was only told of; and so it is after a restart.
    drop(controller);
    let controller = Controller::start_on(address, &next);
    let second = line(&upstream, "second");
    controller.offer(&second);
    controller.wait_answer(applied(&version(&second)));
    drop(proxy);
    let files = || {
        let files = Manifests::new();
        files.write("ca.crt", &ca.pem()).write("token", &token(1));
        files
    };
    let streams = controller.streams();
    let proxy = launch.start_from(files());
    controller.wait_stream(streams + 1);
    drop(proxy);

    // Without the cache there is only the file.
    let proxy = Launch::new().subscribed(address).without_waiting().start_from(files());
    // It tries again and again.
    wait_any(&proxy, "pillion_controller_connects_total", &[("result", "unreachable")]);
    assert_eq!(controller.streams(), streams + 1);
}

#[test]
fn what_is_no_certificate_is_passed_over() {
    let scene = Scene::new();
    for text in ["no certificate", "-----BEGIN CERTIFICATE-----\nAQID\n-----END CERTIFICATE-----\n"]
    {
        scene.controller.tell(push::authorities_header(text).unwrap());
        scene.controller.offer(&scene.line("first"));
        let files = Manifests::new();
        files.write("ca.crt", &scene.ca.pem()).write("token", &token(1));
        let proxy = scene.launch().start_from(files);
        proxy.wait_log(|line| line["message"].as_str().unwrap().contains("passed over"));
        assert_eq!(call(&proxy).status(), 200);
    }
}
