//! End to end: `pillion controller` and `pillion proxy --controller` as processes, before a real
//! API server, under the roles that an installation has.
//!
//! A [`stage`] is two namespaces; a [`replica`] a controller, a [`sidecar`] a proxy with the token
//! of a Pod object, a [`service`] the one address of all replicas. Whatever they say, and whatever
//! the API server shows but Secrets, is searched for keys at the end of each test.

mod away;
mod canary;
mod examples;
mod faulty;
mod grants;
mod injection;
mod installation;
mod installed;
mod liar;
mod live;
mod lying;
mod refused;
mod replica;
mod replicas;
mod roles;
mod scopes;
mod service;
mod sidecar;
mod stage;
mod statuses;
mod tokens;
mod traffic;

use std::time::{Duration, Instant};

use crate::support::yaml::object;

/// Some lines of a spec that make a route one for pods with this label.
fn for_pods(app: &str) -> String {
    format!("  workloads: {{ podSelector: {{ matchLabels: {{ app: {app} }} }} }}\n")
}

/// A route whose calls all go to one provider, with further lines of its spec.
fn route_to(name: &str, provider: &str, more: &str) -> String {
    let rules = format!("[{{ name: all, targets: [{{ provider: {{ name: {provider} }} }}] }}]");
    object("LlmRoute", name, &format!("  rules: {rules}\n{more}"))
}

/// It has come within the time that is promised.
#[track_caller]
fn assert_within_a_second(since: Instant) {
    let took = since.elapsed();
    assert!(took < Duration::from_secs(1), "{took:?}");
}
