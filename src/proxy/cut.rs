//! The end of the grace, as every call under way hears it.
//!
//! One flag and one waker a listener: a listener that is polled often pays a comparison.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use super::failure::Failure;

/// The worker's own flag.
#[derive(Debug, Default)]
pub struct Cut {
    fired: Cell<bool>,
    next: Cell<u64>,
    wakers: RefCell<HashMap<u64, Waker>>,
}

/// One listener.
#[derive(Debug)]
pub struct CutSignal {
    cut: Rc<Cut>,
    id: u64,
    registered: Option<Waker>,
}

// === impl Cut ===

impl Cut {
    /// A listener.
    pub fn listen(self: &Rc<Self>) -> CutSignal {
        let id = self.next.get();
        self.next.set(id + 1);
        CutSignal { cut: Rc::clone(self), id, registered: None }
    }

    /// Tells every listener, now and later; answers how many there were.
    pub fn fire(&self) -> usize {
        self.fired.set(true);
        let wakers = self.wakers.take();
        let count = wakers.len();
        wakers.into_values().for_each(Waker::wake);
        count
    }
}

// === impl CutSignal ===

impl CutSignal {
    /// Ready once the grace is over.
    pub fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.cut.fired.get() {
            return Poll::Ready(());
        }
        let known = self.registered.as_ref().is_some_and(|waker| waker.will_wake(cx.waker()));
        if !known {
            self.registered = Some(cx.waker().clone());
            self.cut.wakers.borrow_mut().insert(self.id, cx.waker().clone());
        }
        Poll::Pending
    }

    /// `future`, unless the grace ends first. Give it one that is pinned already: a future taken
    /// by value has its place in this one twice.
    ///
    /// # Errors
    /// [`Failure::ShuttingDown`] when it does.
    pub async fn bound<F: Future>(&mut self, future: F) -> Result<F::Output, Failure> {
        let mut future = pin!(future);
        poll_fn(|cx| match future.as_mut().poll(cx) {
            Poll::Ready(output) => Poll::Ready(Ok(output)),
            Poll::Pending => self.poll(cx).map(|()| Err(Failure::ShuttingDown)),
        })
        .await
    }
}

impl Drop for CutSignal {
    fn drop(&mut self) {
        if self.registered.is_some() {
            self.cut.wakers.borrow_mut().remove(&self.id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn reaches_early_and_late_listeners() {
        let cut = Rc::new(Cut::default());
        let mut early = cut.listen();
        let pending = poll_fn(|cx| Poll::Ready(early.poll(cx).is_pending()));
        assert!(pending.await);
        assert_eq!(cut.fire(), 1);
        let bound = early.bound(std::future::pending::<()>()).await;
        assert_eq!(bound, Err(Failure::ShuttingDown));
        let mut late = cut.listen();
        assert_eq!(late.bound(std::future::ready(1)).await, Ok(1));
    }

    #[tokio::test]
    async fn forgets_listeners_that_are_gone() {
        let cut = Rc::new(Cut::default());
        let mut listener = cut.listen();
        let _ = poll_fn(|cx| Poll::Ready(listener.poll(cx))).await;
        drop(listener);
        assert_eq!(cut.fire(), 0);
    }
}
