//! One look at every byte of a document.

use super::text::{Escape, escape, plain};
use super::{DEEPEST, Mark, What};
use Fault::NoJson;

/// What letters there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Letters {
    Whole,
    /// Halves of some: surrogates without their second.
    Halves,
}

/// Why a document cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    NoJson,
    TooDeep,
    /// It has more than [`MOST`] values, or places that no mark can name.
    TooMuch,
}

/// So many marks are 16 MiB. A conversation has some ten a message; a list of single digits, which
/// nobody needs, would take eight times its own bytes.
pub(super) const MOST: usize = 1 << 20;

/// Marks the values of a document.
///
/// # Errors
/// [`Fault`].
pub(super) fn scan(bytes: &[u8], marks: &mut Vec<Mark>) -> Result<Letters, Fault> {
    if u32::try_from(bytes.len()).is_err() {
        return Err(Fault::TooMuch);
    }
    let mut scanner = Scanner { bytes, at: 0, letters: Letters::Whole, marks };
    scanner.value(DEEPEST)?;
    scanner.blanks();
    if scanner.at == bytes.len() { Ok(scanner.letters) } else { Err(NoJson) }
}

struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
    letters: Letters,
    marks: &'a mut Vec<Mark>,
}

// === impl Scanner ===

impl Scanner<'_> {
    /// A value, in which others may stand so deep.
    fn value(&mut self, deepest: usize) -> Result<(), Fault> {
        self.blanks();
        let (start, mark) = (self.at, self.marks.len());
        if mark >= MOST {
            return Err(Fault::TooMuch);
        }
        match self.peek() {
            Some(b'"') => return self.text(),
            Some(b'{' | b'[') if deepest == 0 => return Err(Fault::TooDeep),
            Some(b'{') => {
                self.mark(start, What::Object);
                self.object(deepest - 1)?;
            }
            Some(b'[') => {
                self.mark(start, What::List);
                self.list(deepest - 1)?;
            }
            Some(first) => {
                let what = self.scalar(first)?;
                self.mark(start, what);
                return Ok(());
            }
            None => return Err(NoJson),
        }
        let next = self.marks.len() as u32;
        if let Some(mark) = self.marks.get_mut(mark) {
            (mark.end, mark.next) = (self.at as u32, next);
        }
        Ok(())
    }

    fn object(&mut self, deepest: usize) -> Result<(), Fault> {
        self.at += 1;
        self.blanks();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(());
        }
        loop {
            self.blanks();
            if self.peek() != Some(b'"') {
                return Err(NoJson);
            }
            self.text()?;
            self.blanks();
            if self.peek() != Some(b':') {
                return Err(NoJson);
            }
            self.at += 1;
            self.value(deepest)?;
            if self.is_last(b'}')? {
                return Ok(());
            }
        }
    }

    fn list(&mut self, deepest: usize) -> Result<(), Fault> {
        self.at += 1;
        self.blanks();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(());
        }
        loop {
            self.value(deepest)?;
            if self.is_last(b']')? {
                return Ok(());
            }
        }
    }

    /// Behind a value within something that such a bracket closes.
    fn is_last(&mut self, close: u8) -> Result<bool, Fault> {
        self.blanks();
        let byte = self.peek().filter(|byte| *byte == b',' || *byte == close).ok_or(NoJson)?;
        self.at += 1;
        Ok(byte == close)
    }

    fn text(&mut self) -> Result<(), Fault> {
        let (start, mut what) = (self.at, What::Text);
        self.at += 1;
        loop {
            let rest = self.bytes.get(self.at..).unwrap_or_default();
            let length = plain(rest);
            self.at += length;
            match rest.get(length) {
                Some(b'"') => break,
                Some(b'\\') => {
                    what = What::Escaped;
                    self.escape(rest.get(length..).unwrap_or_default())?;
                }
                Some(_) | None => return Err(NoJson),
            }
        }
        self.at += 1;
        self.mark(start, what);
        Ok(())
    }

    fn escape(&mut self, rest: &[u8]) -> Result<(), Fault> {
        self.at += match escape(rest).ok_or(NoJson)? {
            Escape::Letter(length) => length,
            Escape::Half(length) => {
                self.letters = Letters::Halves;
                length
            }
        };
        Ok(())
    }

    fn scalar(&mut self, first: u8) -> Result<What, Fault> {
        match first {
            b'n' => self.word(b"null", What::Null),
            b't' => self.word(b"true", What::Flag),
            b'f' => self.word(b"false", What::Flag),
            b'-' | b'0'..=b'9' => self.number(),
            _ => Err(NoJson),
        }
    }

    fn word(&mut self, word: &[u8], what: What) -> Result<What, Fault> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        self.at += word.len();
        if rest.starts_with(word) { Ok(what) } else { Err(NoJson) }
    }

    fn number(&mut self) -> Result<What, Fault> {
        self.at += usize::from(self.peek() == Some(b'-'));
        match self.peek() {
            Some(b'0') => self.at += 1,
            _ => self.digits()?,
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            self.at += usize::from(matches!(self.peek(), Some(b'+' | b'-')));
            self.digits()?;
        }
        Ok(What::Number)
    }

    /// One at least.
    fn digits(&mut self) -> Result<(), Fault> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let length = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.at += length;
        if length > 0 { Ok(()) } else { Err(NoJson) }
    }

    fn blanks(&mut self) {
        while let Some(b' ' | b'\n' | b'\t' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// Marks what began there, and ends here if nothing stands in it.
    fn mark(&mut self, start: usize, what: What) {
        let next = self.marks.len() as u32 + 1;
        self.marks.push(Mark { start: start as u32, end: self.at as u32, next, what });
    }
}
