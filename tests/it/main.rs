//! The integration tests: one binary, one module an area.
//!
//! `

#[cfg(test)]
mod bless;
#[cfg(test)]
mod bodies;
#[cfg(test)]
mod crds;
#[cfg(test)]
mod demo;
#[cfg(test)]
mod examples;
#[cfg(test)]
mod failures;
#[cfg(test)]
mod headers;
#[cfg(test)]
mod metrics;
#[cfg(test)]
mod models;
#[cfg(test)]
mod paths;
#[cfg(test)]
mod support;
#[cfg(test)]
mod tidy;
