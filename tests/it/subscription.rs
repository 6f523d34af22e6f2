//! A real sidecar before a scripted controller: what it runs, what it answers, and what it makes of
//! a controller that is not there, says no, or talks nonsense.

mod cache;
mod controller;
mod refusals;
mod streams;
mod trust;

use std::fs;
use std::process::Command;

use pillion::bundle;
use pillion::compile::World;
use pillion::compile::world::Workloads;
use pillion::feed::{Folder, GivenKey};
use serde_json::Value;

use crate::support::client::Answer;
use crate::support::dialects::CHAT;
use crate::support::manifests::Manifests;
use crate::support::proxy::{CANARY, Launch, Proxy};
use crate::support::tls::Ca;
use crate::support::upstream::{Upstream, json_answer};
use crate::support::yaml::{all_to, provider};
use controller::Controller;

/// What a test stands on.
struct Scene {
    ca: Ca,
    controller: Controller,
    upstream: Upstream,
    files: Manifests,
}

/// The token goes to the controller only, and is searched for everywhere else.
fn token(number: u32) -> String {
    format!("token-{CANARY}-{number}")
}

impl Scene {
    fn new() -> Self {
        let ca = Ca::new();
        let controller = Controller::start(&ca);
        let files = Manifests::new();
        files.write("ca.crt", &ca.pem()).write("token", &format!("{}\n", token(1)));
        fs::create_dir(files.path().join("cache")).unwrap();
        let upstream = Upstream::replying(|_| json_answer("200 OK", "{\"ok\": true}"));
        Self { ca, controller, upstream, files }
    }

    /// A world whose calls all go to the upstream, under the provider's name.
    fn world(&self, provider_name: &str) -> World {
        world(&(provider(provider_name, &self.upstream.url(), "") + &all_to(provider_name)))
    }

    fn line(&self, provider_name: &str) -> Vec<u8> {
        bundle::encode(&self.world(provider_name))
    }

    fn launch(&self) -> Launch {
        Launch::new().subscribed(self.controller.address())
    }

    /// A sidecar that runs one bundle already.
    fn started(self) -> (Proxy, Running) {
        self.controller.offer(&self.line("first"));
        let launch = self.launch();
        let Self { ca, controller, upstream, files } = self;
        (launch.start_from(files), Running { ca, controller, upstream })
    }
}

/// What is left beside a sidecar that was started.
struct Running {
    ca: Ca,
    controller: Controller,
    upstream: Upstream,
}

impl Running {
    fn line(&self, provider_name: &str) -> Vec<u8> {
        line(&self.upstream, provider_name)
    }
}

fn line(upstream: &Upstream, name: &str) -> Vec<u8> {
    bundle::encode(&world(&(provider(name, &upstream.url(), "") + &all_to(name))))
}

/// The metrics of a sidecar that has taken a bundle.
pub(crate) fn page() -> String {
    let (proxy, there) = Scene::new().started();
    there.controller.wait_answer(|_| true);
    proxy.metrics()
}

/// The world of manifests, as a controller has it.
fn world(yaml: &str) -> World {
    let folder = Manifests::new();
    folder.write("all.yaml", yaml);
    let no_keys: [GivenKey; 0] = [];
    let manifests = Folder::new(folder.path(), no_keys).read();
    assert!(!manifests.is_broken(), "{:?}", manifests.findings);
    World { workloads: Workloads::Selected, ..manifests.world }
}

fn version(line: &[u8]) -> String {
    bundle::decode(line).unwrap().version
}

fn call(proxy: &Proxy) -> Answer {
    proxy.client().post(CHAT.target, &[], CHAT.body)
}

/// The key of the upstream's newest request.
fn last_key(upstream: &Upstream) -> String {
    upstream.requests().last().unwrap().head.header("authorization").unwrap().to_owned()
}

fn applied(version: &str) -> impl Fn(&Value) -> bool {
    move |answer| answer["type"] == "applied" && answer["version"] == version
}

fn rejected(answer: &Value) -> bool {
    answer["type"] == "rejected"
}

#[test]
fn a_feed_must_be_given_and_only_one() {
    let run = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pillion"));
        let output = command.env_clear().arg("proxy").args(args).output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    for (args, said) in [
        (&[][..], "--manifests <DIR>|--controller <HOST:PORT>"),
        (&["--manifests", ".", "--controller", "a:1"], "cannot be used with"),
        (&["--controller", "nobody"], "write HOST:PORT"),
        (&["--manifests", ".", "--cache", "."], "cannot be used with"),
        (&["--manifests", ".", "--token", "."], "cannot be used with"),
        (&["--controller", "a:1", "--key", "a/b/c=D"], "cannot be used with"),
    ] {
        let (code, told) = run(args);
        assert!(code == Some(2) && told.contains(said), "{args:?}: {told}");
    }
}
