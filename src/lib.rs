//! Pillion: an LLM-routing sidecar for Kubernetes.
//!
//! The code map, in reading order; a module may import only what stands above it (`tests/it/tidy`
//! holds the exact rules and fails the build on a breach):
//!
//! - words: [`name`], [`secret`]
//! - pure: [`api`] (the custom resources), [`llm`] (dialects, JSON, SSE, usage), [`provider`]
//!   (vendor presets), [`table`] (the immutable routing table), [`compile`] (manifests -> table),
//!   [`bundle`] (what travels to a sidecar)
//! - plumbing that knows no domain: [`net`], [`telemetry`]
//! - machines, strangers to each other: [`proxy`] (the data plane), [`feed`] (where its world
//!   comes from), [`controller`] (watches the cluster, feeds the sidecars), [`inject`] (puts
//!   sidecars into pods)
//! - the door: [`cli`], the only reader of arguments and environment
//!
//! The library exists for the binary and the integration tests; its Rust API is not stable.

pub mod api;
pub mod bundle;
pub mod cli;
pub mod compile;
pub mod controller;
pub mod feed;
pub mod inject;
pub mod llm;
pub mod name;
pub mod net;
pub mod provider;
pub mod proxy;
pub mod secret;
pub mod table;
pub mod telemetry;
