//! Walks the members of one JSON object, chunk by chunk: strict on the object's own grammar, while
//! nested values are skipped by brackets and strings alone.
//!
//! Invariants: the result does not depend on where chunks are cut; depth is a counter, so that no
//! nesting overflows a stack (FAULTS 21); memory is bounded by what the [`Visit`]or wants to read.
//! Does not know which members matter.

use std::borrow::Cow;
use std::ops::Range;

use super::JsonFault;
use super::skip::{CLASS, Class, InString, white_space};
use super::text::{self, TextError};

/// Who reads the members.
pub(super) trait Visit {
    /// A member begins. How many bytes of its value are wanted? A value that is longer than that
    /// comes without its text.
    fn key(&mut self, key: &[u8]) -> Result<usize, JsonFault>;

    /// The value of the member that was wanted last is whole.
    fn value(&mut self, value: Value<'_>) -> Result<(), JsonFault>;
}

/// A value that was wanted.
#[derive(Debug)]
pub(super) struct Value<'a> {
    pub(super) span: Range<usize>,
    /// The value's first byte, which tells its type.
    pub(super) first: u8,
    /// Its bytes as they stand, unless they are more than wanted.
    pub(super) text: Option<&'a [u8]>,
}

/// How the object ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// Nothing but white space.
    Blank,
    /// An object without members; the offset behind its brace.
    Empty(usize),
    /// An object; the offset behind its opening brace.
    Filled(usize),
}

