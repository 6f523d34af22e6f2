//! Strings and scalars of a JSON text that arrives in pieces: where they end, how they begin.

use memchr::memchr2;

/// The beginning of a string or scalar; none of those that are read is longer.
#[derive(Debug)]
pub(super) struct Text {
    bytes: [u8; TEXT],
    length: u8,
}

/// How far a string goes on in the bytes at hand.
#[derive(Clone, Copy)]
pub(super) enum Skip {
    /// Its quote is the last of so many bytes.
    Closed(usize),
    /// Beyond them; was the last one a backslash that escapes the next?
    Open { escaped: bool },
}

/// Did a backslash stand before the bytes at hand, so that it escapes the first of them?
#[derive(Clone, Copy)]
pub(super) struct Escaped(pub(super) bool);

/// Looks for the end of a string of which `rest` goes on.
pub(super) fn skip_string(rest: &[u8], Escaped(escaped): Escaped) -> Skip {
    let mut at = usize::from(escaped);
    while let Some(length) = rest.get(at..).and_then(|rest| memchr2(b'"', b'\\', rest)) {
        if rest[at + length] == b'"' {
            return Skip::Closed(at + length + 1);
        }
        at += length + 2;
    }
    Skip::Open { escaped: at > rest.len() }
}

// === impl Text ===

impl Default for Text {
    fn default() -> Self {
        Self { bytes: [0; TEXT], length: 0 }
    }
}

impl Text {
    pub(super) fn clear(&mut self) {
        self.length = 0;
    }

    pub(super) fn push(&mut self, more: &[u8]) {
        let start = usize::from(self.length);
        let end = TEXT.min(start + more.len());
        self.bytes[start..end].copy_from_slice(&more[..end - start]);
        self.length = end as u8;
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }

    pub(super) fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// The value of digits alone: no sign, fraction or exponent.
    pub(super) fn unsigned(&self) -> Option<u64> {
        let digits = Some(self.bytes()).filter(|text| text.iter().all(u8::is_ascii_digit))?;
        std::str::from_utf8(digits).ok()?.parse().ok()
    }
}

// === impl Skip ===

impl Skip {
    pub(super) fn length(self, rest: &[u8]) -> usize {
        match self {
            Self::Closed(length) => length,
            Self::Open { .. } => rest.len(),
        }
    }
}

// === private parts ===

const TEXT: usize = 62;
