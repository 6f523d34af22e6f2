//! Edits with an error.

use k8s_openapi::api::events::v1::Event;
use kube::Api;
use kube::api::ListParams;

use super::live::{last_key, named};
use super::stage::Stage;
use super::{for_pods, route_to};
use crate::support::yaml::{bearer, provider};

#[test]
fn fault_34_a_bad_edit_leaves_what_ran_and_the_status_says_so() {
    let stage = Stage::new();
    let (first, second) = (named("first"), named("second"));
    let providers = provider("first", &first.url(), "") + &provider("second", &second.url(), "");
    stage.apply(&(providers + &route_to("edited", "first", &for_pods("a"))));
    stage.apply(&route_to("other", "first", &for_pods("b")));
    let _controller = stage.controller("one");
    let one = stage.sidecar(&stage.pod("a", &[("app", "a")]));
    let two = stage.sidecar(&stage.pod("b", &[("app", "b")]));
    assert_eq!(one.call().status(), 200);

    stage.apply(&route_to("edited", "frist", &for_pods("a")));
    stage.until_said("edited", "ResolvedRefs", "ProviderNotFound");
    let edited = stage.until_said("edited", "Programmed", "LastGoodKept");
    let summary = edited.status.unwrap().summary.unwrap();
    assert!(summary.contains("frist"), "{summary}");
    let (code, told) = stage.status(&["-n", &stage.namespace]);
    assert!(code == Some(1) && told.contains("LastGoodKept"), "{told}");
    assert_eq!(one.call().status(), 200);
    assert_eq!(last_key(&first), bearer("first"));
    // Others go on changing meanwhile.
    stage.apply(&route_to("other", "second", &for_pods("b")));
    two.until(|answer| answer.text() == "\"second\"");
    assert_eq!(one.call().text(), "\"first\"");

    let events: Api<Event> = stage.api();
    let events = stage.block_on(events.list(&ListParams::default())).unwrap();
    let of = |event: &&Event| event.regarding.as_ref().unwrap().name.as_deref() == Some("edited");
    let told: Vec<_> = events.iter().filter(of).map(|event| event.reason.clone()).collect();
    assert_eq!(told, [Some("ProviderNotFound".to_owned())]);

    stage.apply(&route_to("edited", "second", &for_pods("a")));
    one.until(|answer| answer.text() == "\"second\"");
    stage.until_said("edited", "Programmed", "Programmed");
    stage.until_said("edited", "ResolvedRefs", "ResolvedRefs");
}
