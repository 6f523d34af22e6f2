//! Dates for log lines: RFC 3339 in UTC, with milliseconds.
//!
//! Of the lines of one second only the first has its date rendered.

use std::fmt::Write;

use jiff::Timestamp;

/// The date rendered last.
#[derive(Debug, Default)]
pub(super) struct Stamp {
    second: Option<i64>,
    /// How much of the text is before the milliseconds.
    whole: usize,
    text: String,
}

// === impl Stamp ===

impl Stamp {
    /// `now` as text.
    pub(super) fn at(&mut self, now: Timestamp) -> &str {
        if self.second != Some(now.as_second()) {
            self.text.clear();
            // Writing to a String cannot fail.
            let _ = write!(self.text, "{now:.0}");
            self.whole = self.text.len() - 1;
            self.second = Some(now.as_second());
        }
        self.text.truncate(self.whole);
        // One more digit keeps the zeros in front.
        let mut digits = itoa::Buffer::new();
        let milliseconds = &digits.format(1000 + now.subsec_millisecond())[1..];
        self.text.extend([".", milliseconds, "Z"]);
        &self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_like_the_whole_date() {
        let mut stamp = Stamp::default();
        for nanosecond in [0, 999_999_999, 1_000_000_000, 1_001_999_999, 86_400_000_000_000, 5] {
            let now = Timestamp::from_nanosecond(1_770_000_000_000_000_000 + nanosecond).unwrap();
            assert_eq!(stamp.at(now), format!("{now:.3}"));
        }
    }
}
