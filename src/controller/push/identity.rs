//! Whose token it is: asked of the API server, remembered for a short while.
//!
//! Invariants: only the API server's yes is a yes; nothing of a token is believed before it. What
//! is remembered is keyed by the token's SHA-256, bounded in number and time. A token is never
//! logged, and has no `Debug`. Does not know which pods exist (`snapshot`).

mod review;
#[cfg(test)]
mod tests;
mod token;
mod verdict;

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;

use k8s_openapi::api::authentication::v1::TokenReviewStatus;
use thiserror::Error;
use tokio::sync::{OnceCell, Semaphore};
use tokio::time::{Instant, timeout};

use super::refusal::Refusal;
use crate::controller::snapshot::PodId;
pub use review::api_server;
use token::Key;
pub use token::Token;
use verdict::Verdict;

/// As many tokens are remembered.
const REMEMBERED: usize = 4096;
/// As many reviews are under way at once.
const REVIEWS: usize = 16;

/// How long what was said holds, and how long it may take to be said.
#[derive(Debug, Clone, Copy)]
pub struct Spans {
    /// A yes: a ServiceAccount that was deleted is refused after this, or when the token expires.
    pub yes: Duration,
    /// A no: enough that a sidecar's retries cost nothing.
    pub no: Duration,
    /// A review, its wait for a turn included.
    pub patience: Duration,
    /// What a session lasts at least, where our clock is ahead of the API server's.
    pub least: Duration,
}

/// Who says whose token it is: the API server ([`api_server`]), or a test.
pub type Reviewer = Box<dyn Fn(Token) -> Reviewing>;
/// A review under way.
pub type Reviewing = Pin<Box<dyn Future<Output = Result<TokenReviewStatus, Unavailable>>>>;

/// The API server has not said yes nor no.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the API server cannot review tokens: {0}")]
pub struct Unavailable(pub String);

/// Whose tokens are whose.
pub struct Identities {
    reviewer: Reviewer,
    spans: Spans,
    known: RefCell<HashMap<Key, Rc<OnceCell<Known>>>>,
    turns: Semaphore,
    /// Said once, not with every sidecar that comes.
    outage: Cell<Outage>,
}

/// Does the API server answer?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outage {
    None,
    Told,
}

/// What was said of a token, and how long that is taken as said.
#[derive(Debug)]
struct Known {
    verdict: Verdict,
    until: Instant,
}

/// A pod that has shown who it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Proven {
    pub(super) pod: PodId,
    /// When its token expires.
    pub(super) expires: Instant,
}

// === impl Spans ===

impl Default for Spans {
    fn default() -> Self {
        let [yes, no, patience, least] = [60, 10, 5, 10].map(Duration::from_secs);
        Self { yes, no, patience, least }
    }
}

// === impl Identities ===

impl Identities {
    /// Asks `reviewer`.
    pub fn new(reviewer: Reviewer, spans: Spans) -> Self {
        Self {
            reviewer,
            spans,
            known: RefCell::default(),
            turns: Semaphore::new(REVIEWS),
            outage: Cell::new(Outage::None),
        }
    }

    /// Whose token it is.
    pub(super) async fn of(&self, token: &Token) -> Result<Proven, Refusal> {
        if !token.looks_like_one() {
            return Err(Refusal::NotValid);
        }
        let entry = self.entry(token.key());
        // Callers with the same token wait for one review; if it fails, the next one asks.
        entry.get_or_try_init(|| self.ask(token)).await?.verdict.clone().proven()
    }

    async fn ask(&self, token: &Token) -> Result<Known, Refusal> {
        let reviewed = timeout(self.spans.patience, self.review(token)).await;
        let reviewed = reviewed.unwrap_or_else(|_| Err(Unavailable("no answer in time".into())));
        self.tell(reviewed.as_ref().err());
        let verdict = Verdict::of(&reviewed.map_err(|_| Refusal::NoReview)?, token, self.spans);
        let until = verdict.until(Instant::now(), self.spans);
        Ok(Known { verdict, until })
    }

    async fn review(&self, token: &Token) -> Result<TokenReviewStatus, Unavailable> {
        let closed = |_| Unavailable("the controller ends".to_owned());
        let _turn = self.turns.acquire().await.map_err(closed)?;
        (self.reviewer)(token.clone()).await
    }

    fn tell(&self, failure: Option<&Unavailable>) {
        match (failure, self.outage.get()) {
            (Some(error), Outage::None) => {
                tracing::warn!(%error, "sidecars that come now are told to try again");
                self.outage.set(Outage::Told);
            }
            (None, Outage::Told) => {
                tracing::info!("the API server reviews tokens again");
                self.outage.set(Outage::None);
            }
            (Some(_), Outage::Told) | (None, Outage::None) => {}
        }
    }

    fn entry(&self, key: Key) -> Rc<OnceCell<Known>> {
        let now = Instant::now();
        let mut known = self.known.borrow_mut();
        if let Some(entry) = known.get(&key).filter(|entry| is_fresh(entry, now)) {
            return Rc::clone(entry);
        }
        if known.len() >= REMEMBERED {
            forget(&mut known, now);
        }
        let entry = Rc::default();
        known.insert(key, Rc::clone(&entry));
        entry
    }
}

/// What nobody has said yet stays as long as somebody waits for it.
fn is_fresh(entry: &Rc<OnceCell<Known>>, now: Instant) -> bool {
    match entry.get() {
        Some(known) => known.until > now,
        None => Rc::strong_count(entry) > 1,
    }
}

/// Makes room: what has run out, or else what will first.
fn forget(known: &mut HashMap<Key, Rc<OnceCell<Known>>>, now: Instant) {
    known.retain(|_, entry| is_fresh(entry, now));
    if known.len() < REMEMBERED {
        return;
    }
    let until = |entry: &Rc<OnceCell<Known>>| entry.get().map(|known| known.until);
    let ends = known.iter().filter_map(|(key, entry)| Some((until(entry)?, *key)));
    if let Some((_, key)) = ends.min() {
        known.remove(&key);
    }
}

impl fmt::Debug for Identities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identities").field("known", &self.known.borrow().len()).finish()
    }
}
