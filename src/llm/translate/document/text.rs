//! The texts of a document: how far they reach, and what they say.

use crate::llm::json::text::{TextError, unescape};

/// How many bytes come before the first that is not just itself within a text: a quote, a
/// backslash, a control character. Texts with many of them are read and written in short runs.
#[inline]
pub(in crate::llm::translate) fn plain(bytes: &[u8]) -> usize {
    let mut at = 0;
    while let Some(few) = bytes.get(at..).and_then(<[u8]>::first_chunk::<8>) {
        match first_special(u64::from_le_bytes(*few)) {
            8 => at += few.len(),
            length => return at + length,
        }
        while let Some(many) = bytes.get(at..).and_then(<[u8]>::first_chunk::<16>)
            && !has_special(many)
        {
            at += many.len();
        }
    }
    let rest = bytes.get(at..).unwrap_or_default();
    at + rest.iter().take_while(|byte| !is_special(**byte)).count()
}

/// An escape, by its length.
pub(super) enum Escape {
    /// It is a letter.
    Letter(usize),
    /// It is half of a letter, and the other half does not follow it.
    Half(usize),
}

/// The escape that `text` begins with; `None` if it is none.
pub(super) fn escape(text: &[u8]) -> Option<Escape> {
    match unescape(text) {
        Ok((_, length)) => Some(Escape::Letter(length)),
        Err(TextError::NotUnicode(_)) => Some(Escape::Half(6)),
        Err(TextError::Syntax(_)) => None,
    }
}

/// What a text says that stands there `written` with escapes, without its quotes. `None`: half of
/// a letter stands alone in it.
pub(super) fn read(written: &str) -> Option<String> {
    let mut said = Vec::with_capacity(written.len());
    let mut rest = written.as_bytes();
    loop {
        let (before, behind) = rest.split_at(plain(rest));
        said.extend_from_slice(before);
        if behind.is_empty() {
            return String::from_utf8(said).ok();
        }
        let (letter, length) = unescape(behind).ok()?;
        said.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
        rest = behind.get(length..)?;
    }
}

const fn is_special(byte: u8) -> bool {
    (byte < b' ') | (byte == b'"') | (byte == b'\\')
}

/// Without a branch, so that all are compared at once.
fn has_special(bytes: &[u8; 16]) -> bool {
    bytes.iter().fold(0, |any, byte| any | u8::from(is_special(*byte))) != 0
}

/// Where among eight bytes, of which the first is the lowest, the first special one stands; 8 if
/// there is none.
const fn first_special(bytes: u64) -> usize {
    const ONES: u64 = u64::MAX / 255;
    const HIGH: u64 = ONES << 7;
    // A borrow may mark bytes behind a special one, never before the first.
    let quotes = bytes ^ (ONES * b'"' as u64);
    let backslashes = bytes ^ (ONES * b'\\' as u64);
    let control = bytes.wrapping_sub(ONES * b' ' as u64) & !bytes;
    let quote = quotes.wrapping_sub(ONES) & !quotes;
    let backslash = backslashes.wrapping_sub(ONES) & !backslashes;
    ((control | quote | backslash) & HIGH).trailing_zeros() as usize / 8
}
