//! What is applied runs.

use super::sidecar::Sidecar;
use super::stage::Stage;
use crate::support::upstream::{Upstream, json_answer};
use crate::support::yaml::{all_to, bearer, provider};

/// An upstream that answers with its name.
pub(crate) fn named(name: &'static str) -> Upstream {
    Upstream::replying(move |_| json_answer("200 OK", &format!("{name:?}")))
}

/// The key of the upstream's newest request.
pub(crate) fn last_key(upstream: &Upstream) -> String {
    upstream.requests().last().unwrap().head.header("authorization").unwrap().to_owned()
}

#[test]
fn what_is_applied_runs() {
    let stage = Stage::new();
    let _controller = stage.controller("one");
    let pod = stage.pod("app", &[("app", "chat")]);
    let sidecar = stage.sidecar(&pod);
    assert_eq!(sidecar.call().status(), 404);
    let upstream = named("first");
    stage.apply(&(provider("first", &upstream.url(), "") + &all_to("first")));
    sidecar.until(|answer| answer.status() == 200);
    assert_eq!(last_key(&upstream), bearer("first"));
    let _: &Sidecar = &sidecar;
}
