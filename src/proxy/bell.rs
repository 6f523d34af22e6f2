//! A bell that every connection or call of a worker hears: the drain has begun, the grace is over.
//!
//! One flag and one waker a listener: a listener that is polled often pays a comparison.

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use slab::Slab;

use super::failure::Failure;

/// The worker's own bell.
#[derive(Debug, Default)]
pub struct Bell {
    rung: Cell<bool>,
    wakers: RefCell<Slab<Waker>>,
}

/// One listener.
#[derive(Debug)]
pub struct Listener {
    bell: Rc<Bell>,
    /// Its place among the wakers.
    registered: Option<usize>,
}

// === impl Bell ===

impl Bell {
    /// A listener.
    pub fn listen(self: &Rc<Self>) -> Listener {
        Listener { bell: Rc::clone(self), registered: None }
    }

    /// Tells every listener, now and later; answers how many were waiting.
    pub fn ring(&self) -> usize {
        self.rung.set(true);
        let wakers = self.wakers.borrow();
        wakers.iter().for_each(|(_, waker)| waker.wake_by_ref());
        wakers.len()
    }
}

// === impl Listener ===

impl Listener {
    /// Ready once it rings.
    pub fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.bell.rung.get() {
            return Poll::Ready(());
        }
        if !self.wakes(cx) {
            self.forget();
            let key = self.bell.wakers.borrow_mut().insert(cx.waker().clone());
            self.registered = Some(key);
        }
        Poll::Pending
    }

    /// Was it asked for the same task last?
    pub fn wakes(&self, cx: &Context<'_>) -> bool {
        let wakers = self.bell.wakers.borrow();
        let registered = self.registered.and_then(|key| wakers.get(key));
        registered.is_some_and(|waker| waker.will_wake(cx.waker()))
    }

    /// Has it rung?
    pub fn has_heard(&self) -> bool {
        self.bell.rung.get()
    }

    /// Waits until it rings.
    pub async fn heard(&mut self) {
        poll_fn(|cx| self.poll(cx)).await;
    }

    /// `future`, unless it rings first. It stays where it is: it is large.
    ///
    /// # Errors
    /// [`Failure::ShuttingDown`] when it does.
    pub fn bound<F: Future>(
        &mut self,
        mut future: Pin<&mut F>,
    ) -> impl Future<Output = Result<F::Output, Failure>> {
        poll_fn(move |cx| match future.as_mut().poll(cx) {
            Poll::Ready(output) => Poll::Ready(Ok(output)),
            Poll::Pending => self.poll(cx).map(|()| Err(Failure::ShuttingDown)),
        })
    }

    fn forget(&mut self) {
        if let Some(key) = self.registered.take() {
            self.bell.wakers.borrow_mut().try_remove(key);
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.forget();
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use super::*;

    #[tokio::test]
    async fn reaches_early_and_late_listeners() {
        let bell = Rc::new(Bell::default());
        let mut early = bell.listen();
        let pending = poll_fn(|cx| Poll::Ready(early.poll(cx).is_pending()));
        assert!(pending.await);
        assert_eq!(bell.ring(), 1);
        let bound = early.bound(pin!(std::future::pending::<()>())).await;
        assert_eq!(bound, Err(Failure::ShuttingDown));
        let mut late = bell.listen();
        assert_eq!(late.bound(pin!(std::future::ready(1))).await, Ok(1));
    }

    #[tokio::test]
    async fn forgets_listeners_that_are_gone() {
        let bell = Rc::new(Bell::default());
        let mut listener = bell.listen();
        let _ = poll_fn(|cx| Poll::Ready(listener.poll(cx))).await;
        drop(listener);
        assert_eq!(bell.ring(), 0);
    }
}
