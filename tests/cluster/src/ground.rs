//! Where a cluster's servers run: on the machine as it is, or apart from it, as a node's servers
//! do.

use std::net::Ipv4Addr;
use std::path::Path;

use crate::folder::Folder;
use crate::isolation::{Isolation, NODE_ADDRESS, Reach};
use crate::port::Port;
use crate::process::Process;

/// The place.
#[derive(Debug)]
pub(crate) enum Ground {
    /// On loopback, on ports of the system's choice.
    Machine,
    /// In namespaces of their own.
    Isolated(Isolation),
}

// === impl Ground ===

impl Ground {
    /// Starts a server there.
    pub(crate) fn start(
        &self,
        path: &Path,
        arguments: &[String],
        folder: &Folder,
    ) -> anyhow::Result<Process> {
        match self {
            Self::Machine => Process::start(path, arguments, folder),
            Self::Isolated(isolation) => isolation.start(path, arguments, Reach::Network, folder),
        }
    }

    /// Ports for the API server, etcd, and etcd's peers.
    pub(crate) fn ports(&self) -> anyhow::Result<[Port; 3]> {
        match self {
            Self::Machine => Ok([Port::hold()?, Port::hold()?, Port::hold()?]),
            Self::Isolated(_) => Ok([6443, 2379, 2380].map(Port::alone)),
        }
    }

    /// Where whoever started it, and every server, reaches the API server.
    pub(crate) fn address(&self) -> Ipv4Addr {
        match self {
            Self::Machine => Ipv4Addr::LOCALHOST,
            Self::Isolated(isolation) => isolation.address(),
        }
    }

    /// What the API server needs to be told of the place.
    pub(crate) fn api_arguments(&self, folder: &Folder) -> Vec<String> {
        match self {
            Self::Machine => [
                "--bind-address=127.0.0.1",
                "--advertise-address=127.0.0.1",
                // There is nobody to whom a loopback address could be announced.
                "--endpoint-reconciler-type=none",
            ]
            .map(str::to_owned)
            .to_vec(),
            Self::Isolated(_) => vec![
                "--bind-address=0.0.0.0".to_owned(),
                format!("--advertise-address={NODE_ADDRESS}"),
                format!("--kubelet-client-certificate={}", folder.file("admin.pem")),
                format!("--kubelet-client-key={}", folder.file("admin.key")),
                "--kubelet-preferred-address-types=InternalIP".to_owned(),
            ],
        }
    }
}
