//! A node with the images on it, and what is done there with Helm and kubectl until Pillion runs.
//!
//! `tests/e2e` tells its story on one, and `make cluster` is one: see [`crate::installed`].

use std::path::PathBuf;
use std::process::Output;

use anyhow::{Context, ensure};
use pillion_cluster::{Helm, Node, Settings, chart, until};

/// Where Pillion is.
pub const SYSTEM: &str = "pillion-system";

const PROVIDER: &str = include_str!("../manifests/provider.yaml");

/// The node, with Helm before it.
pub struct Site {
    /// The node.
    pub node: Node,
    pub(crate) helm: Helm,
}

/// What a program said, if it did what it was to do.
///
/// # Errors
/// When it did not; the message is all that it said.
pub fn said(output: Output) -> anyhow::Result<String> {
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{text}{errors}");
    Ok(text)
}

// === impl Site ===

impl Site {
    /// Starts a node and loads the images of these archives.
    ///
    /// # Errors
    /// When the node does not come up, or refuses an image.
    pub async fn start(images: impl IntoIterator<Item = PathBuf>) -> anyhow::Result<Self> {
        let node = Node::start(Settings::default()).await?;
        for archive in images {
            node.load(&archive)?;
        }
        let helm = Helm::of(node.cluster())?;
        Ok(Self { node, helm })
    }

    /// What kubectl says, as the administrator.
    ///
    /// # Errors
    /// When it fails; the message has what it said.
    pub async fn kubectl(&self, arguments: &[&str]) -> anyhow::Result<String> {
        let output = self.node.cluster().kubectl(arguments).await?;
        said(output).with_context(|| format!("kubectl {}", arguments.join(" ")))
    }

    /// What Helm says, as the administrator.
    ///
    /// # Errors
    /// When it fails; the message has what it said.
    pub fn helm(&self, arguments: &[&str]) -> anyhow::Result<String> {
        said(self.helm.run(arguments)?).with_context(|| format!("helm {}", arguments.join(" ")))
    }

    /// Installs the chart as it is, and does not wait.
    ///
    /// # Errors
    /// When Helm refuses.
    pub fn install(&self) -> anyhow::Result<()> {
        let chart = chart().display().to_string();
        let release = ["install", "pillion", &chart, "--namespace", SYSTEM, "--create-namespace"];
        self.helm(&release).map(|_| ())
    }

    /// Applies a manifest, with some of its words replaced.
    ///
    /// # Errors
    /// When the API server refuses.
    pub async fn apply(&self, manifest: &str, replaced: &[(&str, &str)]) -> anyhow::Result<()> {
        let put_in = |text: String, (from, to): &(&str, &str)| text.replace(from, to);
        let text = replaced.iter().fold(manifest.to_owned(), put_in);
        let file = self.node.cluster().write("applied.yaml", &text)?;
        self.kubectl(&["apply", "-f", &file.display().to_string()]).await.map(|_| ())
    }

    /// Waits until something is so of an object, as `kubectl wait` can say it.
    ///
    /// # Errors
    /// When it does not come.
    pub async fn wait(&self, namespace: &str, object: &str, condition: &str) -> anyhow::Result<()> {
        let condition = format!("--for={condition}");
        let arguments = ["wait", "-n", namespace, object, &condition, "--timeout=90s"];
        self.kubectl(&arguments).await.map(|_| ())
    }

    /// Waits until all replicas of the controller are there, of the version that was last asked
    /// for, and kube-proxy knows of them: until then the API server cannot ask the webhook.
    ///
    /// # Errors
    /// When they do not come; the message has what the API server says.
    pub async fn await_controllers(&self) -> anyhow::Result<()> {
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

    /// Starts the scripted provider as a pod: `http://provider.provider`.
    ///
    /// # Errors
    /// When it does not come up.
    pub async fn start_provider(&self) -> anyhow::Result<()> {
        self.apply(PROVIDER, &[]).await?;
        self.wait("provider", "pod/provider", "condition=Ready").await
    }
}
