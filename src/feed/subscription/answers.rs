//! The request's body: answers, of which the newest that has not gone yet is kept.

use std::cell::{Cell, RefCell};
use std::convert::Infallible;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http_body::{Body, Frame};

use crate::bundle::push::{Answer, MAX_ANSWER};

/// An answer has room for so many names of objects, each with a namespace.
const MOST_HELD: usize = MAX_ANSWER / 600;

/// Where answers are put; the body ends when it is dropped.
#[derive(Debug)]
pub(super) struct Sender(Rc<Slot>);

/// The body.
#[derive(Debug)]
pub(super) struct Answers(Rc<Slot>);

#[derive(Debug, Default)]
struct Slot {
    newest: RefCell<Option<Bytes>>,
    waker: RefCell<Option<Waker>>,
    ended: Cell<bool>,
}

/// A body and the way into it.
pub(super) fn channel() -> (Sender, Answers) {
    let slot = Rc::new(Slot::default());
    (Sender(Rc::clone(&slot)), Answers(slot))
}

// === impl Sender ===

impl Sender {
    /// Sends an answer, in the place of one that has not gone yet.
    pub(super) fn send(&self, mut answer: Answer) {
        if let Answer::Applied { held, .. } = &mut answer {
            held.truncate(MOST_HELD);
        }
        // Plain data of our own: writing it cannot fail.
        let mut line = serde_json::to_vec(&answer).unwrap_or_default();
        line.push(b'\n');
        self.0.newest.replace(Some(line.into()));
        self.wake();
    }

    fn wake(&self) {
        if let Some(waker) = self.0.waker.take() {
            waker.wake();
        }
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        self.0.ended.set(true);
        self.wake();
    }
}

// === impl Answers ===

impl Body for Answers {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match self.0.newest.take() {
            Some(line) => Poll::Ready(Some(Ok(Frame::data(line)))),
            None if self.0.ended.get() => Poll::Ready(None),
            None => {
                self.0.waker.replace(Some(cx.waker().clone()));
                Poll::Pending
            }
        }
    }
}
