//! A controller whose API server breaks off, forgets, refuses, stalls and takes new tokens only.

use std::time::Duration;

use pillion_cluster::TokenWish;

use super::installation::ACCOUNT;
use super::liar::{Liar, Mood};
use super::stage::Stage;
use super::traffic::Traffic;
use crate::support::upstream::{Upstream, json_answer};
use crate::support::yaml::{all_to, provider};

/// An upstream that tells its base path.
fn echoing() -> Upstream {
    Upstream::replying(|request| {
        let edition = request.target().split('/').nth(1).unwrap_or_default().to_owned();
        json_answer("200 OK", &format!("{edition:?}"))
    })
}

#[test]
fn fault_39_a_watch_that_lies_and_breaks_never_empties_a_table_and_the_last_change_arrives() {
    const SNAPSHOTS: &str = "pillion_controller_snapshots_total";
    const ERRORS: &str = "pillion_controller_watch_errors_total";
    let stage = Stage::new();
    let upstream = echoing();
    let edition = |edition: &str| {
        stage.apply(&provider("there", &format!("{}/{edition}/v1", upstream.url()), ""));
    };
    edition("begun");
    stage.apply(&all_to("there"));
    let liar = Liar::before(&stage.kubeconfig);
    let controller = stage.order("one").start(liar.kubeconfig());
    let rotated = token(&stage);
    liar.rotate(&rotated);
    let sidecar = stage.sidecar(&stage.pod("app", &[]));
    let traffic = Traffic::through(&sidecar);
    traffic.goes_on(10);
    let (mut snapshots, mut errors) = (0.0, 0.0);
    let mut arrives = |name: &str| {
        sidecar.until(|answer| answer.text() == format!("{name:?}"));
        assert_eq!(controller.page("/readyz").0, 200);
        let (made, seen) = (controller.metric(SNAPSHOTS), controller.metric(ERRORS));
        assert!(made > snapshots && seen >= errors, "{made} {seen}");
        (snapshots, errors) = (made, seen);
    };
    arrives("begun");

    // Changes arrive while connections last half a second, and while no watch is ever resumed.
    liar.is(Mood::Cutting(Duration::from_millis(500)));
    liar.has_lied(3);
    edition("cut");
    arrives("cut");
    liar.is(Mood::Forgetting);
    liar.has_lied(10);
    edition("forgotten");
    arrives("forgotten");

    // And afterwards, where nothing can be learned meanwhile.
    for mood in [Mood::Refusing(429), Mood::Refusing(401), Mood::Refusing(500), Mood::Silent] {
        liar.is(mood);
        let name = format!("{mood:?}").replace(['(', ')'], "-").to_lowercase();
        edition(&name);
        liar.has_lied(2);
        traffic.goes_on(50);
        liar.is(Mood::Honest);
        arrives(&name);
    }
    assert!(controller.metric(ERRORS) > 10.0);
    // kube's client reads the file at most once in fifty seconds.
    liar.has_seen(&rotated, Duration::from_secs(80));
    edition("rotated");
    arrives("rotated");
    traffic.goes_on(10);
}

/// Another token of the controller.
fn token(stage: &Stage) -> String {
    let wish = TokenWish {
        namespace: &stage.system,
        service_account: ACCOUNT,
        pod: None,
        audience: None,
        seconds: 7200,
    };
    stage.block_on(stage.cluster().token(wish)).unwrap()
}
