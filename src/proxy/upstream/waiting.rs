//! The wait for an answer's head: from the moment the request is out, or as long as the client
//! keeps sending its body.

use std::cell::Cell;
use std::future::{Future, pending};
use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use super::{Answer, Broken};
use crate::proxy::body::Outgoing;
use crate::proxy::failure::{Failure, Phase};

/// The wait.
pub(super) struct Waiting {
    progress: Option<Rc<Progress>>,
    started: Instant,
    first_byte: Duration,
    body_idle: Duration,
}

/// How far a passing body has come.
#[derive(Debug)]
pub struct Progress {
    at: Cell<Instant>,
    complete: Cell<bool>,
    completed: Notify,
}

// === impl Progress ===

impl Progress {
    /// Nothing has come yet.
    pub fn new() -> Rc<Self> {
        Rc::new(Self {
            at: Cell::new(Instant::now()),
            complete: Cell::new(false),
            completed: Notify::new(),
        })
    }

    /// Some of it came.
    pub fn moved(&self) {
        self.at.set(Instant::now());
    }

    /// The last of it came.
    pub fn ended(&self) {
        self.moved();
        self.complete.set(true);
        self.completed.notify_one();
    }
}

// === impl Waiting ===

impl Waiting {
    /// Begins now.
    pub(super) fn new(body: &Outgoing, first_byte: Duration, body_idle: Duration) -> Self {
        Self {
            progress: body.progress(),
            started: Instant::now(),
            first_byte,
            body_idle,
        }
    }

    /// The answer, unless it takes too long.
    pub(super) async fn bound<F>(&self, answered: F) -> Result<Answer, Broken>
    where
        F: Future<Output = Result<Answer, Broken>>,
    {
        let mut answered = pin!(answered);
        loop {
            let (due, failure) = self.due();
            let sending = self.sending();
            tokio::select! {
                biased;
                answer = answered.as_mut() => return answer,
                // From here on another clock runs.
                () = end_of(sending) => {}
                // Bytes may have moved since the timer was set.
                () = sleep_until(due) => if self.due().0 <= Instant::now() {
                    return Err(Broken::Otherwise(failure));
                },
            }
        }
    }

    /// The body, if it is still being sent at this moment.
    fn sending(&self) -> Option<&Progress> {
        let progress = self.progress.as_deref();
        progress.filter(|body| !body.complete.get())
    }

    fn due(&self) -> (Instant, Failure) {
        let first_byte = Failure::UpstreamTimeout(Phase::FirstByte);
        match &self.progress {
            None => (self.started + self.first_byte, first_byte),
            Some(body) if body.complete.get() => (body.at.get() + self.first_byte, first_byte),
            Some(body) => (body.at.get() + self.body_idle, Failure::BodyTimeout),
        }
    }
}

async fn end_of(sending: Option<&Progress>) {
    match sending {
        Some(body) => body.completed.notified().await,
        None => pending().await,
    }
}
