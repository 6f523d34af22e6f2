//! A Kubernetes with Pillion in it, to try things on: what `make cluster` brings up.
//!
//! Of two kinds. Where it is root: [`site`], a real node with the images, and [`installed`], Pillion
//! on it by its chart. Elsewhere: [`Playground`], an API server without a node, whose pods are
//! objects that nothing runs, and [`servers`], the controller and the sidecars as processes.
//!
//! Both have a [`provider`] (where the calls end), [`steps`] (what there is to try), a [`screen`] (how
//! it is told) and a [`terminal`] (how the tests try it). The objects are in `manifests/`. Knows
//! Pillion as a binary and a chart only. Everything ends when it is dropped.

pub mod installed;
mod namespace;
mod playground;
pub mod provider;
pub mod screen;
pub mod servers;
pub mod site;
pub mod steps;
pub mod terminal;

pub use playground::Playground;
pub use provider::Listener;
pub use site::Site;
