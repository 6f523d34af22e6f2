//! The search for keys, where everything is said that can be said.
//!
//! Every stage makes it; here the logs are at their longest, and the search is shown to find what
//! it should.

use super::live::{last_key, named};
use super::stage::Stage;
use crate::support::client::request;
use crate::support::dialects::CHAT;
use crate::support::proxy::has_key;
use crate::support::yaml::{bearer, key, object, provider, secret};

#[test]
fn keys_are_with_the_provider_in_secrets_and_in_memory_and_nowhere_else() {
    let stage = Stage::new();
    let controller = stage.order("one").flag("--log", "trace").start(&stage.kubeconfig);
    let upstream = named("first");
    let route = "  clients: [{ name: team, keyRef: { name: team, key: own } }]\n  rules: [{ name: \
                 all, targets: [{ provider: { name: first } }] }]\n";
    let team = key("team");
    let yaml = provider("first", &upstream.url(), "") + &secret("team", "own", &team);
    stage.apply(&(yaml + &object("LlmRoute", "guarded", route)));
    stage.until_said("guarded", "Programmed", "NoSidecars");
    let pod = stage.pod("app", &[]);
    let sidecar = stage.seat(&stage.token(&pod, "pillion.dev")).flag("--log", "trace").start();
    let mine = format!("Bearer {team}");
    let headers = [("authorization", &*mine)];
    let mut client = sidecar.client();
    let answer = client.send(request("POST", CHAT.target, &headers, CHAT.body)).answer();
    assert_eq!(answer.status(), 200, "{}", answer.text());
    assert_eq!(last_key(&upstream), bearer("first"));
    assert_eq!(sidecar.call().status(), 401);

    // Neither a key that cannot be sent, nor an object that is wrong about it, tells it.
    stage.secret("first", "api-key", &format!("{}\nx", key("broken")));
    stage.until_said("guarded", "ResolvedRefs", "KeyNotUsable");
    stage.secret("first", "api-key", &key("second"));
    stage.until_said("guarded", "ResolvedRefs", "ResolvedRefs");
    stage.until_said("guarded", "Programmed", "Programmed");

    let secrets = stage.kubectl(&["get", "secrets", "-n", &stage.namespace, "-o", "yaml"]);
    assert!(has_key(secrets.as_bytes()) && has_key(sidecar.cached().as_bytes()));
    let log = controller.log().join("\n");
    assert!(log.contains("\"TRACE\""), "the longest log that there is");
    assert!(!has_key(log.as_bytes()));
}
