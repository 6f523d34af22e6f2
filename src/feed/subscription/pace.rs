//! How long to wait before the next try: quick at first, then slower and slower, and never at the
//! same moment as all the other sidecars.

use std::time::Duration;

/// The first wait after a failure is at least this long, and at most [`QUICK`].
const SHORTEST: Duration = Duration::from_millis(50);
const QUICK: Duration = Duration::from_millis(200);
/// No wait of our own making is longer.
const SLOWEST: Duration = Duration::from_secs(5);
/// After a stream that ended as it should.
const AT_ONCE: Duration = Duration::from_millis(50);
/// A controller that asks for more patience than this is not heeded beyond it.
const MOST_PATIENCE: Duration = Duration::from_secs(60);
/// A stream that ends sooner than this is a failure, however cleanly it ends: else two that do not
/// get along would connect without end.
const PROPER: Duration = Duration::from_secs(1);

/// Counts failures in a row.
#[derive(Debug, Default)]
pub(super) struct Pace {
    failures: u32,
}

// === impl Pace ===

impl Pace {
    /// There was no stream; the controller may have said when to come back.
    pub(super) fn after_failure(&mut self, asked: Option<Duration>) -> Duration {
        let most = QUICK.saturating_mul(1 << self.failures.min(10)).min(SLOWEST);
        self.failures = self.failures.saturating_add(1);
        let own = between(SHORTEST, most);
        match asked.map(|asked| asked.min(MOST_PATIENCE)) {
            // Those who were all told the same do not come at the same moment.
            Some(asked) if asked > own => between(asked, asked + asked / 4 + SHORTEST),
            Some(_) | None => own,
        }
    }

    /// There was one, which ended cleanly.
    pub(super) fn after_end(&mut self, lived: Duration) -> Duration {
        if lived < PROPER {
            return self.after_failure(None);
        }
        self.failures = 0;
        between(Duration::ZERO, AT_ONCE)
    }

    /// There was one, which broke.
    pub(super) fn after_break(&mut self, lived: Duration) -> Duration {
        if lived >= PROPER {
            self.failures = 0;
        }
        self.after_failure(None)
    }
}

fn between(least: Duration, most: Duration) -> Duration {
    let span = most.saturating_sub(least).as_secs_f64();
    least + Duration::from_secs_f64(span * fastrand::f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn quick_first_then_slower_never_slower_than_five_seconds() {
        for _ in 0..200 {
            let mut pace = Pace::default();
            let waits: Vec<Duration> = (0..40).map(|_| pace.after_failure(None)).collect();
            assert!((SHORTEST..=QUICK).contains(&waits[0]), "{waits:?}");
            assert!(waits.iter().all(|wait| (SHORTEST..=SLOWEST).contains(wait)), "{waits:?}");
            assert!(waits[10..].iter().any(|wait| *wait > Duration::from_secs(2)), "{waits:?}");
        }
    }

    #[test]
    fn a_stream_that_lived_makes_the_next_try_a_quick_one() {
        let mut pace = Pace::default();
        for _ in 0..20 {
            pace.after_failure(None);
        }
        assert!(pace.after_end(LONG) <= AT_ONCE);
        assert!(pace.after_break(LONG) <= QUICK);
        assert!(pace.after_end(LONG) <= AT_ONCE);
        assert!(pace.after_failure(None) <= QUICK);
    }

    #[test]
    fn streams_that_end_at_once_are_failures() {
        let mut pace = Pace::default();
        let waits = (0..20).map(|_| pace.after_end(Duration::ZERO));
        assert!(waits.sum::<Duration>() > Duration::from_secs(5));
        let waits = (0..20).map(|_| pace.after_break(Duration::ZERO));
        assert!(waits.sum::<Duration>() > Duration::from_secs(5));
    }

    #[test]
    fn what_the_controller_asks_for_is_heeded_within_reason() {
        let seconds = Duration::from_secs;
        for _ in 0..200 {
            let wait = Pace::default().after_failure(Some(seconds(8)));
            assert!((seconds(8)..seconds(11)).contains(&wait), "{wait:?}");
            let wait = Pace::default().after_failure(Some(seconds(100_000)));
            assert!((seconds(60)..seconds(76)).contains(&wait), "{wait:?}");
            assert!(Pace::default().after_failure(Some(Duration::ZERO)) <= QUICK);
        }
    }
}
