//! Ids that fit: within an alphabet and a length, the same for the same, different for different.

use std::borrow::Cow;

use crate::llm::translate::fingerprint::fingerprint;

/// The longest id that the responses API takes.
const LONGEST: usize = 64;

/// How many bytes of a name that does not fit are kept; the rest is its fingerprint.
const KEPT: usize = 47;

/// The id, if it is one of letters, digits, `_` and `-` that is not too long; else its beginning
/// and its fingerprint.
pub(super) fn fit(id: &str) -> Cow<'_, str> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    if !id.is_empty() && id.len() <= LONGEST && id.bytes().all(fits) {
        return Cow::Borrowed(id);
    }
    let kept = id.bytes().take(KEPT).map(|byte| if fits(byte) { char::from(byte) } else { '_' });
    let kept: String = kept.collect();
    Cow::Owned(format!("{kept}_{:016x}", fingerprint(id)))
}

/// The same id in at most as many bytes as are allowed, of any alphabet.
pub(super) fn shorten(id: &str) -> Cow<'_, str> {
    if id.len() <= LONGEST { Cow::Borrowed(id) } else { fit(id) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_stays() {
        assert_eq!(fit("toolu_01-A"), "toolu_01-A");
        assert_eq!(fit(&"a".repeat(64)), "a".repeat(64));
        assert_eq!(shorten("someone@example.com"), "someone@example.com");
    }

    #[test]
    fn what_does_not_fit_stays_different() {
        for (one, other) in [("a.b", "a:b"), ("", "é"), (&"a".repeat(65), &"a".repeat(66))] {
            let (one, other) = (fit(one), fit(other));
            assert_ne!(one, other);
            for id in [one, other] {
                assert!(id.len() <= LONGEST, "{id}");
                assert_eq!(fit(&id), id, "what was made to fit fits");
            }
        }
    }
}
