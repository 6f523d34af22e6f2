//! What one worker thread holds: the way to the table, its upstreams, its books.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;

use super::bell::Bell;
use super::metrics::Metrics;
use super::record::Books;
use super::upstream::{Egress, Upstreams};
use crate::net::budget::Budget;
use crate::net::task;
use crate::table::Table;
use crate::telemetry::LineSink;

/// The table that is running, if any: swapped whole, by whoever feeds the proxy.
pub type RunningTable = Arc<ArcSwapOption<Table>>;

/// The limits of the data plane.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The largest request body that is held, in bytes; a larger one is refused with 413.
    pub body_bytes: usize,
    /// Client connections a worker; further ones wait in the kernel's queue.
    pub connections: usize,
    /// How long a client may take for a request's head.
    pub head_timeout: Duration,
    /// The longest pause within a request's body.
    pub body_idle: Duration,
    /// How long a client may leave bytes of an answer unread.
    pub write_idle: Duration,
}

/// What all workers share.
#[derive(Debug, Clone)]
pub struct Shared {
    /// The running table.
    pub table: RunningTable,
    /// The limits.
    pub limits: Limits,
    /// How much of all request bodies together is held in memory.
    pub bodies: Budget,
    /// The metric families.
    pub metrics: Metrics,
    /// The access log.
    pub log: LineSink,
    /// How the outside is reached.
    pub egress: Egress,
}

/// One worker's belongings.
#[derive(Debug)]
pub struct Worker {
    /// What all workers share.
    pub shared: Shared,
    /// Connections to upstreams.
    pub upstreams: Upstreams,
    /// The books.
    pub books: Rc<Books>,
    /// The drain has begun.
    pub leaving: Rc<Bell>,
    /// The grace is over.
    pub cut: Rc<Bell>,
    /// The table seen last: when another one runs, the series of the old one are forgotten.
    seen: RefCell<Option<Arc<Table>>>,
}

impl Worker {
    /// A worker without connections. Must be called on its own thread.
    pub fn new(shared: Shared) -> Rc<Self> {
        let lines = shared.log.lines();
        let dropped = shared.metrics.log_lines_dropped.clone();
        let flushing = Rc::clone(&lines).keep_flushing(move |count| dropped.inc_by(count));
        drop(task::spawn(flushing));
        let books = Books { metrics: shared.metrics.clone(), cache: Default::default(), lines };
        let upstreams =
            Upstreams::new(shared.egress.clone(), shared.metrics.clone(), shared.limits.body_idle);
        Rc::new(Self {
            shared,
            upstreams,
            books: Rc::new(books),
            leaving: Rc::default(),
            cut: Rc::default(),
            seen: RefCell::default(),
        })
    }

    /// The table that runs now; the caller keeps it for its whole call.
    pub fn table(&self) -> Option<Arc<Table>> {
        let table = self.shared.table.load_full()?;
        let mut seen = self.seen.borrow_mut();
        if !seen.as_ref().is_some_and(|seen| Arc::ptr_eq(seen, &table)) {
            self.books.cache.clear();
            *seen = Some(Arc::clone(&table));
        }
        Some(table)
    }
}
