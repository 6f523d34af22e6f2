//! Namespaces of the kernel in which a node lives apart from the machine that it runs on: its own
//! network, mounts and processes.
//!
//! Whatever a node makes there (bridges, tables of nftables, addresses, mounts, containers) is the
//! kernel's to remove: it goes with the last process, and all of them are killed with the first,
//! which ends when this value is dropped or when the process that has it dies in whatever way. So
//! nothing of the machine is changed, and several nodes can have the same addresses and ports.
//! There is no way out of its network, and one way in: a pair of interfaces, see [`link`].

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use anyhow::Context;

use crate::folder::Folder;
use crate::link;
use crate::patience::until;
use crate::process::{Process, Program};

/// The first process's work: see there.
const FIRST: &str = include_str!("isolation.sh");

/// The bridge that pods are connected to: the node's own address.
pub(crate) const NODE_ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 200, 0, 1);

/// The namespaces.
#[derive(Debug)]
pub(crate) struct Isolation {
    first: Process,
    address: Ipv4Addr,
}

/// Which of them a server enters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// The network.
    Network,
    /// All of them, as who runs containers must.
    All,
}

// === impl Isolation ===

impl Isolation {
    /// Makes them, and waits until the bridge is there.
    pub(crate) async fn create(folder: &Folder) -> anyhow::Result<Self> {
        let script = folder.write("isolation.sh", FIRST)?;
        let options =
            ["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--", "sh"];
        let mut arguments = options.map(str::to_owned).to_vec();
        arguments.extend([script.display().to_string(), folder.path().display().to_string()]);
        let program = Program {
            name: "isolation".to_owned(),
            path: PathBuf::from("unshare"),
            arguments,
            environment: Vec::new(),
        };
        let mut first = Process::run(program, folder)?;
        let ready = folder.path().join("isolation.ready");
        let come = until("the node's namespaces", async || {
            first.must_run()?;
            Ok(ready.exists())
        });
        come.await.context("a node needs root, on Linux")?;
        let address = link::create(first.id(), folder)?;
        Ok(Self { first, address })
    }

    /// Where the node is reached from the machine.
    pub(crate) fn address(&self) -> Ipv4Addr {
        self.address
    }

    /// Starts a server in them.
    pub(crate) fn start(
        &self,
        path: &Path,
        arguments: &[String],
        reach: Reach,
        folder: &Folder,
    ) -> anyhow::Result<Process> {
        let name = path.file_name().unwrap_or_default().display().to_string();
        let namespaces = format!("/proc/{}/ns", self.first.id());
        let mut enter = vec![format!("--net={namespaces}/net")];
        if reach == Reach::All {
            enter.push(format!("--mount={namespaces}/mnt"));
            enter.push(format!("--pid={namespaces}/pid_for_children"));
            // It becomes a child of nsenter, and must not outlive it.
            enter.extend(["--", "setpriv", "--pdeathsig", "KILL"].map(str::to_owned));
        }
        enter.extend(["--".to_owned(), path.display().to_string()]);
        enter.extend_from_slice(arguments);
        let path = PathBuf::from("nsenter");
        Process::run(Program { name, path, arguments: enter, environment: Vec::new() }, folder)
    }
}
