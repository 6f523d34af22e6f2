//! End to end: `pillion controller` and `pillion proxy --controller` as processes, before a real
//! API server, under the roles that an installation has.

mod away;
mod liar;
mod live;
mod lying;
mod refused;
mod replica;
mod replicas;
mod service;
mod sidecar;
mod stage;
mod traffic;
