//! Who is refused.

use k8s_openapi::api::core::v1::Pod;
use pillion::bundle::push::AUDIENCE;
use pillion_cluster::TokenWish;

use super::live::named;
use super::stage::Stage;
use crate::support::yaml::{all_to, provider};

/// The token with another character in the middle of its payload, or of its signature.
fn tampered(token: &str, part: usize) -> String {
    let mut parts: Vec<String> = token.split('.').map(str::to_owned).collect();
    let at = parts[part].len() / 2;
    let other = if parts[part].as_bytes()[at] == b'A' { "B" } else { "A" };
    parts[part].replace_range(at..=at, other);
    parts.join(".")
}

#[test]
fn who_is_no_pod_of_ours_gets_nothing() {
    let stage = Stage::new();
    let upstream = named("first");
    stage.apply(&(provider("first", &upstream.url(), "") + &all_to("first")));
    let controller = stage.order("one").flag("--log", "trace").start(&stage.kubeconfig);
    let pod = stage.pod("app", &[]);
    let good = stage.token(&pod, AUDIENCE);
    let gone = stage.pod("gone", &[]);
    let of_gone = stage.token(&gone, AUDIENCE);
    stage.delete::<Pod>("gone");
    let elsewhere = stage.pod_in(&stage.system, "elsewhere", &[]);
    let unbound = TokenWish {
        namespace: &stage.namespace,
        service_account: "default",
        pod: None,
        audience: Some(AUDIENCE),
        seconds: 3600,
    };
    let unbound = stage.block_on(stage.cluster().token(unbound)).unwrap();
    let issuer = "https://kubernetes.default.svc.cluster.local";
    let tokens = [
        ("no token", "no.token.really".to_owned(), "401"),
        ("another signature", tampered(&good, 2), "401"),
        ("another payload", tampered(&good, 1), "401"),
        ("another audience", stage.token(&pod, "vault"), "401"),
        ("the API server's audience", stage.token(&pod, issuer), "401"),
        ("a pod that is gone", of_gone, "401"),
        ("no pod", unbound, "403"),
        ("a namespace that is not watched", stage.token(&elsewhere, AUDIENCE), "403"),
    ];
    for (what, token, status) in &tokens {
        let stranger = stage.seat(token).without_waiting().start();
        let refused = stranger.wait_log(|line| {
            line["message"].as_str().unwrap_or_default().starts_with("the controller refuses")
        });
        let said = refused["message"].as_str().unwrap();
        assert!(said.contains(status), "{what}: {said}");
        assert_eq!(stranger.page("/readyz").0, 503, "{what}");
        assert_eq!(stranger.call().status(), 503, "{what}");
        assert_eq!(stranger.cached(), "", "{what}");
        assert!(!stranger.log().iter().any(|line| line.to_string().contains(&**token)));
    }
    // The good one is one.
    let sidecar = stage.seat(&good).start();
    assert_eq!(sidecar.call().status(), 200);
    let log = controller.log().join("\n");
    for (what, token, _) in tokens.iter().chain([&("the good one", good, "")]) {
        let signature = token.rsplit('.').next().unwrap();
        assert!(!log.contains(signature), "the controller's log has the token: {what}");
    }
}

#[test]
fn a_sidecar_whose_pod_is_gone_is_left_with_what_it_has() {
    let stage = Stage::new();
    let (first, second) = (named("first"), named("second"));
    let providers = provider("first", &first.url(), "") + &provider("second", &second.url(), "");
    stage.apply(&(providers + &all_to("first")));
    let _controller = stage.controller("one");
    let (gone, stays) = (stage.pod("gone", &[]), stage.pod("stays", &[]));
    let [one, two] = [&gone, &stays].map(|pod| stage.sidecar(pod));
    stage.delete::<Pod>("gone");
    one.wait_log(|line| line["message"].as_str().unwrap_or_default().contains("refuses with 40"));
    stage.apply(&all_to("second"));
    two.until(|answer| answer.text() == "\"second\"");
    assert_eq!(one.call().text(), "\"first\"");
    // Another pod of the same name is another pod.
    let again = stage.sidecar(&stage.pod("gone", &[]));
    assert_eq!(again.call().text(), "\"second\"");
}
