//! The three servers and their arguments. Where they listen is the [`Ground`]'s matter.

use crate::certificates as files;
use crate::cluster::Audit;
use crate::folder::Folder;
use crate::ground::Ground;
use crate::port::Port;
use crate::process::Process;
use crate::tools::Tools;

/// What it takes to start a server, again if need be.
#[derive(Debug)]
pub(crate) struct ControlPlane {
    tools: Tools,
    api: Port,
    etcd: Port,
    etcd_peers: Port,
    audit: Audit,
    /// Goes after its ports, and with it all that runs on it.
    pub(crate) ground: Ground,
}

/// In the cluster's folder.
pub(crate) const AUDIT_LOG: &str = "audit.log";

/// Every request's metadata. The file must not begin with a brace, or it would be read as JSON.
const AUDIT_POLICY: &str = "\
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules: [{level: Metadata}]
";

// === impl ControlPlane ===

impl ControlPlane {
    pub(crate) fn new(tools: Tools, audit: Audit, ground: Ground) -> anyhow::Result<Self> {
        let [api, etcd, etcd_peers] = ground.ports()?;
        Ok(Self { tools, api, etcd, etcd_peers, audit, ground })
    }

    pub(crate) fn tools(&self) -> &Tools {
        &self.tools
    }

    /// The API server's URL.
    pub(crate) fn url(&self) -> String {
        format!("https://{}:{}", self.ground.address(), self.api.number())
    }

    /// etcd. What it keeps need not survive the machine.
    pub(crate) fn start_etcd(&self, folder: &Folder) -> anyhow::Result<Process> {
        let clients = self.etcd_url();
        let peers = format!("http://127.0.0.1:{}", self.etcd_peers.number());
        let arguments = [
            format!("--data-dir={}", folder.file("etcd")),
            format!("--listen-client-urls={clients}"),
            format!("--advertise-client-urls={clients}"),
            format!("--listen-peer-urls={peers}"),
            format!("--initial-advertise-peer-urls={peers}"),
            format!("--initial-cluster=default={peers}"),
            "--socket-reuse-port".to_owned(),
            "--unsafe-no-fsync".to_owned(),
            "--log-level=warn".to_owned(),
        ];
        self.ground.start(&self.tools.etcd, &arguments, folder)
    }

    /// kube-apiserver.
    pub(crate) fn start_api(&self, folder: &Folder) -> anyhow::Result<Process> {
        let mut arguments = vec![
            format!("--etcd-servers={}", self.etcd_url()),
            format!("--secure-port={}", self.api.number()),
            format!("--tls-cert-file={}", folder.file(files::SERVER)),
            format!("--tls-private-key-file={}", folder.file(files::SERVER_KEY)),
            format!("--client-ca-file={}", folder.file(files::CA)),
            format!("--service-account-key-file={}", folder.file(files::TOKEN_PUBLIC_KEY)),
            format!("--service-account-signing-key-file={}", folder.file(files::TOKEN_KEY)),
        ];
        let constant = [
            "--permit-port-sharing",
            "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
            "--authorization-mode=Node,RBAC",
            "--enable-admission-plugins=NodeRestriction",
            "--service-cluster-ip-range=10.96.0.0/16",
            "--allow-privileged",
        ];
        arguments.extend(constant.map(str::to_owned));
        arguments.extend(self.ground.api_arguments(folder));
        if self.audit == Audit::Metadata {
            let policy = folder.write("audit-policy.yaml", AUDIT_POLICY)?;
            arguments.push(format!("--audit-policy-file={}", policy.display()));
            arguments.push(format!("--audit-log-path={}", folder.file(AUDIT_LOG)));
        }
        self.ground.start(&self.tools.api_server, &arguments, folder)
    }

    /// kube-controller-manager, which listens nowhere.
    pub(crate) fn start_controller_manager(
        &self,
        kubeconfig: &str,
        folder: &Folder,
    ) -> anyhow::Result<Process> {
        let arguments = [
            format!("--kubeconfig={kubeconfig}"),
            format!("--service-account-private-key-file={}", folder.file(files::TOKEN_KEY)),
            format!("--root-ca-file={}", folder.file(files::CA)),
            format!("--cluster-signing-cert-file={}", folder.file(files::CA)),
            format!("--cluster-signing-key-file={}", folder.file(files::CA_KEY)),
            "--use-service-account-credentials".to_owned(),
            "--leader-elect=false".to_owned(),
            "--secure-port=0".to_owned(),
        ];
        self.ground.start(&self.tools.controller_manager, &arguments, folder)
    }

    fn etcd_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.etcd.number())
    }
}
