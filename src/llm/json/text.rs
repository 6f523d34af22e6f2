//! The inside of a JSON string: what its escapes stand for.

use std::borrow::Cow;
use std::ops::Range;

use memchr::memchr;

/// Why the bytes between two quotes are no text, and at which of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::llm) enum TextError {
    /// An unknown or unfinished escape, or a control byte that should be one.
    Syntax(usize),
    /// A lone surrogate, or bytes that are not UTF-8.
    NotUnicode(usize),
}

/// The text that these bytes stand for.
pub(super) fn decode(raw: &[u8]) -> Result<Cow<'_, str>, TextError> {
    let Some(mut escape) = memchr(b'\\', raw) else {
        return plain(raw, 0..raw.len()).map(Cow::Borrowed);
    };
    let mut text = String::with_capacity(raw.len());
    let mut at = 0;
    loop {
        text.push_str(plain(raw, at..escape)?);
        if escape == raw.len() {
            return Ok(Cow::Owned(text));
        }
        let (character, width) = unescape(&raw[escape..]).map_err(|error| error.behind(escape))?;
        text.push(character);
        at = escape + width;
        escape = memchr(b'\\', &raw[at..]).map_or(raw.len(), |found| at + found);
    }
}

// === impl TextError ===

impl TextError {
    fn behind(self, start: usize) -> Self {
        match self {
            Self::Syntax(at) => Self::Syntax(start + at),
            Self::NotUnicode(at) => Self::NotUnicode(start + at),
        }
    }
}

/// A stretch without escapes.
fn plain(raw: &[u8], span: Range<usize>) -> Result<&str, TextError> {
    let start = span.start;
    let stretch = &raw[span];
    if let Some(at) = stretch.iter().position(|byte| *byte < b' ') {
        return Err(TextError::Syntax(start + at));
    }
    str::from_utf8(stretch).map_err(|error| TextError::NotUnicode(start + error.valid_up_to()))
}

/// The character of the escape that `raw` begins with, and how many bytes it takes.
///
/// # Errors
/// [`TextError::Syntax`]: no escape; [`TextError::NotUnicode`]: half of a character, of six bytes,
/// whose other half does not follow.
#[inline]
pub(in crate::llm) fn unescape(raw: &[u8]) -> Result<(char, usize), TextError> {
    let character = match raw.get(1) {
        Some(byte @ (b'"' | b'\\' | b'/')) => char::from(*byte),
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{c}',
        Some(b'n') => '\n',
        Some(b'r') => '\r',
        Some(b't') => '\t',
        Some(b'u') => return unescape_unicode(raw),
        _ => return Err(TextError::Syntax(0)),
    };
    Ok((character, 2))
}

/// `\uXXXX`, or two of them for a character beyond the basic plane.
fn unescape_unicode(raw: &[u8]) -> Result<(char, usize), TextError> {
    let unit = code_unit(raw).ok_or(TextError::Syntax(0))?;
    let units = [Some(unit), raw.get(6..).and_then(code_unit)];
    match char::decode_utf16(units.into_iter().flatten()).next() {
        Some(Ok(character)) => Ok((character, 6 * character.len_utf16())),
        _ => Err(TextError::NotUnicode(0)),
    }
}

fn code_unit(raw: &[u8]) -> Option<u16> {
    let digits = raw.strip_prefix(b"\\u")?.get(..4)?;
    digits.iter().try_fold(0, |unit, digit| {
        let value = char::from(*digit).to_digit(16)?;
        Some(unit << 4 | u16::try_from(value).ok()?)
    })
}
