//! A weighted choice among ready things, by a random number that the caller supplies.

/// At least one item, each with a weight of at least 1. Immutable.
#[derive(Debug, Clone)]
pub struct Weighted<T> {
    /// Items with the sum of the weights up to and including their own.
    items: Box<[(u64, T)]>,
}

impl<T> Weighted<T> {
    /// Items of weight 0 are never chosen and so left out; `None` if nothing is left.
    pub fn new(items: impl IntoIterator<Item = (u32, T)>) -> Option<Self> {
        let mut sum = 0u64;
        let mut kept = Vec::new();
        for (weight, item) in items {
            if weight > 0 {
                sum += u64::from(weight);
                kept.push((sum, item));
            }
        }
        (!kept.is_empty()).then(|| Self { items: kept.into() })
    }

    /// The item that `random`, uniform over all of `u64`, falls on.
    pub fn pick(&self, random: u64) -> &T {
        let sum = self.items.last().map_or(1, |(sum, _)| *sum);
        let point = random % sum;
        let index = self.items.partition_point(|(upto, _)| *upto <= point);
        // `point < sum`, so the index is in range; clamped so that no panic is reachable.
        &self.items[index.min(self.items.len() - 1)].1
    }

    /// The items with their weights, in declaration order.
    pub fn iter(&self) -> impl Iterator<Item = (u64, &T)> {
        let mut before = 0;
        self.items.iter().map(move |(upto, item)| {
            let weight = upto - before;
            before = *upto;
            (weight, item)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_shares() {
        let weighted = Weighted::new([(60, 'a'), (0, 'x'), (20, 'b'), (20, 'c')]).unwrap();
        let count = |wanted| (0..100u64).filter(|r| *weighted.pick(*r) == wanted).count();
        assert_eq!((count('a'), count('x'), count('b'), count('c')), (60, 0, 20, 20));
        assert_eq!(weighted.iter().map(|(w, _)| w).collect::<Vec<_>>(), [60, 20, 20]);
        assert!(Weighted::new([(0, 'x')]).is_none());
    }
}
