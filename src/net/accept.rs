//! The accept loop: takes connections while it may, pauses when it must, never spins.

use std::cell::Cell;
use std::future::Future;
use std::io;
use std::rc::Rc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

use super::drain::{Drain, Stage};
use super::task;

/// How long to wait when the system has no more descriptors: long enough not to spin, short enough
/// that nobody notices.
const PAUSE: Duration = Duration::from_millis(50);

/// How many connections this loop has open.
#[derive(Debug, Clone, Default)]
struct Open(Rc<OpenInner>);

#[derive(Debug, Default)]
struct OpenInner {
    count: Cell<usize>,
    one_less: Notify,
}

/// One connection's share of the count.
struct Slot(Open);

/// Accepts until the drain begins, then waits until every connection has ended. `serve` runs each
/// connection; at `limit` open ones, further ones wait in the kernel's queue.
pub async fn run<S, F>(listener: TcpListener, limit: usize, mut drain: Drain, serve: S)
where
    S: Fn(TcpStream) -> F,
    F: Future<Output = ()> + 'static,
{
    let open = Open::default();
    loop {
        let next = async {
            open.below(limit).await;
            listener.accept().await
        };
        tokio::select! {
            biased;
            () = drain.reached(Stage::Draining) => break,
            accepted = next => match accepted {
                Ok((stream, _)) => start(&open, stream, &serve),
                Err(error) => after(&error).await,
            },
        }
    }
    drop(listener);
    open.below(1).await;
}

fn start<S, F>(open: &Open, stream: TcpStream, serve: &S)
where
    S: Fn(TcpStream) -> F,
    F: Future<Output = ()> + 'static,
{
    // Without it each small event of a stream waits for the reader's delayed acknowledgement.
    let _ = stream.set_nodelay(true);
    let slot = open.slot();
    let serving = serve(stream);
    drop(task::spawn(async move {
        serving.await;
        drop(slot);
    }));
}

/// A connection that was reset before it was accepted is nobody's problem; anything else (out of
/// descriptors or memory) passes when other connections end.
async fn after(error: &io::Error) {
    match error.kind() {
        io::ErrorKind::ConnectionAborted
        | io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionRefused => {}
        _ => {
            tracing::warn!(%error, "cannot accept connections, pausing");
            tokio::time::sleep(PAUSE).await;
        }
    }
}

// === impl Open ===

impl Open {
    async fn below(&self, limit: usize) {
        while self.0.count.get() >= limit {
            self.0.one_less.notified().await;
        }
    }

    fn slot(&self) -> Slot {
        self.0.count.set(self.0.count.get() + 1);
        Slot(self.clone())
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let inner = &self.0.0;
        inner.count.set(inner.count.get() - 1);
        inner.one_less.notify_one();
    }
}
