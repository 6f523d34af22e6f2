//! The node, and who does something to it: Helm, kubectl, the kernel.

use std::env;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::time::Instant;

use anyhow::{Context, ensure};
use pillion_cluster::{Helm, Node, Process, Program, Settings, until};

use crate::story::CANARY;

/// Where Pillion is.
pub(crate) const SYSTEM: &str = "pillion-system";
/// Where the applications are.
pub(crate) const TEAM: &str = "team";

/// What the logs of those who follow something begin with.
pub(crate) const FOLLOWED: &str = "followed-";

/// A node that has the images.
pub(crate) struct Stage {
    pub(crate) node: Node,
    helm: Helm,
    began: Instant,
}

// === impl Stage ===

impl Stage {
    /// Starts it. `scripts/e2e` says where the images are.
    pub(crate) async fn set() -> anyhow::Result<Self> {
        let began = Instant::now();
        let variable = "PILLION_IMAGES";
        let images = env::var_os(variable).with_context(|| format!("no {variable}: make e2e"))?;
        let node = Node::start(Settings::default()).await?;
        for archive in env::split_paths(&images) {
            node.load(&archive)?;
        }
        let helm = Helm::of(node.cluster())?;
        let stage = Self { node, helm, began };
        stage.tell("a node with kubelet and containerd, and the images on it");
        Ok(stage)
    }

    /// Says what has been seen.
    pub(crate) fn tell(&self, seen: &str) {
        println!("{:6.1} s  {seen}", self.began.elapsed().as_secs_f32());
    }

    /// Runs a shell's commands as somebody with a key would, where the project is.
    pub(crate) fn shell(&self, commands: &str) -> anyhow::Result<String> {
        let (cluster, home) = (self.node.cluster(), self.node.folder());
        let built = concat!(env!("CARGO_MANIFEST_DIR"), "/.cache/cluster");
        let path = format!("{}:{built}:/usr/bin:/bin", cluster.tools().display());
        let mut command = Command::new("bash");
        command.args(["-euo", "pipefail", "-c", commands]).current_dir(env!("CARGO_MANIFEST_DIR"));
        command.env_clear().env("HOME", home).env("PATH", path).stdin(Stdio::null());
        command.env("KUBECONFIG", cluster.kubeconfig());
        command.env("OPENROUTER_API_KEY", format!("{CANARY}-one"));
        said(command.output()?).with_context(|| commands.to_owned())
    }

    pub(crate) async fn kubectl(&self, arguments: &[&str]) -> anyhow::Result<String> {
        let output = self.node.cluster().kubectl(arguments).await?;
        said(output).with_context(|| format!("kubectl {}", arguments.join(" ")))
    }

    pub(crate) fn helm(&self, arguments: &[&str]) -> anyhow::Result<String> {
        said(self.helm.run(arguments)?).with_context(|| format!("helm {}", arguments.join(" ")))
    }

    /// Applies a manifest, with some of its words replaced.
    pub(crate) async fn apply(
        &self,
        manifest: &str,
        replaced: &[(&str, &str)],
    ) -> anyhow::Result<()> {
        let put_in = |text: String, (from, to): &(&str, &str)| text.replace(from, to);
        let text = replaced.iter().fold(manifest.to_owned(), put_in);
        let file = self.node.cluster().write("applied.yaml", &text)?;
        self.kubectl(&["apply", "-f", &file.display().to_string()]).await.map(|_| ())
    }

    /// Waits until something is so of an object, as `kubectl wait` can say it.
    pub(crate) async fn wait(
        &self,
        namespace: &str,
        object: &str,
        condition: &str,
    ) -> anyhow::Result<()> {
        let condition = format!("--for={condition}");
        let arguments = ["wait", "-n", namespace, object, &condition, "--timeout=90s"];
        self.kubectl(&arguments).await.map(|_| ())
    }

    /// A field of an object, empty if it is not there.
    pub(crate) async fn field(&self, object: &str, path: &str) -> anyhow::Result<String> {
        let path = format!("jsonpath={path}");
        self.kubectl(&["get", "-n", TEAM, object, "-o", &path]).await
    }

    /// Waits until both replicas of the controller are there, of the version that was last asked
    /// for, and kube-proxy knows of them: until then the API server cannot ask the webhook.
    pub(crate) async fn await_controllers(&self) -> anyhow::Result<()> {
        let rollout = ["rollout", "status", "-n", SYSTEM, "deployment/pillion", "--timeout=90s"];
        self.kubectl(&rollout).await?;
        let labelled = "--labels=pillion.dev/inject=true";
        let pod = ["run", "asked", "--image=none", labelled, "--dry-run=server", "-n", "default"];
        let mut refusal = String::new();
        let asked = async || {
            let outcome = self.kubectl(&pod).await;
            refusal = outcome.as_ref().err().map(|error| format!("{error:#}")).unwrap_or_default();
            Ok(outcome.is_ok())
        };
        let answers = until("the webhook's answer", asked).await;
        answers.with_context(|| refusal)
    }

    /// Follows what the controllers say that are there now.
    pub(crate) fn follow_controllers(&self, name: &str) -> anyhow::Result<Process> {
        let controllers = "--selector=app.kubernetes.io/component=controller";
        self.follow(name, &["logs", "--follow", "-n", SYSTEM, controllers, "--tail=-1"])
    }

    /// Runs kubectl in the background; what it says goes to its log, which is kept and searched.
    pub(crate) fn follow(&self, name: &str, arguments: &[&str]) -> anyhow::Result<Process> {
        let cluster = self.node.cluster();
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

fn said(output: Output) -> anyhow::Result<String> {
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{text}{errors}");
    Ok(text)
}
