//! The custom resources of group `pillion.dev`, version `v1alpha1`: plain data.
//!
//! Owns the wire form of [`LlmRoute`] and [`ProviderSecret`]; the doc comments are the user's
//! manual (`kubectl explain`). Every list and string is bounded; what a bound or a closed list
//! cannot say is a CEL rule. What a status says is closed as well ([`conditions`]). Does not know
//! what the fields come to: that is `compile`'s.

mod common;
pub mod conditions;
mod provider_secret;
mod route;
pub mod strict;

pub use common::*;
pub use provider_secret::*;
pub use route::*;

#[cfg(test)]
mod tests;
