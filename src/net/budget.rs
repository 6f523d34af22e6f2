//! A bounded amount of memory (or of anything else that is counted), shared by all workers.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// So much and no more.
#[derive(Debug, Clone)]
pub struct Budget(Arc<Inner>);

/// What was taken from a [`Budget`]; given back on drop.
#[derive(Debug)]
pub struct Reservation {
    budget: Budget,
    taken: usize,
}

#[derive(Debug)]
struct Inner {
    limit: usize,
    used: AtomicUsize,
}

// === impl Budget ===

impl Budget {
    /// A budget of `limit` units.
    pub fn new(limit: usize) -> Self {
        Self(Arc::new(Inner { limit, used: AtomicUsize::new(0) }))
    }

    /// A reservation of nothing, to be grown.
    pub fn open(&self) -> Reservation {
        Reservation { budget: self.clone(), taken: 0 }
    }

    /// What is taken at present.
    pub fn used(&self) -> usize {
        self.0.used.load(Ordering::Relaxed)
    }

    fn take(&self, amount: usize) -> Result<(), Exhausted> {
        let grown = |used: usize| used.checked_add(amount).filter(|sum| *sum <= self.0.limit);
        let taken = self.0.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, grown);
        taken.map(drop).map_err(|_| Exhausted)
    }
}

/// The budget does not have that much left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exhausted;

// === impl Reservation ===

impl Reservation {
    /// Takes `amount` more.
    ///
    /// # Errors
    /// [`Exhausted`], and nothing more is taken.
    pub fn grow(&mut self, amount: usize) -> Result<(), Exhausted> {
        self.budget.take(amount)?;
        self.taken += amount;
        Ok(())
    }

    /// Takes as much more as it needs to hold `amount` in all.
    ///
    /// # Errors
    /// [`Exhausted`], and nothing more is taken.
    pub fn cover(&mut self, amount: usize) -> Result<(), Exhausted> {
        self.grow(amount.saturating_sub(self.taken))
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.budget.0.used.fetch_sub(self.taken, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_back_what_was_taken() {
        let budget = Budget::new(10);
        let mut first = budget.open();
        assert_eq!(first.grow(8), Ok(()));
        let mut second = budget.open();
        assert_eq!(second.grow(3), Err(Exhausted));
        assert_eq!(second.grow(usize::MAX), Err(Exhausted));
        assert_eq!(second.grow(2), Ok(()));
        assert_eq!(first.cover(5), Ok(()));
        assert_eq!(first.cover(9), Err(Exhausted));
        drop(first);
        assert_eq!(budget.used(), 2);
        assert_eq!(second.cover(9), Ok(()));
        assert_eq!(budget.used(), 9);
        drop(second);
        assert_eq!(budget.used(), 0);
    }
}
