//! Ids that fit: within an alphabet and a length, the same for the same, different for different.

use std::borrow::Cow;

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

/// FNV-1a: to tell texts apart, not to hide them.
pub(super) fn fingerprint(text: &str) -> u64 {
    const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0100_0000_01b3;
    text.bytes().fold(OFFSET, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(PRIME))
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
