//! The integration tests: one binary, one module an area.
//!
//! `#[cfg(test)]` on each module tells clippy that its helpers are tests too, where `unwrap` is
//! the right way to fail.

#[cfg(test)]
mod access_log;
#[cfg(test)]
mod bless;
#[cfg(test)]
mod bodies;
#[cfg(test)]
mod chart;
#[cfg(test)]
mod check;
#[cfg(test)]
mod cluster;
#[cfg(test)]
mod controller;
#[cfg(test)]
mod crds;
#[cfg(test)]
mod demo;
#[cfg(test)]
mod drain;
#[cfg(test)]
mod e2e;
#[cfg(test)]
mod examples;
#[cfg(test)]
mod explain;
#[cfg(test)]
mod failures;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod framing;
#[cfg(test)]
mod headers;
#[cfg(test)]
mod inject;
#[cfg(test)]
mod metrics;
#[cfg(test)]
mod models;
#[cfg(test)]
mod overload;
#[cfg(test)]
mod paths;
#[cfg(test)]
mod playground;
#[cfg(test)]
mod recorded;
#[cfg(test)]
mod reload;
#[cfg(test)]
mod scrape;
#[cfg(test)]
mod snapshots;
#[cfg(test)]
mod status;
#[cfg(test)]
mod streams;
#[cfg(test)]
mod subscription;
#[cfg(test)]
mod support;
#[cfg(test)]
mod tidy;
#[cfg(test)]
mod translation;
