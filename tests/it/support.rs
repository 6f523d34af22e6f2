//! What the integration tests stand on: both ends of the wire, in raw bytes.
//!
//! Nothing here uses hyper, so that what a test sees is what was sent, and what it sends may be
//! wrong. Nothing sleeps: tests wait for events, and [`GUARD`] only turns a hang into a failure.

pub(crate) mod breaks;
pub(crate) mod client;
pub(crate) mod cluster;
pub(crate) mod codings;
pub(crate) mod dialects;
pub(crate) mod gate;
pub(crate) mod h2;
pub(crate) mod h2_client;
pub(crate) mod helm;
pub(crate) mod manifests;
pub(crate) mod metrics;
pub(crate) mod process;
pub(crate) mod proxy;
pub(crate) mod refusal;
pub(crate) mod stream;
mod tests;
pub(crate) mod tls;
pub(crate) mod tunnel;
pub(crate) mod upstream;
pub(crate) mod wire;
pub(crate) mod yaml;

use std::time::Duration;

/// How long a test waits for an event before it fails; far longer than any event takes.
pub(crate) const GUARD: Duration = Duration::from_secs(20);
