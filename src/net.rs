//! Plumbing that knows no domain: workers, accept loop, drain, TLS, client sockets, admin pages.
//!
//! Reading order: [`drain`] (how everything ends), [`task`] (the one home of spawned tasks),
//! [`workers`] (one thread, one runtime each), [`accept`], [`client_io`] (a socket that gives up on
//! a reader who stopped), [`framing`] (requests that two servers could read differently),
//! [`chunks`] (the coding of what passes without hyper), [`stream`] (plain or TLS), [`tls`],
//! [`budget`] (bounded memory), [`admin`].

pub mod accept;
pub mod admin;
pub mod budget;
pub mod chunks;
pub mod client_io;
pub mod drain;
pub mod framing;
pub mod stream;
pub mod task;
pub mod tls;
pub mod workers;
