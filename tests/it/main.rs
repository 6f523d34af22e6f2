//! The integration tests: one binary, one module an area.
//!
//! `#[cfg(test)]` on each module tells clippy that its helpers are tests too, where `unwrap` is
//! the right way to fail.

#[cfg(test)]
mod check;
#[cfg(test)]
mod explain;
#[cfg(test)]
mod snapshots;
#[cfg(test)]
mod support;
#[cfg(test)]
mod tidy;
