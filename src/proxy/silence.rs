//! The timers of an answer that says nothing: keep-alive comments, the idle limit, and the end of
//! the drain's grace.
//!
//! Set lazily: while bytes flow, hearing them costs one clock reading, and the timer is left alone
//! until it fires.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::time::{Instant, Sleep, sleep_until};

use super::bell::Listener;
use crate::table::Timeouts;

/// The timers.
#[derive(Debug)]
pub struct Silence {
    timeouts: Timeouts,
    /// When the upstream was heard last.
    heard: Instant,
    /// When the client was sent something last.
    spoke: Instant,
    timer: Option<Pin<Box<Sleep>>>,
    cut: Listener,
}

/// What a silence leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sound {
    /// A comment is due.
    KeepAlive,
    /// The upstream has been silent for too long.
    Idle,
    /// Pillion must go.
    Cut,
}

impl Silence {
    /// Begins `now`, with the answer's head.
    pub fn new(timeouts: Timeouts, cut: Listener, now: Instant) -> Self {
        Self { timeouts, heard: now, spoke: now, timer: None, cut }
    }

    /// The upstream was heard.
    pub fn heard(&mut self, now: Instant) {
        self.heard = now;
        self.spoke = now;
    }

    /// When the upstream was heard last.
    pub fn heard_at(&self) -> Instant {
        self.heard
    }

    /// Waits for whatever the silence leads to next.
    pub fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Sound> {
        // Then the timer, too, wakes this one: they are always asked together.
        let wakes = self.cut.wakes(cx);
        if self.cut.poll(cx).is_ready() {
            return Poll::Ready(Sound::Cut);
        }
        if wakes && self.timer.as_ref().is_some_and(|timer| !timer.is_elapsed()) {
            return Poll::Pending;
        }
        loop {
            let due = self.due();
            let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(due)));
            if timer.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            let now = Instant::now();
            if now >= self.heard + self.timeouts.idle {
                return Poll::Ready(Sound::Idle);
            }
            let comment = self.timeouts.keep_alive.is_some_and(|every| now >= self.spoke + every);
            if comment {
                self.spoke = now;
                self.timer = None;
                return Poll::Ready(Sound::KeepAlive);
            }
            let due = self.due();
            if let Some(timer) = &mut self.timer {
                timer.as_mut().reset(due);
            }
        }
    }

    fn due(&self) -> Instant {
        let idle = self.heard + self.timeouts.idle;
        match self.timeouts.keep_alive {
            Some(every) => idle.min(self.spoke + every),
            None => idle,
        }
    }
}