#[derive(Debug)]
pub(super) struct Members<V> {
    visitor: V,
    state: State,
    /// Of the next byte.
    offset: usize,
    /// Brackets open within the value.
    depth: u64,
    string: InString,
    /// The offset of the value, and its first byte.
    value: (usize, u8),
    /// The offset behind the opening brace.
    inside: usize,
    capture: Capture,
    fault: Option<JsonFault>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Before the brace, and this many bytes into a byte order mark.
    Bom(usize),
    Start,
    FirstKey,
    Key,
    NextKey,
    Colon,
    BeforeValue,
    Text,
    Nested,
    Number,
    /// What must still come of `true`, `false`, `null`.
    Literal(&'static [u8]),
    AfterValue,
    /// Behind the closing brace; did any member stand in it?
    Done(Contents),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Contents {
    Empty,
    Filled,
}

/// The bytes of the key or value at hand.
#[derive(Debug)]
struct Capture {
    bytes: Vec<u8>,
    /// How many are wanted; zero means none are kept.
    limit: usize,
    /// How many there were.
    seen: usize,
}

/// The longest key that a visitor knows is `stream_options`: each of its 14 characters may be
/// written as `\u0000`, and a quote ends it.
const KEY_LIMIT: usize = 14 * 6 + 1;

const BOM: &[u8] = b"\xef\xbb\xbf";

// === impl Members ===

impl<V: Visit> Members<V> {
    pub(super) fn new(visitor: V) -> Self {
        Self {
            visitor,
            state: State::Bom(0),
            offset: 0,
            depth: 0,
            string: InString::Outside,
            value: (0, 0),
            inside: 0,
            capture: Capture { bytes: Vec::new(), limit: 0, seen: 0 },
            fault: None,
        }
    }

    /// Reads on. A fault is kept, and everything behind it is not looked at.
    pub(super) fn feed(&mut self, chunk: &[u8]) {
        if self.fault.is_none() {
            self.fault = self.walk(chunk).err();
        }
    }

    fn walk(&mut self, chunk: &[u8]) -> Result<(), JsonFault> {
        let mut rest = chunk;
        while !rest.is_empty() {
            let used = self.step(rest)?;
            self.offset += used;
            rest = &rest[used..];
        }
        Ok(())
    }

    /// How it ended, once everything is fed.
    pub(super) fn finish(self) -> Result<(V, Shape), JsonFault> {
        if let Some(fault) = self.fault {
            return Err(fault);
        }
        let shape = match self.state {
            State::Bom(0 | 3) | State::Start => Shape::Blank,
            State::Done(Contents::Empty) => Shape::Empty(self.inside),
            State::Done(Contents::Filled) => Shape::Filled(self.inside),
            _ => return Err(JsonFault::NotAnObject),
        };
        Ok((self.visitor, shape))
    }

    /// Consumes at least one byte, or goes on to another state that will.
    fn step(&mut self, bytes: &[u8]) -> Result<usize, JsonFault> {
        match self.state {
            State::Bom(seen) => self.byte_order_mark(seen, bytes[0]),
            State::Text => self.text(bytes),
            State::Nested => self.nested(bytes),
            State::Number => self.number(bytes),
            State::Literal(expected) => self.literal(expected, bytes),
            State::Key => self.key(bytes),
            _ => match white_space(bytes) {
                0 => self.token(bytes[0]),
                used => Ok(used),
            },
        }
    }

    /// One byte that is no white space, between keys and values.
    fn token(&mut self, byte: u8) -> Result<usize, JsonFault> {
        self.state = match (self.state, byte) {
            (State::Start, b'{') => {
                self.inside = self.offset + 1;
                State::FirstKey
            }
            (State::Start, _) => return Err(JsonFault::NotAnObject),
            (State::FirstKey, b'}') => State::Done(Contents::Empty),
            (State::FirstKey | State::NextKey, b'"') => {
                self.string = InString::Plain;
                self.capture.begin(KEY_LIMIT);
                State::Key
            }
            (State::Colon, b':') => State::BeforeValue,
            (State::BeforeValue, _) => return self.begin_value(byte),
            (State::AfterValue, b',') => State::NextKey,
            (State::AfterValue, b'}') => State::Done(Contents::Filled),
            _ => return Err(self.syntax()),
        };
        Ok(1)
    }

    fn byte_order_mark(&mut self, seen: usize, byte: u8) -> Result<usize, JsonFault> {
        let expected = BOM.get(seen);
        let used = usize::from(expected == Some(&byte));
        self.state = match (seen, used) {
            (1 | 2, 0) => return Err(JsonFault::NotAnObject),
            (_, 0) => State::Start,
            _ => State::Bom(seen + 1),
        };
        Ok(used)
    }

    fn key(&mut self, bytes: &[u8]) -> Result<usize, JsonFault> {
        let used = self.string.skip(bytes);
        if self.string != InString::Outside {
            self.capture.add(&bytes[..used]);
            return Ok(used);
        }
        let start = self.offset - self.capture.seen;
        let key = match self.capture.complete(&bytes[..used]) {
            Some([raw @ .., _quote]) => known_key(raw, start)?,
            _ => Cow::Borrowed(&[][..]),
        };
        let wanted = self.visitor.key(&key)?;
        self.capture.begin(wanted);
        self.state = State::Colon;
        Ok(used)
    }

    /// Leaves the byte to the state that reads such values.
    fn begin_value(&mut self, byte: u8) -> Result<usize, JsonFault> {
        self.value = (self.offset, byte);
        self.state = match byte {
            b'"' => State::Text,
            b'{' | b'[' => State::Nested,
            b'-' | b'0'..=b'9' => State::Number,
            b't' => State::Literal(b"true"),
            b'f' => State::Literal(b"false"),
            b'n' => State::Literal(b"null"),
            _ => return Err(self.syntax()),
        };
        Ok(0)
    }

    fn text(&mut self, bytes: &[u8]) -> Result<usize, JsonFault> {
        let opening = usize::from(self.string == InString::Outside);
        if opening == 1 {
            self.string = InString::Plain;
        }
        let used = opening + self.string.skip(&bytes[opening..]);
        let closed = self.string == InString::Outside;
        self.advance(&bytes[..used], Progress::whole_if(closed))
    }

    fn nested(&mut self, bytes: &[u8]) -> Result<usize, JsonFault> {
        let mut used = 0;
        if self.string != InString::Outside {
            used = self.string.skip(bytes);
        }
        while let Some(byte) = bytes.get(used) {
            used += 1;
            match CLASS[usize::from(*byte)] {
                Class::Plain => {}
                Class::Quote => {
                    self.string = InString::Plain;
                    used += self.string.skip(&bytes[used..]);
                }
                Class::Open => self.depth += 1,
                Class::Close => {
                    self.depth -= 1;
                    if self.depth == 0 {
                        return self.advance(&bytes[..used], Progress::Whole);
                    }
                }
            }
        }
        self.advance(&bytes[..used], Progress::Part)
    }

    /// Digits, signs and all in whatever order: the value is passed on as it is spelt.
    fn number(&mut self, bytes: &[u8]) -> Result<usize, JsonFault> {
        let is_number = |byte: &u8| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E');
        let used = bytes.iter().take_while(|byte| is_number(byte)).count();
        self.advance(&bytes[..used], Progress::whole_if(used < bytes.len()))
    }

    fn literal(&mut self, expected: &'static [u8], bytes: &[u8]) -> Result<usize, JsonFault> {
        let used =
            expected.iter().zip(bytes).take_while(|(expected, byte)| expected == byte).count();
        let missing = &expected[used..];
        if used < bytes.len() && !missing.is_empty() {
            return Err(JsonFault::Syntax(self.offset + used));
        }
        self.state = State::Literal(missing);
        self.advance(&bytes[..used], Progress::whole_if(missing.is_empty()))
    }
}

impl<V: Visit> Members<V> {
    /// Takes note of the next bytes of the value, the last ones if it is whole.
    fn advance(&mut self, bytes: &[u8], progress: Progress) -> Result<usize, JsonFault> {
        match progress {
            Progress::Part => self.capture.add(bytes),
            Progress::Whole => {
                self.state = State::AfterValue;
                self.tell(bytes)?;
            }
        }
        Ok(bytes.len())
    }

    fn tell(&mut self, last: &[u8]) -> Result<(), JsonFault> {
        if self.capture.limit == 0 {
            return Ok(());
        }
        let (start, first) = self.value;
        let span = start..self.offset + last.len();
        self.visitor.value(Value { span, first, text: self.capture.complete(last) })
    }

    fn syntax(&self) -> JsonFault {
        JsonFault::Syntax(self.offset)
    }
}

// === impl Capture ===

impl Capture {
    fn begin(&mut self, limit: usize) {
        self.bytes.clear();
        self.limit = limit;
        self.seen = 0;
    }

    fn add(&mut self, bytes: &[u8]) {
        self.seen += bytes.len();
        if self.seen <= self.limit {
            self.bytes.extend_from_slice(bytes);
        }
    }

    /// All of it, with these last bytes, which are not copied if there are no others.
    fn complete<'a>(&'a mut self, last: &'a [u8]) -> Option<&'a [u8]> {
        let copied = self.seen > 0;
        if copied {
            self.add(last);
        }
        let whole = if copied { &self.bytes } else { last };
        (self.seen.max(last.len()) <= self.limit).then_some(whole)
    }
}

/// What a key stands for, or nothing if it is one that nobody can be looking for.
fn known_key(raw: &[u8], start: usize) -> Result<Cow<'_, [u8]>, JsonFault> {
    if raw.iter().all(|byte| *byte >= b' ' && *byte != b'\\') {
        return Ok(Cow::Borrowed(raw));
    }
    match text::decode(raw) {
        Ok(key) => Ok(Cow::Owned(key.into_owned().into())),
        Err(TextError::Syntax(at)) => Err(JsonFault::Syntax(start + at)),
        Err(TextError::NotUnicode(_)) => Ok(Cow::Borrowed(&[])),
    }
}

/// Is the value at hand whole, or does it go on?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Progress {
    Part,
    Whole,
}

impl Progress {
    const fn whole_if(condition: bool) -> Self {
        if condition { Self::Whole } else { Self::Part }
    }
}
