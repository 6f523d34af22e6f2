//! Helm, without its user's settings and without a network; and the chart of this project.
//!
//! Knows where the chart is and nothing of what it makes.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use anyhow::{Context, bail};

use crate::cluster::Cluster;
use crate::tools;

/// Helm, before a cluster or before none.
#[derive(Debug)]
pub struct Helm {
    program: PathBuf,
    kubeconfig: Option<PathBuf>,
    /// Where it keeps what it has asked the cluster; nobody's, before none.
    home: PathBuf,
}

/// What charts are rendered for where there is no cluster to ask; Helm itself would take an old one.
const KUBERNETES: &str = "--kube-version=1.36.0";

/// The chart's folder.
pub fn chart() -> PathBuf {
    tools::project().join("charts/pillion")
}

// === impl Helm ===

impl Helm {
    /// Helm before no cluster.
    ///
    /// # Errors
    /// When it is not there; the message says how it is built.
    pub fn find() -> anyhow::Result<Self> {
        Ok(Self { program: tools::helm()?, kubeconfig: None, home: "/nonexistent".into() })
    }

    /// Helm before a cluster, as its administrator.
    ///
    /// # Errors
    /// When it is not there; the message says how it is built.
    pub fn of(cluster: &Cluster) -> anyhow::Result<Self> {
        let (home, kubeconfig) = (cluster.folder.path().join("helm"), cluster.kubeconfig());
        Ok(Self { program: tools::helm()?, kubeconfig: Some(kubeconfig.to_owned()), home })
    }

    /// The folder that has it.
    pub fn folder(&self) -> &Path {
        self.program.parent().unwrap_or(&self.program)
    }

    /// Runs it.
    ///
    /// # Errors
    /// When it cannot be started. What it says itself is in the output.
    pub fn run(&self, arguments: &[&str]) -> anyhow::Result<Output> {
        let mut command = Command::new(&self.program);
        command.env_clear().env("HOME", &self.home).stdin(Stdio::null()).args(arguments);
        if let Some(kubeconfig) = &self.kubeconfig {
            command.env("KUBECONFIG", kubeconfig);
        }
        command.output().context("cannot start helm")
    }

    /// What the chart comes to for a release called `pillion` in a namespace.
    ///
    /// # Errors
    /// When Helm refuses; the message is what it says.
    pub fn template(&self, namespace: &str, more: &[&str]) -> anyhow::Result<String> {
        let chart = chart().display().to_string();
        let first = ["template", "pillion", &chart, "--namespace", namespace, KUBERNETES];
        let output = self.run(&[&first, more].concat())?;
        if !output.status.success() {
            bail!("helm template: {}", String::from_utf8_lossy(&output.stderr));
        }
        Ok(String::from_utf8(output.stdout)?)
    }
}
