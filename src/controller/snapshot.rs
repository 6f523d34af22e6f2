//! The stores at one moment: bundles for pods, verdicts for status. Immutable.
//!
//! In reading order: `assemble` (stores -> snapshot), `view` (one namespace, compiled), `bundles`
//! (a pod's part), `feed` (where the newest one is). A namespace is compiled again only when
//! something that its routes lead to has changed; a change of status is none. Does not know who
//! reads it.

mod assemble;
mod bundles;
mod feed;
#[cfg(test)]
mod tests;
mod view;

use std::rc::Rc;

use bytes::Bytes;

use crate::api::{LlmRoute, ProviderSecret};
use crate::compile::Fault;
pub use assemble::{Assembled, Assembler, references};
pub use bundles::Bundles;
pub use feed::{Feed, Publisher, feed};

/// A pod, as its token tells it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PodId {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its uid: another pod of the same name is another pod.
    pub uid: String,
}

/// A bundle, ready to be sent to every sidecar of the same scope.
#[derive(Debug)]
pub struct Encoded {
    /// Its content hash.
    pub version: String,
    /// The line.
    pub line: Bytes,
    /// The routes that it holds: namespace and name.
    pub routes: Vec<(String, String)>,
    /// Those of them that it holds in their last good version, because their edit is bad.
    pub kept: Vec<(String, String)>,
}

/// What is to be said of one route.
#[derive(Debug)]
pub struct RouteVerdict {
    /// The object as it was read (its spec, its status, its generation).
    pub object: Rc<LlmRoute>,
    /// What is wrong with it.
    pub faults: Vec<Fault>,
}

/// What is to be said of one provider.
#[derive(Debug)]
pub struct ProviderVerdict {
    /// The object as it was read.
    pub object: Rc<ProviderSecret>,
    /// What is wrong with it.
    pub faults: Vec<Fault>,
    /// How many routes name it.
    pub routes: usize,
}

/// An object that could not be read at all. An earlier version of it that could goes on being used
/// while this controller remembers one: it is then among the verdicts too, with the generation that
/// it had.
#[derive(Debug)]
pub struct Undecodable {
    /// `LlmRoute` or `ProviderSecret`.
    pub kind: crate::compile::ResourceKind,
    /// Namespace and name.
    pub id: (String, String),
    /// Its generation, if it has one.
    pub generation: Option<i64>,
    /// What is wrong, without any value.
    pub message: String,
}

/// All stores at one moment.
#[derive(Debug, Default)]
pub struct Snapshot {
    /// Every route, by namespace and name.
    pub routes: Vec<RouteVerdict>,
    /// Every provider, by namespace and name.
    pub providers: Vec<ProviderVerdict>,
    /// What could not be read.
    pub undecodable: Vec<Undecodable>,
    /// What pods get: see [`Snapshot::bundle`].
    pub bundles: Bundles,
}

impl Snapshot {
    /// The pod's bundle; `None` if there is no such pod (any more), or if its bundle is too large
    /// to be sent, which its routes' faults tell. Sidecars of the same scope share one.
    pub fn bundle(&self, pod: &PodId) -> Option<Rc<Encoded>> {
        self.bundles.get(pod)
    }
}
