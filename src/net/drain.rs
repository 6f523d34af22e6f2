//! How everything ends, in two stages: first no new work, then no more waiting.

use tokio::sync::watch;

/// How far the end has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Work is taken.
    Serving,
    /// Not ready any more, but late connections are still taken for a moment: their senders may
    /// not have heard yet.
    Leaving,
    /// No new connection, no second call on an old one; calls under way go on.
    Draining,
    /// The grace is over: calls under way end with an error now.
    Cut,
}

/// The hand that ends things.
#[derive(Debug)]
pub struct DrainSignal(watch::Sender<Stage>);

/// The ear of everything that must end.
#[derive(Debug, Clone)]
pub struct Drain(watch::Receiver<Stage>);

/// A hand and its ear, at [`Stage::Serving`].
pub fn channel() -> (DrainSignal, Drain) {
    let (sender, receiver) = watch::channel(Stage::Serving);
    (DrainSignal(sender), Drain(receiver))
}

// === impl DrainSignal ===

impl DrainSignal {
    /// Moves to `stage`; never back.
    pub fn advance(&self, stage: Stage) {
        self.0.send_if_modified(|now| {
            let before = std::mem::replace(now, stage.max(*now));
            before < stage
        });
    }

    /// Waits until every ear is gone: all work has ended.
    pub async fn all_gone(&self) {
        self.0.closed().await;
    }
}

// === impl Drain ===

impl Drain {
    /// The stage now.
    pub fn stage(&self) -> Stage {
        *self.0.borrow()
    }

    /// Waits until `stage` or a later one is reached. A hand that was dropped means the end.
    pub async fn reached(&mut self, stage: Stage) {
        // The only error is that the sender is gone, which ends everything as well.
        let _ = self.0.wait_for(|now| *now >= stage).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn stages_only_go_forward() {
        let (signal, mut drain) = channel();
        signal.advance(Stage::Cut);
        signal.advance(Stage::Draining);
        assert_eq!(drain.stage(), Stage::Cut);
        drain.reached(Stage::Draining).await;
        drop(drain);
        signal.all_gone().await;
    }
}
