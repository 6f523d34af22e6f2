//! Pillion's own processes: the controller and the sidecars, by the binary that was built, and the
//! rights and tokens that they have.
//!
//! Both are given port 0 and say in their log where they listen. The benchmark uses this too.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use anyhow::Context;
use k8s_openapi::api::core::v1::{ConfigMap, Pod};
use kube::Api;
use pillion_cluster::{Cluster, Helm, Process, Program, TokenWish, until};
use serde_json::Value;

/// The controller's account and rights, and nothing else of the chart.
const RIGHTS: [&str; 2] =
    ["--show-only=templates/controller/rbac.yaml", "--set=webhook.enabled=false"];
const HOME: &str = "{apiVersion: v1, kind: Namespace, metadata: {name: pillion-system}}";
/// Where the controller is at home, and its ServiceAccount.
const SYSTEM: (&str, &str) = ("pillion-system", "pillion");
/// Whom a sidecar's token is for.
const AUDIENCE: &str = "pillion.dev";
/// The token of a process that nobody renews it for, in seconds: a week.
const WEEK: i64 = 7 * 24 * 3600;
const ANY_PORT: &str = "127.0.0.1:0";

/// A process of Pillion's that listens.
#[derive(Debug)]
pub struct Server {
    process: Process,
    /// Where it serves.
    pub address: SocketAddr,
    /// Where its admin pages are.
    pub admin: SocketAddr,
}

/// Gives the controller its namespace, its account and the rights of one that watches everything.
///
/// # Errors
/// When the API server refuses.
pub async fn allow(cluster: &Cluster) -> anyhow::Result<()> {
    cluster.apply("", HOME).await?;
    cluster.apply("", &Helm::find()?.template(SYSTEM.0, &RIGHTS)?).await?;
    Ok(())
}

/// The CA that the controller has made for itself; waits until it is there.
///
/// # Errors
/// When it does not come.
pub async fn ca(cluster: &Cluster) -> anyhow::Result<String> {
    let maps: Api<ConfigMap> = Api::namespaced(cluster.client()?, SYSTEM.0);
    let mut ca = None;
    let published = until("ConfigMap pillion-ca", async || {
        let data = maps.get_opt("pillion-ca").await?.and_then(|map| map.data);
        ca = data.and_then(|mut data| data.remove("ca.crt"));
        Ok(ca.is_some())
    });
    published.await?;
    Ok(ca.unwrap_or_default())
}

/// A sidecar's token of a pod, good for a week. The ServiceAccount is `default`.
///
/// # Errors
/// When the API server refuses.
pub async fn token(cluster: &Cluster, pod: &Pod) -> anyhow::Result<String> {
    let wish = TokenWish {
        namespace: pod.metadata.namespace.as_deref().unwrap_or_default(),
        service_account: "default",
        pod: Some(pod),
        audience: Some(AUDIENCE),
        seconds: WEEK,
    };
    cluster.token(wish).await
}

// === impl Server ===

impl Server {
    /// A replica of the controller, as its ServiceAccount and with no other rights than that has.
    ///
    /// # Errors
    /// When it does not come up; the message has its last words.
    pub async fn controller(cluster: &Cluster, pillion: &Path, name: &str) -> anyhow::Result<Self> {
        let (namespace, account) = SYSTEM;
        let kubeconfig = cluster.service_account_kubeconfig(namespace, account).await?;
        let arguments =
            ["controller", "--listen", ANY_PORT, "--admin", ANY_PORT, "--tls-name", "127.0.0.1"];
        let program = Program {
            name: name.to_owned(),
            path: pillion.to_owned(),
            arguments: arguments.map(str::to_owned).to_vec(),
            environment: vec![("KUBECONFIG".to_owned(), kubeconfig.display().to_string())],
        };
        Self::start(cluster, program, "listen").await
    }

    /// The sidecar of a pod, which proves that it is one by a token bound to that pod.
    ///
    /// # Errors
    /// When it does not come up; the message has its last words.
    pub async fn sidecar(
        cluster: &Cluster,
        pillion: &Path,
        controller: SocketAddr,
        pod: &Pod,
    ) -> anyhow::Result<Self> {
        let name = pod.metadata.name.clone().unwrap_or_default();
        let ca = cluster.write("ca.crt", &ca(cluster).await?)?;
        let token = cluster.write(&format!("{name}.token"), &token(cluster, pod).await?)?;
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

    /// Its process, which ends with this.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// The file with what it has said so far.
    pub fn log(&self) -> &Path {
        self.process.log()
    }

    /// Starts a program, and waits until its log says that it listens; `field` is where.
    async fn start(cluster: &Cluster, program: Program, field: &str) -> anyhow::Result<Self> {
        let what = format!("the {}'s address", program.name);
        let mut process = cluster.run(program)?;
        let mut addresses = None;
        let listening = until(&what, async || {
            process.must_run()?;
            addresses = said(process.log(), field).zip(said(process.log(), "admin"));
            Ok(addresses.is_some())
        });
        listening.await?;
        let (address, admin) = addresses.context(what)?;
        Ok(Self { process, address, admin })
    }
}

/// The address in a log's line `listening`.
fn said(log: &Path, field: &str) -> Option<SocketAddr> {
    let text = fs::read_to_string(log).ok()?;
    let lines = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    lines.filter_map(|line| line[field].as_str()?.parse().ok()).next()
}
