//! A webhook that is away, questions that are none, and pods with secrets.

use std::net::SocketAddr;

use serde_json::json;

use super::{Injection, asking, is_injected, pod};
use crate::support::client::{Answer, Client};
use crate::support::cluster::refusal;
use crate::support::stream::Stream;
use crate::support::tls::believing;

#[track_caller]
fn ask(address: SocketAddr, ca: &str, target: &str, body: &str) -> Answer {
    let stream = Stream::connect_tls(address, "localhost", believing(ca, &[b"http/1.1"])).unwrap();
    Client::over(stream).post(target, &[("content-type", "application/json")], body)
}

#[test]
fn an_outage_stops_only_pods_that_asked() {
    let mut injection = Injection::new();
    injection.controller.kill();
    let status = refusal(injection.create(&asking("asking")));
    assert_eq!(status.code, 500, "{status:?}");
    assert!(status.message.contains("pods.pillion.dev"), "{status:?}");
    let opted_out = pod("opted-out", &[("pillion.dev/inject", "false")]);
    for other in [pod("other", &[("app", "x")]), opted_out] {
        assert!(!is_injected(&injection.create(&other).unwrap()));
    }
}

#[test]
fn what_is_no_question_is_told_so() {
    let injection = Injection::new();
    let (address, ca) = (injection.controller.webhook(), injection.stage.ca());
    let review = |change: fn(&mut serde_json::Value)| {
        let mut review = json!({
            "apiVersion": "admission.k8s.io/v1",
            "kind": "AdmissionReview",
            "request": {
                "uid": "7",
                "kind": { "group": "", "version": "v1", "kind": "Pod" },
                "operation": "CREATE",
                "namespace": injection.stage.namespace,
                "object": asking("app"),
            },
        });
        change(&mut review);
        review.to_string()
    };
    let fine = ask(address, &ca, "/inject?timeout=5s", &review(|_| {}));
    assert_eq!(fine.status(), 200);
    assert_eq!(fine.json()["response"]["uid"], "7");
    assert_eq!(fine.json()["response"]["patchType"], "JSONPatch");
    for (body, status, said) in [
        ("{".to_owned(), 400, "the body is no JSON: line 1, column 1\n"),
        ("{}".to_owned(), 400, "apiVersion, kind or request"),
        (review(|it| it["request"]["uid"] = json!(["made-up-secret"])), 400, "request.uid"),
        (review(|it| it["apiVersion"] = json!("admission.k8s.io/v9")), 400, "admission.k8s.io/v1"),
        (review(|it| it["request"]["object"] = json!("x".repeat(4 << 20))), 413, "3145728 bytes"),
    ] {
        let answer = ask(address, &ca, "/inject", &body);
        assert_eq!(answer.status(), status, "{}", answer.text());
        assert!(answer.text().contains(said), "{}", answer.text());
        assert!(!answer.text().contains("made-up-secret"));
    }
    assert_eq!(ask(address, &ca, "/", "{}").status(), 404);
    // Another kind is let through, and left alone.
    for change in [
        (|it| it["request"]["kind"]["kind"] = json!("Secret")) as fn(&mut serde_json::Value),
        |it| it["request"]["operation"] = json!("UPDATE"),
        |it| it["request"]["subResource"] = json!("ephemeralcontainers"),
    ] {
        let answer = ask(address, &ca, "/inject", &review(change)).json();
        assert_eq!(answer["response"]["allowed"], true);
        assert_eq!(answer["response"].get("patch"), None);
        assert!(answer["response"]["warnings"][0].as_str().unwrap().contains("created"));
    }
}

#[test]
fn what_a_pod_holds_is_not_told_on() {
    const CANARY: &str = "made-up-canary-0123456789";
    let injection = Injection::new();
    let mut pod = asking("app");
    pod["metadata"]["annotations"] = json!({ "example.com/note": CANARY });
    pod["spec"]["containers"][0]["env"] = json!([{ "name": "KEY", "value": CANARY }]);
    assert!(is_injected(&injection.try_out(&pod).unwrap()));
    let mut refused = pod.clone();
    refused["metadata"]["annotations"] = json!({ "pillion.dev/image": format!("{CANARY} ") });
    let status = refusal(injection.try_out(&refused));
    assert_eq!(status.code, 400);
    assert!(!format!("{status:?}").contains(CANARY));
    let mut host = pod;
    host["spec"]["hostNetwork"] = true.into();
    assert!(!is_injected(&injection.try_out(&host).unwrap()));
    injection.controller.wait_log(|line| line["message"] == "a pod gets no sidecar");
    let (log, metrics) =
        (injection.controller.log().join("\n"), injection.controller.page("/metrics").1);
    assert!(log.contains("a pod is refused"), "{log}");
    assert!(!log.contains(CANARY) && !metrics.contains(CANARY));
}
