//! The server that sidecars connect to: proves who they are, sends each its bundle, hears answers.
//! The other replicas connect to it too, to report while this one writes status.
//!
//! Reading order: [`server`] (a connection, from its first byte to its last), `admission` (a
//! request, until it has its place), [`identity`] (whose token it is), `session` (a place: bundles
//! out, answers in), `answers` and `lines` (what comes in), `replica` (another replica's place),
//! `presence` (how far a connection has come), `strangers` (what somebody may cost who has not said
//! who he is), `refusal` (every no), [`metrics`].
//!
//! Invariants: nobody is told anything before the API server has said whose token it is; a failure
//! of the API server is never a yes. A session sends the newest snapshot's bundle whenever its
//! version is not the one sent last, and queues none: a slow sidecar skips versions. One
//! connection carries one stream, for one pod, and ends with it. Tokens are never logged.
//!
//! What a replica counts here is its own sidecars; those of others are at its desk (`reports`).
//! Does not know what a bundle holds (`scope`), nor what an answer comes to (`status`).

mod admission;
mod answers;
pub mod identity;
mod lines;
pub mod metrics;
mod presence;
mod refusal;
mod replica;
pub mod server;
mod session;
mod strangers;

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use tokio::sync::watch;

use super::certificates::Authorities;
use super::reports::Desk;
use super::sidecars::Sidecars;
use super::snapshot::Feed;
use identity::Identities;
use metrics::PushMetrics;

/// Everything that a sidecar's connection needs, besides its socket.
#[derive(Debug)]
pub struct Door {
    /// The certificate, which may change while this runs: `certificates::server_config`. Who shows
    /// one of his own and is let in by this is another replica.
    pub tls: Arc<ServerConfig>,
    /// What there is to tell.
    pub feed: Feed,
    /// Who is connected.
    pub sidecars: Rc<Sidecars>,
    /// What other replicas report.
    pub reports: Rc<Desk>,
    /// Whose token is whose.
    pub identities: Identities,
    /// What is counted.
    pub metrics: PushMetrics,
    /// By which CA certificates sidecars are to believe controllers, where that is known.
    pub authorities: watch::Receiver<Option<Authorities>>,
    /// What it may cost.
    pub limits: Limits,
}

/// What sidecars and strangers may cost.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Connections at once, of whatever kind; further ones wait in the kernel's queue.
    pub connections: usize,
    /// Connections at once that are being introduced: TLS, the request, the token's review.
    pub strangers: usize,
    /// As many of them may be from one address: a pod that misbehaves leaves room for others.
    pub strangers_of_one_address: usize,
    /// As many may wait for their turn from one address; further ones are closed.
    pub waiting_of_one_address: usize,
    /// Introductions that may begin in a second: a TLS handshake is the dearest part of one.
    pub introductions_per_second: u32,
    /// How long a connection waits for its turn to be introduced.
    pub turn: Duration,
    /// How long its introduction may take.
    pub introduction: Duration,
    /// How long a session may wait for a pod that no watch has told of yet.
    pub patience: Duration,
    /// Sessions at once of one pod: the sidecar's own, and those of its that died unnoticed.
    pub sessions_of_one_pod: usize,
    /// The draining controller ends its sessions over this time, so that their sidecars do not all
    /// go to the next replica in the same instant.
    pub spread: Duration,
    /// The CA is another one: sessions end over this time, so that their sidecars hear of it.
    pub renewal: Duration,
}

// === impl Limits ===

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 8192,
            strangers: 256,
            strangers_of_one_address: 64,
            waiting_of_one_address: 2048,
            introductions_per_second: 500,
            turn: Duration::from_secs(10),
            introduction: Duration::from_secs(10),
            patience: Duration::from_secs(2),
            sessions_of_one_pod: 4,
            spread: Duration::from_secs(5),
            renewal: Duration::from_secs(60),
        }
    }
}
