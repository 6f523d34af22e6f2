//! The accept loop: takes connections while it may, pauses when it must, never spins.
//!
//! A loop may keep descriptors aside, so that it still accepts when others have used up the rest
//! (FAULTS 60): a probe must not fail because callers are many.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::io;
use std::os::unix::net::UnixDatagram;
use std::rc::Rc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

use super::drain::{Drain, Stage};
use super::task;

/// How long to wait when the system has no more descriptors: long enough not to spin, short enough
/// that nobody notices.
const PAUSE: Duration = Duration::from_millis(50);

/// How many connections a loop takes.
#[derive(Debug, Clone, Copy)]
pub struct Capacity {
    /// At most so many at once; further ones wait in the kernel's queue.
    pub connections: usize,
    /// So many can be opened even when the process has no descriptors left.
    pub reserved: usize,
}

/// How many connections this loop has open.
#[derive(Debug, Clone)]
struct Open(Rc<OpenInner>);

#[derive(Debug)]
struct OpenInner {
    count: Cell<usize>,
    one_less: Notify,
    reserve: Reserve,
}

/// Descriptors that are held by sockets without use, to be closed when one is needed.
#[derive(Debug)]
struct Reserve {
    size: usize,
    kept: RefCell<Vec<UnixDatagram>>,
}

/// Is the loop pausing? An episode is logged once, not with every try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Accepting {
    Freely,
    Pausing,
}

/// One connection's share of the count.
struct Slot(Open);

/// Accepts until the drain begins, then waits until every connection has ended. `serve` runs each
/// connection.
pub async fn run<S, F>(listener: TcpListener, capacity: Capacity, mut drain: Drain, serve: S)
where
    S: Fn(TcpStream) -> F,
    F: Future<Output = ()> + 'static,
{
    let open = Open::new(capacity.reserved);
    let mut accepting = Accepting::Freely;
    loop {
        let next = async {
            open.below(capacity.connections).await;
            listener.accept().await
        };
        tokio::select! {
            biased;
            () = drain.reached(Stage::Draining) => break,
            accepted = next => match accepted {
                Ok((stream, _)) => {
                    accepting.goes_on();
                    start(&open, stream, &serve);
                }
                Err(error) => accepting.failed(&error, &open).await,
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
    // Boxed: a future that is awaited where it was captured has its place in the task twice.
    let serving = Box::pin(serve(stream));
    drop(task::spawn(async move {
        serving.await;
        drop(slot);
    }));
}

// === impl Accepting ===

impl Accepting {
    /// A connection that was reset before it was accepted is nobody's problem; anything else (out
    /// of descriptors or memory) passes when other connections end.
    async fn failed(&mut self, error: &io::Error, open: &Open) {
        use io::ErrorKind as E;
        match error.kind() {
            E::ConnectionAborted | E::ConnectionReset | E::ConnectionRefused => {}
            _ if open.0.reserve.give() => {}
            _ => {
                if *self == Self::Freely {
                    tracing::warn!(%error, "cannot accept connections, pausing");
                }
                *self = Self::Pausing;
                tokio::time::sleep(PAUSE).await;
            }
        }
    }

    fn goes_on(&mut self) {
        if *self == Self::Pausing {
            tracing::info!("accepting connections again");
        }
        *self = Self::Freely;
    }
}

// === impl Reserve ===

impl Reserve {
    fn new(size: usize) -> Self {
        let kept = RefCell::default();
        let reserve = Self { size, kept };
        reserve.fill();
        reserve
    }

    /// Takes what there is, up to the full reserve.
    fn fill(&self) {
        let mut kept = self.kept.borrow_mut();
        while kept.len() < self.size {
            match UnixDatagram::unbound() {
                Ok(socket) => kept.push(socket),
                Err(_) => return,
            }
        }
    }

    /// Frees one descriptor, if any is left.
    fn give(&self) -> bool {
        self.kept.borrow_mut().pop().is_some()
    }
}

// === impl Open ===

impl Open {
    fn new(reserved: usize) -> Self {
        Self(Rc::new(OpenInner {
            count: Cell::new(0),
            one_less: Notify::new(),
            reserve: Reserve::new(reserved),
        }))
    }

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
        // At once, before anybody else takes the descriptor that has just been freed.
        inner.reserve.fill();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reserve_gives_what_it_has_and_fills_up_again() {
        let reserve = Reserve::new(2);
        assert!(reserve.give() && reserve.give() && !reserve.give());
        reserve.fill();
        assert!(reserve.give());
        assert!(!Reserve::new(0).give());
    }
}
