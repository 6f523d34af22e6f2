//! The controller: its push server as a sidecar and as a stranger sees it, its lease and what it
//! writes into statuses.
//!
//! `push` and `bounds` have a stand-in for the API server's word on tokens; the others have the API
//! server itself.

mod bounds;
mod lease;
mod live;
mod push;
mod reports;
mod sidecar;
mod stand;
mod status;
mod status_command;
