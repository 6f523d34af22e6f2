//! A Kubernetes with Pillion in it, to try things on: what `make cluster` brings up.
//!
//! Reading order: [`Playground`] (all of it), `servers` (the controller and the sidecars),
//! [`provider`] (where the calls end), [`steps`] (what there is to try), [`screen`] (how it is
//! told). The objects are in `manifests/`.
//!
//! No node: pods are objects that nothing runs, and the sidecars are processes that hold their
//! tokens. Knows Pillion as a binary only. Everything ends when the [`Playground`] is dropped.

mod playground;
pub mod provider;
pub mod screen;
pub mod servers;
pub mod steps;

pub use playground::Playground;
pub use provider::Listener;
