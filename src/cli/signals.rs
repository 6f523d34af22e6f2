//! SIGTERM and SIGINT: the first asks for a graceful end, the second for a quick one.

use std::io;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::sleep;

use crate::net::drain::{DrainSignal, Stage};

/// The two signals that end a process.
pub(super) struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

/// How long each stage of the end takes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    /// Late connections are still taken for this long.
    pub(super) leave_delay: Duration,
    /// Calls under way go on for this long.
    pub(super) grace: Duration,
}

impl Signals {
    /// Begins to listen.
    ///
    /// # Errors
    /// When the system does not let us.
    pub(super) fn listen() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    /// Waits for either.
    pub(super) async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }

    /// Leads the workers to their end, stage by stage; another signal ends the waiting, whatever
    /// stage it is at.
    pub(super) async fn wind_down(&mut self, workers: &DrainSignal, pace: Pace) {
        tokio::select! {
            () = in_stages(workers, pace) => {}
            () = self.next() => tracing::warn!("a second signal: the grace is over"),
        }
        workers.advance(Stage::Cut);
        workers.all_gone().await;
    }
}

async fn in_stages(workers: &DrainSignal, pace: Pace) {
    workers.advance(Stage::Leaving);
    sleep(pace.leave_delay).await;
    workers.advance(Stage::Draining);
    tokio::select! {
        () = workers.all_gone() => {}
        () = sleep(pace.grace) => {}
    }
}
