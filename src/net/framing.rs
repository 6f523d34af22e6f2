//! HTTP/1.1 framing, watched on its way into hyper, which reads some of it more kindly than two
//! servers in a row can afford (FAULTS 1, 4, 5).
//!
//! What is refused here: a line of a head, a chunk or a trailer that ends in LF alone; white space
//! behind a chunk's size; `content-length` beside `transfer-encoding`; any transfer coding but
//! `chunked`, said once, because nobody here decodes another. Such a line's LF becomes a NUL, which
//! hyper answers with its own 400, and nobody else has to know how; nothing more is read then.
//! Everything else that is wrong, hyper refuses by itself.
//!
//! Invariants: a byte is changed only where hyper would otherwise go on, at most one a connection;
//! bodies are skipped, not read; memory is constant. Does not know what a request asks for.

use memchr::memchr;

/// The watcher of one connection's requests.
#[derive(Debug, Default)]
pub struct Framing {
    at: At,
    /// What has come of a line whose end has not, as far as it matters.
    begun: Vec<u8>,
    /// Was the last byte of such a line a CR?
    after_cr: bool,
    body: Declared,
}

/// What comes next.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum At {
    /// A request line, or the empty lines that may stand before it.
    #[default]
    Start,
    Header,
    /// So much of a body or of a chunk.
    Data(u64, Then),
    /// The size of a chunk, with its extensions.
    Size,
    /// The empty line behind a chunk.
    ChunkEnd,
    Trailer,
    /// Nothing more is looked at: hyper will close.
    Spoilt,
}

/// What comes behind data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Then {
    Start,
    ChunkEnd,
}

/// What a head says of its body.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Declared {
    #[default]
    Nothing,
    Length(u64),
    Chunked,
}

/// This line must not be taken.
struct Refused;

/// Longer than any line that frames a body may be, extensions not counted; of others only the end
/// matters.
const KEPT: usize = 256;

// === impl Framing ===

impl Framing {
    /// Looks at the next bytes of the connection, and spoils them where they must be refused.
    pub fn check(&mut self, mut bytes: &mut [u8]) {
        while !bytes.is_empty() && self.at != At::Spoilt {
            let used = match self.at {
                At::Data(left, then) => self.skip(left, then, bytes.len()),
                _ => self.line(bytes),
            };
            bytes = &mut bytes[used..];
        }
    }

    /// Has a byte been spoilt? Then it was the last one worth looking at.
    pub fn has_refused(&self) -> bool {
        self.at == At::Spoilt
    }

    fn skip(&mut self, left: u64, then: Then, there: usize) -> usize {
        let used = usize::try_from(left).unwrap_or(usize::MAX).min(there);
        self.at = match (left - used as u64, then) {
            (0, Then::Start) => At::Start,
            (0, Then::ChunkEnd) => At::ChunkEnd,
            (left, then) => At::Data(left, then),
        };
        used
    }

    /// Takes a line, or as much of it as there is.
    fn line(&mut self, bytes: &mut [u8]) -> usize {
        let Some(end) = memchr(b'\n', bytes) else {
            self.keep(bytes);
            return bytes.len();
        };
        let (line, after_cr) = match self.begun.is_empty() && !self.after_cr {
            true => (&bytes[..end.saturating_sub(1)], bytes[..end].ends_with(b"\r")),
            false => {
                self.keep(&bytes[..end]);
                (&self.begun[..], self.after_cr)
            }
        };
        let next = match after_cr {
            true => next(self.at, &mut self.body, line),
            false => Err(Refused),
        };
        self.at = next.unwrap_or_else(|Refused| {
            bytes[end] = 0;
            At::Spoilt
        });
        self.begun.clear();
        self.after_cr = false;
        end + 1
    }

    /// Remembers the beginning of a line, without the CR of its end.
    fn keep(&mut self, bytes: &[u8]) {
        let Some((last, before)) = bytes.split_last() else { return };
        let late_cr = std::mem::replace(&mut self.after_cr, *last == b'\r').then_some(b'\r');
        let last = (*last != b'\r').then_some(*last);
        let more = late_cr.into_iter().chain(before.iter().copied()).chain(last);
        self.begun.extend(more.take(KEPT - self.begun.len()));
    }
}

/// What comes behind a line.
fn next(at: At, body: &mut Declared, line: &[u8]) -> Result<At, Refused> {
    match (at, line) {
        (At::Start, []) => Ok(At::Start),
        (At::Start, _) => Ok(At::Header),
        (At::Header, []) => Ok(match std::mem::take(body) {
            Declared::Nothing | Declared::Length(0) => At::Start,
            Declared::Length(length) => At::Data(length, Then::Start),
            Declared::Chunked => At::Size,
        }),
        (At::Header, line) => {
            *body = declared(*body, line)?;
            Ok(At::Header)
        }
        (At::Size, line) => match size(line)? {
            0 => Ok(At::Trailer),
            size => Ok(At::Data(size, Then::ChunkEnd)),
        },
        (At::ChunkEnd, []) => Ok(At::Size),
        (At::ChunkEnd, _) => Err(Refused),
        (At::Trailer, []) => Ok(At::Start),
        (At::Trailer, _) => Ok(At::Trailer),
        (At::Data(..) | At::Spoilt, _) => Ok(at),
    }
}

