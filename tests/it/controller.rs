//! The controller: its push server as a sidecar and as a stranger sees it.
//!
//! `push` and `bounds` have a stand-in for the API server's word on tokens; `live` has the API
//! server itself.

mod bounds;
mod live;
mod push;
mod sidecar;
mod stand;
