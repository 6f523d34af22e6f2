//! Who is connected, what was sent to it, and what it made of that.
//!
//! Rings when anything changes, for whoever writes status or reports to the one that does.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use tokio::sync::watch;

use super::snapshot::{Encoded, PodId};
use crate::bundle::push::Answer;

/// All sidecars that are connected to this replica.
#[derive(Debug, Default)]
pub struct Sidecars {
    connected: RefCell<BTreeMap<u64, Sidecar>>,
    next: std::cell::Cell<u64>,
    changed: watch::Sender<()>,
}

/// Rings each time that anything has changed since the last time.
#[derive(Debug)]
pub struct Rings(watch::Receiver<()>);

/// One of them.
#[derive(Debug, Clone)]
pub struct Sidecar {
    /// Its pod.
    pub pod: PodId,
    /// What was sent last.
    pub sent: Option<Rc<Encoded>>,
    /// What was answered last.
    pub answer: Option<Answer>,
}

/// One sidecar's place in the list, for as long as it is connected.
#[derive(Debug)]
pub struct Seat {
    sidecars: Rc<Sidecars>,
    id: u64,
}

// === impl Sidecars ===

impl Sidecars {
    /// A sidecar has connected.
    pub fn join(self: &Rc<Self>, pod: PodId) -> Seat {
        let id = self.next.get();
        self.next.set(id + 1);
        let sidecar = Sidecar { pod, sent: None, answer: None };
        self.connected.borrow_mut().insert(id, sidecar);
        self.changed.send_replace(());
        Seat { sidecars: Rc::clone(self), id }
    }

    /// All of them at this moment.
    pub fn list(&self) -> Vec<Sidecar> {
        self.connected.borrow().values().cloned().collect()
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.connected.borrow().len()
    }

    /// How many of them are this pod's.
    pub fn count_of(&self, pod: &PodId) -> usize {
        self.connected.borrow().values().filter(|sidecar| sidecar.pod == *pod).count()
    }

    /// Rings from now on.
    pub fn rings(&self) -> Rings {
        Rings(self.changed.subscribe())
    }
}

// === impl Rings ===

impl Rings {
    /// Waits until anything has changed since the last return.
    pub async fn next(&mut self) {
        if self.0.changed().await.is_err() {
            // Nobody connects any more: there will be no news.
            std::future::pending::<()>().await;
        }
    }
}

// === impl Seat ===

impl Seat {
    /// This was sent.
    pub fn sent(&self, bundle: Rc<Encoded>) {
        self.update(|sidecar| {
            sidecar.sent = Some(bundle);
            sidecar.answer = None;
        });
    }

    /// This was answered.
    pub fn answered(&self, answer: Answer) {
        self.update(|sidecar| sidecar.answer = Some(answer));
    }

    fn update(&self, change: impl FnOnce(&mut Sidecar)) {
        if let Some(sidecar) = self.sidecars.connected.borrow_mut().get_mut(&self.id) {
            change(sidecar);
        }
        self.sidecars.changed.send_replace(());
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.sidecars.connected.borrow_mut().remove(&self.id);
        self.sidecars.changed.send_replace(());
    }
}
