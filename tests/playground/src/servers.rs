//! Pillion's own processes: the controller and the sidecars, by the binary that was built.
//!
//! Both are given port 0 and say in their log where they listen.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::Context;
use k8s_openapi::api::core::v1::{ConfigMap, Pod};
use kube::Api;
use pillion_cluster::{Cluster, Process, Program, TokenWish, until};
use serde_json::Value;

/// Where the controller is at home, and its ServiceAccount.
const SYSTEM: (&str, &str) = ("pillion-system", "pillion-controller");
/// Whom a sidecar's token is for.
const AUDIENCE: &str = "pillion.dev";
/// The token of a process that nobody renews it for, in seconds: a week.
const WEEK: i64 = 7 * 24 * 3600;
const ANY_PORT: &str = "127.0.0.1:0";

/// A process of Pillion's that listens.
#[derive(Debug)]
pub(crate) struct Server {
    process: Process,
    /// Where it serves.
    pub(crate) address: SocketAddr,
}

// === impl Server ===

impl Server {
    /// The controller, as its ServiceAccount and with no other rights than that has.
    pub(crate) async fn controller(cluster: &Cluster, pillion: &Path) -> anyhow::Result<Self> {
        let (namespace, account) = SYSTEM;
        let kubeconfig = cluster.service_account_kubeconfig(namespace, account).await?;
        let arguments =
            ["controller", "--listen", ANY_PORT, "--admin", ANY_PORT, "--tls-name", "127.0.0.1"];
        let program = Program {
            name: "controller".to_owned(),
            path: pillion.to_owned(),
            arguments: arguments.map(str::to_owned).to_vec(),
            environment: vec![("KUBECONFIG".to_owned(), kubeconfig.display().to_string())],
        };
        Self::start(cluster, program, "listen").await
    }

    /// The sidecar of a pod, which proves that it is one by a token bound to that pod.
    pub(crate) async fn sidecar(
        cluster: &Cluster,
        pillion: &Path,
        controller: SocketAddr,
        pod: &Pod,
    ) -> anyhow::Result<Self> {
        let name = pod.metadata.name.clone().unwrap_or_default();
        let (ca, token) = (ca(cluster).await?, token(cluster, &name, pod).await?);
        let (controller, ca, token) =
            (controller.to_string(), ca.display().to_string(), token.display().to_string());
        let arguments = [
            ["--controller", &controller],
            ["--controller-ca", &ca],
            ["--token", &token],
            ["--listen", ANY_PORT],
            ["--admin", ANY_PORT],
        ];
        let arguments = arguments.as_flattened().iter().map(|argument| (*argument).to_owned());
        let program = Program {
            name: format!("sidecar-{name}"),
            path: pillion.to_owned(),
            arguments: ["proxy".to_owned()].into_iter().chain(arguments).collect(),
            environment: Vec::new(),
        };
        Self::start(cluster, program, "proxy").await
    }

    /// The file with what it has said so far.
    pub(crate) fn log(&self) -> &Path {
        self.process.log()
    }

    /// Starts a program, and waits until its log says that it listens; `field` is where.
    async fn start(cluster: &Cluster, program: Program, field: &str) -> anyhow::Result<Self> {
        let what = format!("the {}'s address", program.name);
        let mut process = cluster.run(program)?;
        let mut address = None;
        let listening = until(&what, async || {
            process.must_run()?;
            address = said(process.log(), field);
            Ok(address.is_some())
        });
        listening.await?;
        Ok(Self { address: address.context(what)?, process })
    }
}

/// The address in a log's line `listening`.
fn said(log: &Path, field: &str) -> Option<SocketAddr> {
    let text = fs::read_to_string(log).ok()?;
    let lines = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    lines.filter_map(|line| line[field].as_str()?.parse().ok()).next()
}

/// The CA that the controller has made for itself.
async fn ca(cluster: &Cluster) -> anyhow::Result<PathBuf> {
    let maps: Api<ConfigMap> = Api::namespaced(cluster.client()?, SYSTEM.0);
    let mut ca = None;
    let published = until("ConfigMap pillion-ca", async || {
        let data = maps.get_opt("pillion-ca").await?.and_then(|map| map.data);
        ca = data.and_then(|mut data| data.remove("ca.crt"));
        Ok(ca.is_some())
    });
    published.await?;
    cluster.write("ca.crt", &ca.unwrap_or_default())
}

async fn token(cluster: &Cluster, name: &str, pod: &Pod) -> anyhow::Result<PathBuf> {
    let wish = TokenWish {
        namespace: pod.metadata.namespace.as_deref().unwrap_or_default(),
        service_account: "default",
        pod: Some(pod),
        audience: Some(AUDIENCE),
        seconds: WEEK,
    };
    cluster.write(&format!("{name}.token"), &cluster.token(wish).await?)
}
