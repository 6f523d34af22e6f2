//! What somebody may cost who has not said who he is: turns, by address and by second.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep_until, timeout};

use super::Limits;

/// Addresses are forgotten when there are more than so many.
const ADDRESSES: usize = 1024;

/// Everybody who is being introduced, or waits for it.
#[derive(Debug)]
pub(super) struct Strangers {
    limits: Limits,
    all: Arc<Semaphore>,
    /// Each address's own turns; as many hold one as wait or are being introduced.
    addresses: RefCell<HashMap<IpAddr, Weak<Semaphore>>>,
    pace: Pace,
}

/// One who is being introduced: dropped when he is no stranger any more.
#[derive(Debug)]
pub(super) struct Stranger {
    _all: OwnedSemaphorePermit,
    _address: OwnedSemaphorePermit,
}

/// So many a second, and one second's worth at once.
#[derive(Debug)]
struct Pace {
    interval: Duration,
    next: Cell<Option<Instant>>,
}

// === impl Strangers ===

impl Strangers {
    pub(super) fn new(limits: Limits) -> Self {
        let pace = Pace::new(limits.introductions_per_second);
        let all = Arc::new(Semaphore::new(limits.strangers));
        Self { limits, all, addresses: RefCell::default(), pace }
    }

    /// Waits for a turn; `None` when there is none within the time, or too many wait already.
    pub(super) async fn turn(&self, address: IpAddr) -> Option<Stranger> {
        let own = self.turns_of(address);
        if Arc::strong_count(&own) > self.limits.waiting_of_one_address {
            return None;
        }
        timeout(self.limits.turn, self.wait(own)).await.ok()?
    }

    async fn wait(&self, own: Arc<Semaphore>) -> Option<Stranger> {
        let address = own.acquire_owned().await.ok()?;
        let all = Arc::clone(&self.all).acquire_owned().await.ok()?;
        sleep_until(self.pace.take(Instant::now())).await;
        Some(Stranger { _all: all, _address: address })
    }

    fn turns_of(&self, address: IpAddr) -> Arc<Semaphore> {
        let mut addresses = self.addresses.borrow_mut();
        if let Some(turns) = addresses.get(&address).and_then(Weak::upgrade) {
            return turns;
        }
        if addresses.len() >= ADDRESSES {
            addresses.retain(|_, turns| turns.strong_count() > 0);
        }
        let turns = Arc::new(Semaphore::new(self.limits.strangers_of_one_address));
        addresses.insert(address, Arc::downgrade(&turns));
        turns
    }
}

// === impl Pace ===

impl Pace {
    fn new(per_second: u32) -> Self {
        let interval = Duration::from_secs(1) / per_second.max(1);
        Self { interval, next: Cell::new(None) }
    }

    /// When the next one may begin; takes that moment.
    fn take(&self, now: Instant) -> Instant {
        let earliest = now.checked_sub(Duration::from_secs(1)).unwrap_or(now);
        let turn = self.next.get().map_or(earliest, |next| next.max(earliest));
        self.next.set(Some(turn + self.interval));
        turn
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seconds_worth_at_once_then_the_pace() {
        let pace = Pace::new(10);
        let now = Instant::now() + Duration::from_secs(60);
        let waits: Vec<_> =
            (0..14).map(|_| pace.take(now).saturating_duration_since(now)).collect();
        assert!(waits[..11].iter().all(Duration::is_zero), "{waits:?}");
        assert_eq!(waits[13], Duration::from_millis(300));
        let later = now + Duration::from_secs(10);
        assert!(pace.take(later) <= later);
    }

    #[tokio::test]
    async fn one_address_leaves_room_for_others() {
        let limits = Limits {
            strangers: 3,
            strangers_of_one_address: 2,
            waiting_of_one_address: 4,
            turn: Duration::from_millis(50),
            ..Limits::default()
        };
        let strangers = Strangers::new(limits);
        let [one, other] = [[10, 0, 0, 1], [10, 0, 0, 2]].map(IpAddr::from);
        let first = strangers.turn(one).await.unwrap();
        let second = strangers.turn(one).await.unwrap();
        let before = Instant::now();
        assert!(strangers.turn(one).await.is_none());
        assert!(before.elapsed() >= limits.turn);
        let third = strangers.turn(other).await.unwrap();
        assert!(strangers.turn(other).await.is_none(), "three at once in all");
        drop(first);
        assert!(strangers.turn(one).await.is_some());
        drop((second, third));
    }

    #[tokio::test]
    async fn too_many_do_not_wait() {
        let turn = Duration::from_millis(50);
        let limits = Limits { strangers: 1, waiting_of_one_address: 2, turn, ..Limits::default() };
        let strangers = Strangers::new(limits);
        let address = IpAddr::from([10, 0, 0, 1]);
        let _first = strangers.turn(address).await.unwrap();
        let timed = async || {
            let before = Instant::now();
            assert!(strangers.turn(address).await.is_none());
            before.elapsed()
        };
        let (second, third) = tokio::join!(timed(), timed());
        assert!(second >= turn && third < turn, "{second:?} {third:?}");
    }
}
