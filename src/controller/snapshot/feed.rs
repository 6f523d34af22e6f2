//! The newest snapshot, and word of a newer one.

use std::rc::Rc;

use tokio::sync::watch;

use super::Snapshot;

/// Where snapshots are published.
#[derive(Debug)]
pub struct Publisher(watch::Sender<Option<Rc<Snapshot>>>);

/// Where they are read. Each reader may skip some: the newest is the one that counts.
#[derive(Debug, Clone)]
pub struct Feed(watch::Receiver<Option<Rc<Snapshot>>>);

/// A publisher and its readers' end, without a snapshot.
pub fn feed() -> (Publisher, Feed) {
    let (sender, receiver) = watch::channel(None);
    (Publisher(sender), Feed(receiver))
}

// === impl Publisher ===

impl Publisher {
    /// This one is the newest now.
    pub fn publish(&self, snapshot: Rc<Snapshot>) {
        self.0.send_replace(Some(snapshot));
    }
}

// === impl Feed ===

impl Feed {
    /// The newest; `None` until everything has been listed once.
    pub fn latest(&self) -> Option<Rc<Snapshot>> {
        self.0.borrow().clone()
    }

    /// Waits for a newer one than this reader (or the one that it was cloned from) was given here;
    /// `None` when there will be none, because the controller ends. May be dropped at any time and
    /// called again.
    pub async fn next(&mut self) -> Option<Rc<Snapshot>> {
        self.0.changed().await.ok()?;
        self.0.borrow_and_update().clone()
    }
}
