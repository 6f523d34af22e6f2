//! Keys and addresses that are not to be used, and keys that are taken away.

use std::time::{Duration, Instant};

use k8s_openapi::api::core::v1::Secret;
use pillion::api::ProviderSecret;

use super::stage::Stage;
use super::traffic::telling;
use crate::support::client::request;
use crate::support::dialects::CHAT;
use crate::support::gate::Gate;
use crate::support::proxy::CANARY;
use crate::support::upstream::{LAST_CHUNK, STREAM_HEAD, Upstream, chunk, json_answer};
use crate::support::wire::{End, Piece};
use crate::support::yaml::{all_to, key, provider};

/// Is the reason that of one of the conditions, as of the last change?
fn says(provider: &ProviderSecret, reason: &str) -> bool {
    let mut conditions = provider.status.iter().flat_map(|status| &status.conditions);
    conditions.any(|condition| {
        condition.reason == reason && condition.observed_generation == provider.metadata.generation
    })
}

#[test]
fn fault_29_keys_that_cannot_be_sent_are_told_and_refused_and_never_shown() {
    let stage = Stage::new();
    let upstream = telling("there");
    stage.apply(&(provider("there", &upstream.url(), "") + &all_to("there")));
    let _controller = stage.controller("one");
    let sidecar = stage.sidecar(&stage.pod("app", &[]));
    sidecar.until(|answer| answer.status() == 200);
    let split = format!("sk-{CANARY}\r\nx-evil: 1");
    let bad = [split.as_str(), "sk-\0", "schl\u{fc}ssel", "", " \n"];
    for value in bad {
        stage.secret("there", "api-key", value);
        let refused = sidecar.until(|answer| answer.status() == 503);
        assert!(refused.json()["error"]["message"].is_string(), "{refused:?}");
        stage.until::<ProviderSecret>("there", |provider| says(provider, "KeyNotUsable"));
        stage.secret("there", "api-key", &key("there"));
        sidecar.until(|answer| answer.status() == 200);
        stage.until::<ProviderSecret>("there", |provider| says(provider, "ResolvedRefs"));
    }
    // The key is missing in its Secret.
    let patch = r#"{"data":{"api-key":null}}"#;
    let namespace = ["--namespace", stage.namespace.as_str()];
    stage.kubectl(&["patch", "secret", "there", "-p", patch, namespace[0], namespace[1]]);
    sidecar.until(|answer| answer.status() == 503);
    stage.until::<ProviderSecret>("there", |provider| says(provider, "KeyNotUsable"));
    for sent in upstream.requests() {
        assert_eq!(sent.head.header("x-evil"), None);
    }
}

#[test]
fn fault_32_a_secret_that_is_deleted_is_used_for_less_than_a_second_more() {
    let stage = Stage::new();
    let gate = Gate::default();
    let held = gate.clone();
    let upstream = Upstream::start(move |connection| {
        while let Some(request) = connection.request()? {
            if request.text() != CHAT.body {
                connection.write(json_answer("200 OK", "{}"))?;
                continue;
            }
            connection.write(STREAM_HEAD)?;
            connection.write(chunk(CHAT.first))?;
            held.pass();
            connection.write(chunk(CHAT.last))?;
            connection.write(LAST_CHUNK)?;
        }
        Ok(())
    });
    stage.apply(&(provider("there", &upstream.url(), "") + &all_to("there")));
    let _controller = stage.controller("one");
    let sidecar = stage.sidecar(&stage.pod("app", &[]));
    sidecar.until(|answer| answer.status() == 200);
    let mut stream = sidecar.client();
    stream.send(request("POST", CHAT.target, &[], CHAT.body)).head();
    assert_eq!(stream.piece(), Piece::Bytes(CHAT.first.into()));

    stage.delete::<Secret>("there");
    let deleted = Instant::now();
    sidecar.until(|answer| answer.status() == 503);
    let took = deleted.elapsed();
    assert!(took < Duration::from_secs(1), "{took:?}");
    gate.open();
    assert_eq!(stream.piece(), Piece::Bytes(CHAT.last.into()));
    assert_eq!(stream.piece(), Piece::End(End::Whole(Vec::new())));
    stage.until::<ProviderSecret>("there", |provider| says(provider, "KeyNotUsable"));
}

#[test]
fn fault_36_what_only_the_node_or_the_cluster_may_read_is_never_called() {
    let stage = Stage::new();
    let _controller = stage.controller("one");
    let sidecar = stage.sidecar(&stage.pod("app", &[]));
    let forbidden = [
        "http://169.254.169.254",
        "http://[::ffff:169.254.169.254]",
        "http://metadata.google.internal",
        "https://kubernetes.default.svc",
        "https://kubernetes.default.svc.cluster.local:443",
    ];
    for address in forbidden {
        stage.apply(&(provider("there", address, "") + &all_to("there")));
        let judged = stage.until::<ProviderSecret>("there", |provider| says(provider, "Invalid"));
        let status = serde_json::to_string(&judged.status).unwrap();
        assert!(status.contains("spec.endpoints[0].baseUrl"), "{status}");
        sidecar.until(|answer| answer.status() == 503);
    }
}
