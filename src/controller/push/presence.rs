//! How far a connection has come: one request, one stream, the end.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use super::refusal::Refusal;
use super::strangers::Stranger;

/// How far a connection has come.
#[derive(Debug)]
pub(super) struct Presence {
    stage: Cell<Visited>,
    caller: Caller,
    stranger: RefCell<Option<Stranger>>,
    changed: Notify,
}

/// Who has connected, as far as the handshake tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Caller {
    /// Another replica: it has shown the certificate that all of them share.
    Replica,
    /// Who knows? A sidecar has a token.
    Anybody,
}

/// The one stream of a connection; when it is dropped, the connection ends.
#[derive(Debug)]
pub(super) struct Visit(Rc<Presence>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Visited {
    /// No request yet.
    NotYet,
    /// Its request is looked at.
    Asking,
    /// It has its stream.
    Seated,
    /// It has had it, or was refused.
    Over,
}

// === impl Presence ===

impl Presence {
    pub(super) fn of(stranger: Stranger, caller: Caller) -> Self {
        let stranger = RefCell::new(Some(stranger));
        Self { stage: Cell::new(Visited::NotYet), caller, stranger, changed: Notify::new() }
    }

    /// The connection's one request has come.
    pub(super) fn begin(self: &Rc<Self>) -> Result<Visit, Refusal> {
        if self.stage.get() != Visited::NotYet {
            return Err(Refusal::SecondStream);
        }
        self.reach(Visited::Asking);
        Ok(Visit(Rc::clone(self)))
    }

    fn reach(&self, stage: Visited) {
        self.stage.set(stage);
        self.changed.notify_one();
    }

    /// Waits until it has had its stream, or has none `by` then.
    pub(super) async fn over(&self, by: Instant) {
        let over = |stage| stage == Visited::Over;
        let known = |stage| matches!(stage, Visited::Seated | Visited::Over);
        tokio::select! {
            () = self.until(known) => self.until(over).await,
            () = sleep_until(by) => {}
        }
    }

    async fn until(&self, wanted: impl Fn(Visited) -> bool) {
        while !wanted(self.stage.get()) {
            self.changed.notified().await;
        }
    }
}

// === impl Visit ===

impl Visit {
    /// Who it is.
    pub(super) fn caller(&self) -> Caller {
        self.0.caller
    }

    /// Its turn is given to others.
    pub(super) fn is_no_stranger(&self) {
        self.0.stranger.borrow_mut().take();
        self.0.reach(Visited::Seated);
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        self.0.reach(Visited::Over);
    }
}
