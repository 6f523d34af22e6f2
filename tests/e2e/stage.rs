//! A site with a clock: what the story does there besides, by shells and by followed logs.

use std::env;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::Context;
use pillion_cluster::{Process, Program, until};
use pillion_playground::site::{SYSTEM, Site, said};

use crate::story::CANARY;

/// Where the applications are.
pub(crate) const TEAM: &str = "team";

/// What the logs of those who follow something begin with.
pub(crate) const FOLLOWED: &str = "followed-";

/// A node that has the images.
pub(crate) struct Stage {
    pub(crate) site: Site,
    began: Instant,
}

// === impl Stage ===

impl Stage {
    /// Starts it. `scripts/e2e` says where the images are.
    pub(crate) async fn set() -> anyhow::Result<Self> {
        let began = Instant::now();
        let variable = "PILLION_IMAGES";
        let images = env::var_os(variable).with_context(|| format!("no {variable}: make e2e"))?;
        let stage = Self { site: Site::start(env::split_paths(&images)).await?, began };
        stage.tell("a node with kubelet and containerd, and the images on it");
        Ok(stage)
    }

    /// Says what has been seen.
    pub(crate) fn tell(&self, seen: &str) {
        println!("{:6.1} s  {seen}", self.began.elapsed().as_secs_f32());
    }

    /// Runs a shell's commands as somebody with a key would, where the project is.
    pub(crate) fn shell(&self, commands: &str) -> anyhow::Result<String> {
        let (cluster, home) = (self.site.node.cluster(), self.site.node.folder());
        let built = concat!(env!("CARGO_MANIFEST_DIR"), "/.cache/cluster");
        let path = format!("{}:{built}:/usr/bin:/bin", cluster.tools().display());
        let mut command = Command::new("bash");
        command.args(["-euo", "pipefail", "-c", commands]).current_dir(env!("CARGO_MANIFEST_DIR"));
        command.env_clear().env("HOME", home).env("PATH", path).stdin(Stdio::null());
        command.env("KUBECONFIG", cluster.kubeconfig());
        command.env("OPENROUTER_API_KEY", format!("{CANARY}-one"));
        said(command.output()?).with_context(|| commands.to_owned())
    }

    /// A field of an object, empty if it is not there.
    pub(crate) async fn field(&self, object: &str, path: &str) -> anyhow::Result<String> {
        let path = format!("jsonpath={path}");
        self.site.kubectl(&["get", "-n", TEAM, object, "-o", &path]).await
    }

    /// Follows what the controllers say that are there now.
    pub(crate) fn follow_controllers(&self, name: &str) -> anyhow::Result<Process> {
        let controllers = "--selector=app.kubernetes.io/component=controller";
        self.follow(name, &["logs", "--follow", "-n", SYSTEM, controllers, "--tail=-1"])
    }

    /// Runs kubectl in the background; what it says goes to its log, which is kept and searched.
    pub(crate) fn follow(&self, name: &str, arguments: &[&str]) -> anyhow::Result<Process> {
        let cluster = self.site.node.cluster();
        let kubeconfig = format!("--kubeconfig={}", cluster.kubeconfig().display());
        let arguments = [&[&*kubeconfig], arguments].concat();
        cluster.run(Program {
            name: format!("{FOLLOWED}{name}"),
            path: cluster.tools().join("kubectl"),
            arguments: arguments.into_iter().map(str::to_owned).collect(),
            environment: Vec::new(),
        })
    }

    /// Waits until something is said in a log.
    pub(crate) async fn until_said(&self, log: &Process, what: &str) -> anyhow::Result<()> {
        let path: PathBuf = log.log().to_owned();
        let said = async || Ok(std::fs::read_to_string(&path)?.contains(what));
        until(&format!("`{what}` in {}", path.display()), said).await
    }
}
