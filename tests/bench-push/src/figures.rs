//! What came out, as numbers.

use std::collections::BTreeMap;
use std::time::Duration;

/// Everything.
#[derive(Debug)]
pub(crate) struct Figures {
    /// Resident memory of a controller without sidecars.
    pub(crate) alone: u64,
    pub(crate) sizes: Vec<Size>,
    /// The replica that had all sidecars ends, and two others take them.
    pub(crate) end: Move,
    /// Both replicas are replaced, one after the other.
    pub(crate) rolling: Move,
    pub(crate) crowd: Crowd,
    /// What went wrong with streams outside of restarts and in them.
    pub(crate) complaints: BTreeMap<String, usize>,
}

/// With so many sidecars connected.
#[derive(Debug)]
pub(crate) struct Size {
    pub(crate) sidecars: usize,
    /// From the first connection until all those that were added had their bundle.
    pub(crate) connect: Duration,
    /// Change to receipt, of each lean sidecar and change.
    pub(crate) received: Spread,
    /// Change to the running table of a real sidecar.
    pub(crate) applied: Option<Spread>,
    pub(crate) resident: u64,
    /// The controller's CPU time in a second in which nothing changes.
    pub(crate) rest: Duration,
    /// The controller's CPU time for a change, rest included.
    pub(crate) change: Duration,
}

/// Sidecars that had to go elsewhere.
#[derive(Debug)]
pub(crate) struct Move {
    /// From the (first) signal until nobody was without a stream.
    pub(crate) whole: Duration,
    /// How long each was without a stream.
    pub(crate) away: Spread,
    /// Bundles that took something away.
    pub(crate) backwards: usize,
}

/// With many routes that concern nobody here.
#[derive(Debug)]
pub(crate) struct Crowd {
    pub(crate) namespaces: usize,
    pub(crate) routes: usize,
    /// From the start of a replica's process until `/readyz` said yes.
    pub(crate) start: Duration,
    /// Its resident memory then, without sidecars.
    pub(crate) resident: u64,
    /// Changes while the sidecars were connected to two replicas.
    pub(crate) received: Spread,
}

/// A distribution.
#[derive(Debug, Default)]
pub(crate) struct Spread(Vec<Duration>);

// === impl Spread ===

impl Spread {
    pub(crate) fn of(mut values: Vec<Duration>) -> Self {
        values.sort_unstable();
        Self(values)
    }

    pub(crate) fn into_values(self) -> Vec<Duration> {
        self.0
    }

    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    /// The smallest value that this many hundredths do not exceed; zero of none.
    pub(crate) fn percentile(&self, hundredths: usize) -> Duration {
        let rank = (self.0.len() * hundredths).div_ceil(100).max(1);
        self.0.get(rank - 1).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles() {
        let spread = Spread::of((1..=200).rev().map(Duration::from_millis).collect());
        assert_eq!(spread.percentile(50), Duration::from_millis(100));
        assert_eq!(spread.percentile(99), Duration::from_millis(198));
        assert_eq!(spread.percentile(100), Duration::from_millis(200));
        assert_eq!(Spread::default().percentile(99), Duration::ZERO);
    }
}
