//! Injection: a new pod in, the operations that put the sidecar into it out.
//!
//! Reading order: [`settings`] (what every sidecar is, and what annotations change of it),
//! [`decide`] (is this pod to have one?), `sidecar` (the container and its volumes), `environment`
//! (what applications are told), [`patch`] (the operations), `review` (the API server's question
//! and the answer), [`webhook`] (from one to the other, counted and logged), [`server`] (the
//! connection), [`metrics`].
//!
//! Invariants: a pod is never written anew, only added to, so that fields which this build does
//! not know survive. Twice is once: a patched pod gets no further operation. What is said and
//! logged of a pod is its name and why, never what its fields hold. Does not know the controller:
//! the certificates that pods are to believe are handed in.

pub mod decide;
mod environment;
pub mod fault;
pub mod metrics;
pub mod patch;
mod quantity;
mod review;
pub mod server;
pub mod settings;
mod sidecar;
#[cfg(test)]
mod tests;
pub mod webhook;

/// The label that asks for the sidecar, on pods and namespaces: `true` or `false`.
pub const LABEL: &str = "pillion.dev/inject";
/// The annotation that says which version has put the sidecar in.
pub const INJECTED: &str = "pillion.dev/injected";
/// The annotation that holds the certificates (PEM) by which the sidecar believes its controller.
pub const CONTROLLER_CA: &str = "pillion.dev/controller-ca";
/// The container's name.
pub const CONTAINER: &str = "pillion";
