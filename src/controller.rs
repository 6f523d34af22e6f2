//! The controller: watches the cluster, compiles it, tells each sidecar its part, and writes the
//! truth about it into the objects' status.
//!
//! Reading order: [`run`] (the loop), [`connections`] (to the API server), [`store`] (what a watch
//! has told so far), [`watch`] (the streams that fill it), [`snapshot`] (all of it at one moment,
//! with what is wrong), [`scope`] (which part a pod may know), [`sidecars`] (who is connected and
//! runs what), [`push`] (the server they connect to), [`certificates`], [`status`], [`lease`],
//! [`reports`] (what the other replicas tell the one that writes status), [`metrics`].
//!
//! One thread, no locks: a watch event carries no data into the rest, it rings; after a short quiet
//! the stores become a [`snapshot::Snapshot`], whole. Stateless: the API server is the only store.
//! Does not know the data plane (`proxy`) nor the webhook (`inject`).

pub mod api_error;
pub mod certificates;
pub mod connections;
pub mod lease;
pub mod metrics;
pub mod push;
pub mod reports;
pub mod run;
pub mod scope;
pub mod sidecars;
pub mod snapshot;
pub mod status;
pub mod store;
mod timer;
pub mod watch;
