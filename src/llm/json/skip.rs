//! Skips what need not be understood: strings, white space, and the bytes between brackets by
//! their class alone.
//!
//! A stretch of text is skipped at the speed of `memchr`. But source code in a prompt has an escape
//! every few bytes, and a search for each would take longer than looking at all bytes: behind an
//! escape, a block of bytes is looked at at once, a bit for each.

use memchr::memchr2;
use wide::u8x16;

/// Where in a string the last chunk ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::llm) enum InString {
    Outside,
    Plain,
    /// Behind a backslash.
    Escape,
}

/// What a byte outside of strings does to the depth.
#[derive(Debug, Clone, Copy)]
pub(super) enum Class {
    Plain,
    Quote,
    Open,
    Close,
}

/// The class of each byte.
pub(super) static CLASS: [Class; 256] = {
    let mut table = [Class::Plain; 256];
    table[b'"' as usize] = Class::Quote;
    table[b'{' as usize] = Class::Open;
    table[b'[' as usize] = Class::Open;
    table[b'}' as usize] = Class::Close;
    table[b']' as usize] = Class::Close;
    table
};

/// How many bytes of white space come first.
pub(super) fn white_space(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r')).count()
}

/// The place of the quote that ends the string which `bytes` begin inside of.
pub(in crate::llm) fn end_of_string(bytes: &[u8]) -> Option<usize> {
    near_end(bytes).or_else(|| {
        let mut string = InString::Plain;
        let used = string.skip_far(bytes);
        (string == InString::Outside).then(|| used - 1)
    })
}

/// Bytes of a block: one for each bit of a `u64`.
const BLOCK: usize = 64;

// === impl InString ===

impl InString {
    /// How many bytes belong to the string, its closing quote included.
    #[inline]
    pub(in crate::llm) fn skip(&mut self, bytes: &[u8]) -> usize {
        match near_end(bytes) {
            Some(end) if *self == Self::Plain => {
                *self = Self::Outside;
                end + 1
            }
            _ => self.skip_far(bytes),
        }
    }

    fn skip_far(&mut self, bytes: &[u8]) -> usize {
        let mut at = 0;
        while at < bytes.len() {
            if *self == Self::Plain {
                let Some(found) = memchr2(b'"', b'\\', &bytes[at..]) else {
                    return bytes.len();
                };
                at += found;
                if bytes[at] == b'"' {
                    *self = Self::Outside;
                    return at + 1;
                }
            }
            at += self.skip_blocks(&bytes[at..]);
            if *self == Self::Outside {
                return at;
            }
        }
        at
    }

    /// The same, until a block has no escape.
    fn skip_blocks(&mut self, bytes: &[u8]) -> usize {
        let (mut at, mut padded) = (0, [0; BLOCK]);
        while at < bytes.len() {
            let (block, length) = block(&bytes[at..], &mut padded);
            let backslashes = places(block, b'\\');
            let escaped = escaped(backslashes, *self == Self::Escape);
            let closing = places(block, b'"') & !escaped;
            if closing != 0 {
                *self = Self::Outside;
                return at + closing.trailing_zeros() as usize + 1;
            }
            let last = (backslashes & !escaped) >> (length - 1);
            *self = if last == 1 { Self::Escape } else { Self::Plain };
            at += length;
            if backslashes == 0 {
                return at;
            }
        }
        at
    }
}

/// The same, for a string that ends soon, as names do, without an escape: a look at so few bytes
/// is quicker than a search.
fn near_end(bytes: &[u8]) -> Option<usize> {
    let lane = u8x16::new(*bytes.first_chunk()?);
    let quotes = lane.simd_eq(u8x16::splat(b'"')).to_bitmask();
    let backslashes = lane.simd_eq(u8x16::splat(b'\\')).to_bitmask();
    let end = quotes.trailing_zeros();
    (end < backslashes.trailing_zeros()).then_some(end as usize)
}

/// The first block, and how long it is: zeros, which mean nothing, make up for what is missing.
fn block<'a>(bytes: &'a [u8], padded: &'a mut [u8; BLOCK]) -> (&'a [u8; BLOCK], usize) {
    if let Some(block) = bytes.first_chunk() {
        return (block, BLOCK);
    }
    padded[..bytes.len()].copy_from_slice(bytes);
    (padded, bytes.len())
}

/// Where in the block a byte stands: a bit for each place, the lowest for the first.
fn places(block: &[u8; BLOCK], wanted: u8) -> u64 {
    let wanted = u8x16::splat(wanted);
    let (lanes, _) = block.as_chunks();
    lanes.iter().zip((0..).step_by(16)).fold(0, |places, (lane, at)| {
        let equal = u8x16::new(*lane).simd_eq(wanted);
        places | u64::from(equal.to_bitmask()) << at
    })
}

/// Which places an odd number of backslashes stands before, if `first` says so of the first.
///
/// Runs of backslashes are told by where they begin, as in simdjson (Langdale and Lemire, "Parsing
/// Gigabytes of JSON per Second", 3.1.1): adding its beginning to a run that begins at an odd place
/// carries a bit to its end.
fn escaped(backslashes: u64, first: bool) -> u64 {
    const EVEN: u64 = u64::MAX / 3;
    let first = u64::from(first);
    let backslashes = backslashes & !first;
    let behind = backslashes << 1 | first;
    let odd_beginnings = backslashes & !EVEN & !behind;
    let even_runs = backslashes.wrapping_add(odd_beginnings);
    (EVEN ^ even_runs << 1) & behind
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Byte by byte.
    fn plainly(mut state: InString, bytes: &[u8]) -> (usize, InString) {
        for (at, byte) in bytes.iter().enumerate() {
            state = match (state, byte) {
                (InString::Plain, b'"') => return (at + 1, InString::Outside),
                (InString::Plain, b'\\') => InString::Escape,
                (_, _) => InString::Plain,
            };
        }
        (bytes.len(), state)
    }

    #[track_caller]
    fn check(bytes: &[u8]) {
        for begun in [InString::Plain, InString::Escape] {
            let mut state = begun;
            let used = state.skip(bytes);
            assert_eq!((used, state), plainly(begun, bytes), "{begun:?} {bytes:?}");
        }
        let end = match plainly(InString::Plain, bytes) {
            (used, InString::Outside) => Some(used - 1),
            (_, InString::Plain | InString::Escape) => None,
        };
        assert_eq!(end_of_string(bytes), end, "{bytes:?}");
    }

    /// Every text of seven letters, quotes and backslashes, at every place around a block's end.
    #[test]
    fn blocks_say_what_bytes_say() {
        for number in 0..3_usize.pow(7) {
            let digit = |place: u32| number / 3_usize.pow(place) % 3;
            let text: Vec<u8> = (0..7).map(|place| b"a\"\\"[digit(place)]).collect();
            check(&text);
            check(&[&text[..], &[b'a'; 16]].concat());
            for before in BLOCK - 8..=BLOCK {
                let escape = b"\\n".iter().copied();
                let padding = std::iter::repeat_n(b'a', before - 2);
                check(&escape.chain(padding).chain(text.iter().copied()).collect::<Vec<u8>>());
            }
        }
    }

    #[test]
    fn runs_of_backslashes_of_every_length() {
        for length in 0..3 * BLOCK {
            let run = vec![b'\\'; length];
            check(&run);
            check(&[&run[..], b"\"tail"].concat());
            check(&[b"a", &run[..], b"\"tail\""].concat());
        }
    }
}
