//! The data plane: takes pods' calls, forwards them by the running table, relays the answers.
//!
//! Reading order: [`server`] (connections, with [`idle`]), [`pipeline`] (a call's way: the list of
//! stages), then the stages: [`task`], [`intake`], [`route`], [`prepare`] with [`headers`] and
//! [`credentials`], [`upstream`], [`reply`], [`relay`] with [`inflow`], [`silence`] and
//! [`rewrite`], [`delivery`]; [`translation`] and [`rendition`] for targets that speak another
//! dialect; beside them [`bell`] (the drain, as all of these hear it), [`failure`] (why calls
//! fail), [`record`] (each call's books), [`metrics`].
//!
//! Sees `table`, `llm` and `net`. Has never heard of manifests, `compile` or Kubernetes.

pub mod bell;
pub mod body;
pub mod call;
pub mod credentials;
pub mod delivery;
pub mod failure;
pub mod headers;
pub mod idle;
pub mod inflow;
pub mod intake;
pub mod metrics;
pub mod models;
pub mod outgoing;
pub mod pipeline;
pub mod prepare;
pub mod record;
pub mod relay;
pub mod rendition;
pub mod reply;
pub mod rewrite;
pub mod route;
pub mod server;
pub mod silence;
pub mod task;
pub mod translation;
pub mod upstream;
pub mod worker;

pub use server::run;
pub use upstream::Egress;
pub use worker::{Limits, RunningTable, Shared};
