//! A worker's idle connections, by origin. Not shared, so not locked.

use std::cell::RefCell;
use std::rc::Rc;
use std::task::{Context, Waker};
use std::time::Duration;

use tokio::time::{Instant, interval};

use super::by_origin::ByOrigin;
use super::{OriginKey, h1, h2};
use crate::net::task;

/// Shorter than the idle limits of the load balancers in front of most providers (60 s and more),
/// so that we close first and no call races a closing connection.
const IDLE: Duration = Duration::from_secs(55);
/// A connection is not reused after this age, so that a changed DNS record is followed.
const MAX_AGE: Duration = Duration::from_secs(300);
/// How often idle connections are looked after.
const SWEEP: Duration = Duration::from_secs(5);
/// Idle HTTP/1.1 connections kept an origin: as many as a busy worker has calls at once.
const MAX_IDLE: usize = 1024;

/// Boxed once, when they are opened: they are large, and move with every call.
type Idle = Vec<Box<h1::Connection>>;

/// The connections.
#[derive(Debug, Default)]
pub(in crate::proxy) struct Pool {
    h1: RefCell<ByOrigin<Idle>>,
    h2: RefCell<ByOrigin<Vec<Shared>>>,
}

/// The hold of one call on an HTTP/1.1 connection.
#[derive(Debug)]
pub struct Lease {
    connection: Box<h1::Connection>,
    /// Where it goes once it is idle.
    pool: Rc<Pool>,
    origin: OriginKey,
}

#[derive(Debug)]
struct Shared {
    connection: h2::Connection,
    opened: Instant,
}

/// Closes connections that are old, idle for long, or dead, for as long as the pool is in use.
pub(super) fn sweep(pool: &Rc<Pool>) {
    let pool = Rc::downgrade(pool);
    drop(task::spawn(async move {
        let mut ticks = interval(SWEEP);
        loop {
            ticks.tick().await;
            let Some(pool) = pool.upgrade() else { return };
            pool.tidy();
        }
    }));
}

impl Pool {
    /// The idle connection used last of those that are alive.
    pub(super) fn take_h1(
        &self,
        origin: &OriginKey,
        cx: &mut Context<'_>,
    ) -> Option<Box<h1::Connection>> {
        loop {
            let mut connection = self.pop_h1(origin)?;
            if fresh(&connection) && connection.alive(cx) {
                return Some(connection);
            }
        }
    }

    fn pop_h1(&self, origin: &OriginKey) -> Option<Box<h1::Connection>> {
        self.h1.borrow_mut().get(origin)?.pop()
    }

    /// Keeps an idle connection.
    pub(super) fn put_h1(&self, origin: &OriginKey, connection: Box<h1::Connection>) {
        let mut all = self.h1.borrow_mut();
        let idle = all.get_or_default(origin);
        if idle.len() < MAX_IDLE {
            idle.push(connection);
        }
    }

    /// A shared connection that takes one more stream.
    pub(super) fn share_h2(&self, origin: &OriginKey) -> Option<h2::Connection> {
        let mut all = self.h2.borrow_mut();
        let usable =
            |shared: &&Shared| shared.opened.elapsed() < MAX_AGE && shared.connection.has_room();
        let shared = all.get(origin)?.iter().find(usable)?;
        Some(shared.connection.clone())
    }

    /// Shares a new connection.
    pub(super) fn add_h2(&self, origin: &OriginKey, connection: &h2::Connection) {
        let shared = Shared { connection: connection.clone(), opened: Instant::now() };
        self.h2.borrow_mut().get_or_default(origin).push(shared);
    }

    fn tidy(&self) {
        let mut context = Context::from_waker(Waker::noop());
        self.h1.borrow_mut().retain(|idle| {
            idle.retain_mut(|connection| fresh(connection) && connection.alive(&mut context));
            idle.shrink_to(idle.len() * 2);
            !idle.is_empty()
        });
        self.h2.borrow_mut().retain(|shared| {
            shared.retain(|shared| {
                let young = shared.opened.elapsed() < MAX_AGE;
                !shared.connection.is_closed() && (young || !shared.connection.is_idle())
            });
            !shared.is_empty()
        });
    }
}

// === impl Lease ===

impl Lease {
    /// Holds a connection that will come back to `pool`.
    pub(super) fn new(
        connection: Box<h1::Connection>,
        pool: &Rc<Pool>,
        origin: &OriginKey,
    ) -> Self {
        Self { connection, pool: Rc::clone(pool), origin: origin.clone() }
    }

    /// The connection.
    pub(super) fn connection(&mut self) -> &mut h1::Connection {
        &mut self.connection
    }

    /// Has all of the answer come?
    pub(super) fn has_ended(&self) -> bool {
        self.connection.has_ended()
    }

    /// How much of it is still to come, where that was told.
    pub(super) fn left(&self) -> Option<u64> {
        self.connection.left()
    }

    /// Gives the connection back, idle since `now`; one that is not clean is closed.
    pub(super) fn release(mut self, now: Instant) {
        if self.connection.is_clean() {
            self.connection.idle_since = now;
            self.pool.put_h1(&self.origin, self.connection);
        }
    }
}

fn fresh(connection: &h1::Connection) -> bool {
    let now = Instant::now();
    now - connection.idle_since < IDLE && now - connection.opened < MAX_AGE
}
