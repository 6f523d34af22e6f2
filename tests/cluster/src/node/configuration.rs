//! The files and arguments of a node's servers. All that they write goes into the cluster's folder,
//! or where the node's isolation has put something of its own.

use anyhow::Context;

use crate::certificates::CA;
use crate::folder::Folder;
use crate::isolation::NODE_ADDRESS;

/// The node's.
pub(super) const NAME: &str = "node";
/// containerd's, in the cluster's folder.
pub(super) const SOCKET: &str = "containerd.sock";

/// No image is ever pulled. Not every machine lets a score be lowered, and nobody here needs it.
const CONTAINERD: &str = r#"
version = 2
root = "FOLDER/containerd"
state = "/run/containerd"
disabled_plugins = ["io.containerd.internal.v1.opt"]
[grpc]
  address = "FOLDER/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "pillion.test/shell:1"
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "FOLDER/cni"
"#;

const NETWORK: &str = r#"
{"cniVersion": "1.0.0", "name": "pods", "plugins": [{
  "type": "bridge", "bridge": "cni0", "isGateway": true, "hairpinMode": true,
  "ipam": {
    "type": "host-local", "dataDir": "FOLDER/addresses",
    "ranges": [[{"subnet": "10.200.0.0/24"}]], "routes": [{"dst": "0.0.0.0/0"}]
  }
}]}
"#;

/// The memory and disk of the machine are not the node's to defend.
const KUBELET: &str = r"
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
containerRuntimeEndpoint: unix://FOLDER/containerd.sock
cgroupDriver: cgroupfs
cgroupRoot: /GROUP
failCgroupV1: false
failSwapOn: false
enforceNodeAllocatable: []
evictionHard: {}
imageGCHighThresholdPercent: 100
localStorageCapacityIsolation: false
authentication:
  anonymous: {enabled: false}
  webhook: {enabled: false}
  x509: {clientCAFile: FOLDER/CA}
authorization: {mode: AlwaysAllow}
clusterDNS: [ADDRESS]
clusterDomain: cluster.local
resolvConf: ''
podLogsDir: FOLDER/pods
volumePluginDir: FOLDER/plugins
";

const PROXY: &str = r"
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
clientConnection: {kubeconfig: KUBECONFIG}
mode: nftables
clusterCIDR: 10.200.0.0/24
conntrack: {maxPerCore: 0}
";

const DNS: &str = r"
cluster.local:53 {
    bind ADDRESS
    ready 0.0.0.0:8181
    errors
    cache 1
    kubernetes cluster.local {
        kubeconfig KUBECONFIG
    }
}
";

pub(super) fn containerd(folder: &Folder) -> anyhow::Result<Vec<String>> {
    std::fs::create_dir(folder.path().join("cni")).context("cannot make a folder")?;
    write("cni/10-pods.conflist", NETWORK, folder)?;
    Ok(vec![format!("--config={}", write("containerd.toml", CONTAINERD, folder)?)])
}

pub(super) fn kubelet(kubeconfig: &str, folder: &Folder) -> anyhow::Result<Vec<String>> {
    let configuration = KUBELET.replace("GROUP", &folder.name());
    Ok(vec![
        format!("--config={}", write("kubelet.yaml", &configuration, folder)?),
        format!("--kubeconfig={kubeconfig}"),
        format!("--root-dir={}", folder.file("kubelet")),
        format!("--hostname-override={NAME}"),
        format!("--node-ip={NODE_ADDRESS}"),
    ])
}

pub(super) fn scheduler(kubeconfig: &str) -> Vec<String> {
    let constant = ["--leader-elect=false", "--secure-port=0"].map(str::to_owned);
    [vec![format!("--kubeconfig={kubeconfig}")], constant.to_vec()].concat()
}

pub(super) fn proxy(kubeconfig: &str, folder: &Folder) -> anyhow::Result<Vec<String>> {
    let configuration = PROXY.replace("KUBECONFIG", kubeconfig);
    let file = write("kube-proxy.yaml", &configuration, folder)?;
    Ok(vec![format!("--config={file}"), format!("--hostname-override={NAME}")])
}

pub(super) fn dns(kubeconfig: &str, folder: &Folder) -> anyhow::Result<Vec<String>> {
    let configuration = DNS.replace("KUBECONFIG", kubeconfig);
    Ok(vec!["-conf".to_owned(), write("Corefile", &configuration, folder)?])
}

/// Writes a file, with what is known of this cluster put in, and returns its path.
fn write(name: &str, text: &str, folder: &Folder) -> anyhow::Result<String> {
    let text = text
        .replace("FOLDER/CA", &folder.file(CA))
        .replace("FOLDER", &folder.path().display().to_string())
        .replace("ADDRESS", &NODE_ADDRESS.to_string());
    Ok(folder.write(name, &text)?.display().to_string())
}