fn declared(so_far: Declared, line: &[u8]) -> Result<Declared, Refused> {
    let is = |name: &[u8]| {
        let (have, colon) = (line.get(..name.len()), line.get(name.len()));
        colon == Some(&b':') && have.is_some_and(|have| have.eq_ignore_ascii_case(name))
    };
    match line.first() {
        Some(b'c' | b'C') if is(b"content-length") => {
            if line.len() >= KEPT {
                return Err(Refused);
            }
            let value = line.get(b"content-length:".len()..).unwrap_or_default().trim_ascii();
            match (number(value, 10).ok_or(Refused)?, so_far) {
                (length, Declared::Nothing) => Ok(Declared::Length(length)),
                (length, Declared::Length(before)) if length == before => Ok(so_far),
                (_, Declared::Length(_) | Declared::Chunked) => Err(Refused),
            }
        }
        Some(b't' | b'T') if is(b"transfer-encoding") => {
            let value = line.get(b"transfer-encoding:".len()..).unwrap_or_default().trim_ascii();
            let plain = so_far == Declared::Nothing && value.eq_ignore_ascii_case(b"chunked");
            plain.then_some(Declared::Chunked).ok_or(Refused)
        }
        _ => Ok(so_far),
    }
}

fn size(line: &[u8]) -> Result<u64, Refused> {
    let end = memchr(b';', line).unwrap_or(line.len());
    let digits = line.get(..end).filter(|digits| digits.len() < KEPT).ok_or(Refused)?;
    number(digits, 16).ok_or(Refused)
}

/// The value of digits and nothing else: no sign, no white space, no more than 64 bits. `base` is
/// at most 36.
pub fn number(digits: &[u8], base: u32) -> Option<u64> {
    let mut digits = digits.iter().map(|digit| char::from(*digit).to_digit(base));
    let first = digits.next().flatten().map(u64::from);
    let more = |number: u64, digit: Option<u32>| {
        number.checked_mul(base.into())?.checked_add(digit?.into())
    };
    digits.try_fold(first?, more)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where these bytes are spoilt, however they are cut.
    #[track_caller]
    fn check(request: &str, spoilt: Option<usize>) {
        for size in 1..=request.len() {
            let mut framing = Framing::default();
            let mut bytes = request.as_bytes().to_vec();
            bytes.chunks_mut(size).for_each(|chunk| framing.check(chunk));
            let changed: Vec<usize> =
                (0..bytes.len()).filter(|at| bytes[*at] != request.as_bytes()[*at]).collect();
            assert_eq!(changed, spoilt.into_iter().collect::<Vec<_>>(), "{request:?} by {size}");
            assert!(framing.begun.capacity() <= 2 * KEPT);
        }
    }

    /// Spoilt at the last byte.
    #[track_caller]
    fn refused(request: &str) {
        check(request, Some(request.len() - 1));
        check(&format!("{request}more\n\r\n\r\n"), Some(request.len() - 1));
    }

    #[test]
    fn what_is_right_passes() {
        let get = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";
        let post = "\r\nPOST / HTTP/1.1\r\nContent-LENGTH:\t 5 \r\nx:\r\n\r\na\nb\n\n";
        let chunked = "PUT / HTTP/1.1\r\ntransfer-encoding:Chunked \r\n\r\n\
                       3\r\n\n\n\n\r\nA;b=\"c\"\r\n0123456789\r\n00\r\nx-late: 1\r\n\r\n";
        let twice = "POST / HTTP/1.1\r\ncontent-length: 1\r\ncontent-length: 01\r\nTe: x\r\n\r\n\n";
        let empty = "POST / HTTP/1.1\r\ncontent-length: 0\r\n\r\n";
        for one in [get, post, chunked, twice, empty] {
            check(one, None);
            check(&[one, chunked, post, get].concat(), None);
            check(&[one, empty, "GET / HTTP/1.1\n"].concat(), Some(one.len() + empty.len() + 14));
        }
        let long = format!("GET / HTTP/1.1\r\nx: {}\r\n\r\nP / HTTP/1.1\n", "x".repeat(3 * KEPT));
        check(&long, Some(long.len() - 1));
    }

    #[test]
    fn a_bare_line_feed_ends_no_line() {
        for head in ["\n", "GET / HTTP/1.1\n", "GET / HTTP/1.1\r\na: b\n", "G / H\r\na: b\r\n\n"] {
            refused(head);
        }
        let chunked = "PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
        for body in ["3\n", "3\r\nabc\n", "3\r\nabcd\r\n", "0\r\n\n", "0\r\nx: 1\n", "3;x\n"] {
            refused(&[chunked, body].concat());
        }
    }

    #[test]
    fn sizes_and_lengths_are_digits() {
        let chunked = "PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
        for size in ["3 ", "3\t;x", " 3", "+3", "-3", "0x3", "3_0", "", "g", "10000000000000000"] {
            refused(&format!("{chunked}{size}\r\n"));
        }
        let long = "0".repeat(KEPT);
        for line in
            [format!("{chunked}{long}\r\n"), format!("P / HTTP/1.1\r\ncontent-length: {long}\r\n")]
        {
            refused(&line);
        }
        check(&format!("{chunked}3;{long}\r\nabc\r\n0\r\n\r\n"), None);
        for length in ["+1", "0x1", "-1", "1_0", "", "a", "1 1", "1,1", "18446744073709551616"] {
            refused(&format!("POST / HTTP/1.1\r\ncontent-length: {length}\r\n"));
        }
    }

    #[test]
    fn two_framings_are_none() {
        let length = "content-length: 5\r\n";
        let coded = "Transfer-encoding: chunked\r\n";
        refused(&format!("POST / HTTP/1.1\r\n{length}{coded}"));
        refused(&format!("POST / HTTP/1.1\r\n{coded}host: a\r\n{length}"));
        refused(&format!("POST / HTTP/1.1\r\n{length}content-length: 6\r\n"));
        refused(&format!("POST / HTTP/1.1\r\n{coded}{coded}"));
        for coding in ["", "identity", "xchunked", ",chunked", "chunked,", "chunked, gzip", "gzip"]
        {
            refused(&format!("POST / HTTP/1.1\r\ntransfer-encoding: {coding}\r\n"));
        }
    }
}
