//! Things kept by origin, for a handful of origins.
//!
//! An origin is found by its address; after a reload, when an equal origin stands at another
//! address, once by its value. Hashing one (host, port, CAs) would cost every call more.

use std::sync::Arc;

use super::OriginKey;

/// Things by origin.
#[derive(Debug)]
pub(super) struct ByOrigin<T>(Vec<(OriginKey, T)>);

impl<T> Default for ByOrigin<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: Default> ByOrigin<T> {
    /// What is kept for `origin`, if anything is.
    pub(super) fn get(&mut self, origin: &OriginKey) -> Option<&mut T> {
        let same = |(kept, _): &(OriginKey, T)| Arc::ptr_eq(kept, origin);
        let equal = |(kept, _): &(OriginKey, T)| kept == origin;
        let found = self.0.iter().position(same).or_else(|| self.0.iter().position(equal))?;
        let (kept, thing) = self.0.get_mut(found)?;
        if !Arc::ptr_eq(kept, origin) {
            *kept = Arc::clone(origin);
        }
        Some(thing)
    }

    /// What is kept for `origin`, made if it is new.
    pub(super) fn get_or_default(&mut self, origin: &OriginKey) -> &mut T {
        if self.get(origin).is_none() {
            self.0.push((Arc::clone(origin), T::default()));
        }
        let found = self.0.iter().position(|(kept, _)| Arc::ptr_eq(kept, origin));
        // It is there, at the latest since the line before last.
        let last = self.0.len() - 1;
        &mut self.0[found.unwrap_or(last)].1
    }

    /// Keeps those of which `keep` says so.
    pub(super) fn retain(&mut self, mut keep: impl FnMut(&mut T) -> bool) {
        self.0.retain_mut(|(_, thing)| keep(thing));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::llm::Api;
    use crate::table::{Endpoint, Trust};

    fn origin(url: &str) -> OriginKey {
        Endpoint::parse(Api::OpenAi, url, Trust::System).unwrap().origin
    }

    #[test]
    fn equal_origins_are_one_wherever_they_stand() {
        let mut kept = ByOrigin::<Vec<u8>>::default();
        let (before, after) = (origin("http://a/v1"), origin("http://a/v2"));
        let other = origin("http://b/v1");
        kept.get_or_default(&before).push(1);
        assert_eq!(kept.get(&other), None);
        assert_eq!(kept.get(&after), Some(&mut vec![1]));
        kept.get_or_default(&other).push(2);
        kept.get_or_default(&before).push(3);
        assert_eq!(kept.get(&after), Some(&mut vec![1, 3]));
        kept.retain(|things| things.len() > 1);
        assert_eq!(kept.get(&other), None);
    }
}
