//! A Kubernetes API server for tests: etcd, kube-apiserver and, on demand, the controller manager,
//! as processes of whoever asks. Needs no root, no container and no network; Linux only.
//!
//! [`Cluster`] is the whole of it: start one, talk to it, drop it. It has Pillion's resource
//! definitions from `crds/`, and knows nothing else of Pillion. Nothing of it outlives the process
//! that started it, however that ends: see [`process`] and [`folder`].
//!
//! The tools are built by `scripts/cluster-tools` from the modules pinned in `tools/`.

mod access;
mod certificates;
mod cluster;
mod control_plane;
mod folder;
mod helm;
mod manifests;
mod patience;
mod port;
mod process;
mod tools;

pub use access::TokenWish;
pub use cluster::{Audit, Cluster, Settings};
pub use helm::{Helm, chart};
pub use manifests::documents;
pub use patience::until;
pub use process::{Process, Program};
