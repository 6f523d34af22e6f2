//! Replicas that come and go: no call notices, and all sidecars are counted all the time.

use futures_util::StreamExt;
use kube::api::{WatchEvent, WatchParams};
use pillion::api::LlmRoute;

use super::sidecar::Sidecar;
use super::stage::Stage;
use super::traffic::{Traffic, telling};
use crate::support::yaml::{provider, route};

/// A rule with this name that sends everything to `there`.
fn routed(rule: &str) -> String {
    route(
        "everything",
        &format!("[{{ name: {rule}, targets: [{{ provider: {{ name: there }} }}] }}]"),
    )
}

/// So many pods and their sidecars.
fn sidecars(stage: &Stage, count: usize) -> Vec<Sidecar> {
    let pod = |number| stage.pod(&format!("app-{number}"), &[]);
    (0..count).map(|number| stage.sidecar(&pod(number))).collect()
}

const CONNECTED: &str = "pillion_controller_sidecars";
const REPORTS: &str = "pillion_controller_reports";

/// Does the route's status say of this generation that all of `count` sidecars run it?
pub(super) fn runs(route: &LlmRoute, count: u32) -> bool {
    let judged = |status: &pillion::api::LlmRouteStatus| {
        let mut conditions = status.conditions.iter();
        let programmed = conditions.find(|condition| condition.type_ == "Programmed");
        programmed.is_some_and(|programmed| {
            programmed.status == "True"
                && programmed.observed_generation == route.metadata.generation
        }) && status.sidecars.as_ref().is_some_and(|sidecars| sidecars.programmed == count)
    };
    route.status.as_ref().is_some_and(judged)
}

/// Changes the route and waits until its status says that all run it; no status on the way there
/// has told of fewer sidecars.
#[track_caller]
fn change(stage: &Stage, since: &LlmRoute, rule: &str, count: u32) -> LlmRoute {
    stage.apply(&routed(rule));
    let changed = since.metadata.generation.map(|generation| generation + 1);
    let wanted = |route: &LlmRoute| route.metadata.generation == changed && runs(route, count);
    let now = stage.until("everything", wanted);
    for status in said_since(stage, since, &now) {
        let total = status.status.as_ref().and_then(|status| Some(status.sidecars.as_ref()?.total));
        assert_eq!(total, Some(count), "{status:?}");
    }
    now
}

/// Every version of the route after one and up to another.
fn said_since(stage: &Stage, first: &LlmRoute, last: &LlmRoute) -> Vec<LlmRoute> {
    let version = first.metadata.resource_version.clone().unwrap();
    let looking = async {
        let parameters = WatchParams::default().fields("metadata.name=everything");
        let events = stage.api::<LlmRoute>().watch(&parameters, &version).await.unwrap();
        let mut events = std::pin::pin!(events);
        let mut said = Vec::new();
        while let Some(event) = events.next().await {
            let WatchEvent::Modified(route) = event.unwrap() else { panic!("it was not modified") };
            let is_last = route.metadata.resource_version == last.metadata.resource_version;
            said.push(route);
            if is_last {
                break;
            }
        }
        said
    };
    stage.block_on(looking)
}

#[test]
fn fault_40_sidecars_of_all_replicas_are_counted_whichever_of_them_writes_and_dies() {
    let stage = Stage::new();
    let upstream = telling("there");
    stage.apply(&(provider("there", &upstream.url(), "") + &routed("first")));
    let writes = |line: &serde_json::Value| line["message"] == "this replica writes status now";
    let mut one = stage.controller("one");
    one.wait_log(writes);
    let mut two = stage.controller("two");
    let sidecars = sidecars(&stage, 4);
    let traffic = Traffic::through(&sidecars[0]);
    let _other = Traffic::through(&sidecars[1]);
    // Each has some; the one that holds the lease counts them all, and it alone writes.
    let first = stage.until("everything", |route| runs(route, 4));
    assert_eq!(one.metric(CONNECTED) + two.metric(CONNECTED), 4.0);
    assert!(one.metric(CONNECTED) > 0.0 && two.metric(CONNECTED) > 0.0);
    assert_eq!((one.metric(REPORTS), two.metric(REPORTS)), (1.0, 0.0));
    assert_eq!(two.metric("pillion_controller_status_writes_total"), 0.0);

    // The other is killed: its sidecars come over, and what it said last does no harm.
    two.kill();
    one.wait_metric(CONNECTED, 4.0);
    let second = change(&stage, &first, "second", 4);
    traffic.goes_on(10);

    // The writer ends as it should: the other takes over at once.
    let two = stage.controller("two-again");
    one.wait_metric(REPORTS, 1.0);
    assert!(one.stop().success());
    two.wait_log(writes);
    let third = change(&stage, &second, "third", 4);
    two.wait_metric(CONNECTED, 4.0);
    traffic.goes_on(10);

    // The writer is killed: the third takes over when its lease has run out.
    let three = stage.controller("three");
    two.wait_metric(REPORTS, 1.0);
    let mut two = two;
    two.kill();
    three.wait_metric(CONNECTED, 4.0);
    traffic.goes_on(10);
    three.wait_log(writes);
    change(&stage, &third, "fourth", 4);
    traffic.goes_on(10);
}

#[test]
fn fault_40_a_controller_that_is_killed_changes_nothing_and_the_next_one_goes_on() {
    let stage = Stage::new();
    let (upstream, other) = (telling("first"), telling("second"));
    stage.apply(&(provider("there", &upstream.url(), "") + &routed("first")));
    let mut controller = stage.controller("one");
    let sidecar = stage.sidecar(&stage.pod("app", &[]));
    let traffic = Traffic::through(&sidecar);
    traffic.goes_on(10);
    controller.kill();
    sidecar.wait_log(|line| line["level"] == "WARN");
    stage.apply(&provider("there", &other.url(), ""));
    traffic.goes_on(50);
    assert_eq!(sidecar.page("/readyz").0, 200);
    assert_eq!(sidecar.call().text(), "\"first\"", "nobody told it anything else");
    let _controller = stage.controller("one-again");
    sidecar.until(|answer| answer.text() == "\"second\"");
    traffic.goes_on(10);
}
