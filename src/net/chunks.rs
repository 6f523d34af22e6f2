//! The chunked coding of HTTP/1.1 (RFC 9112, 7.1), for what passes without hyper: read from any
//! split of its bytes, and written.
//!
//! What is read is what hyper reads: white space behind a size passes, extensions and trailers are
//! skipped, within limits. Whatever else is wrong is an error, at the byte that is. Memory is
//! constant. Does not know what the data is.

use thiserror::Error;

/// The last chunk, without trailers.
pub const LAST: &[u8] = b"0\r\n\r\n";
/// A size of 64 bits and two line ends: the most that stands around a chunk's data.
pub const AROUND: usize = 20;

/// The reader of one body.
#[derive(Debug, Default)]
pub struct Chunks {
    at: At,
    /// What is still to come of a chunk.
    left: u64,
    /// So many bytes of extensions, or of trailers.
    skipped: usize,
}

/// Why the bytes are no chunks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum BadChunk {
    /// A digit is missing, is none, or is one too many.
    #[error("a chunk's size is no hexadecimal number of 64 bits")]
    Size,
    /// A line does not end in CRLF, or a chunk goes on behind its size.
    #[error("a chunk or its size does not end as it must")]
    End,
    /// Extensions or trailers.
    #[error("chunk extensions or trailers are malformed or too long")]
    Extras,
}

/// What comes next.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum At {
    /// The first digit of a size.
    #[default]
    Start,
    Size,
    /// White space.
    BehindSize,
    Extension,
    SizeLf,
    Data,
    DataCr,
    DataLf,
    /// A trailer, or the blank line that is the end.
    Trailers,
    TrailerName,
    TrailerValue,
    TrailerLf,
    EndLf,
    End,
}

/// All extensions of a body together.
const EXTENSIONS: usize = 16 << 10;
/// All trailers.
const TRAILERS: usize = 64 << 10;

/// Adds `data` to `out` as one chunk; nothing for no data, which would be the last chunk.
pub fn write(data: &[u8], out: &mut Vec<u8>) {
    let Some(highest) = data.len().checked_ilog2().map(|bit| bit / 4) else { return };
    let digit = |place: u32| b"0123456789ABCDEF"[(data.len() >> (4 * place)) & 0xF];
    out.extend((0..=highest).rev().map(digit));
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(data);
    out.extend_from_slice(b"\r\n");
}

// === impl Chunks ===

impl Chunks {
    /// Reads the next bytes, whose data it adds to `data`, also if an error follows; how many it
    /// took: all, unless the body ends before.
    ///
    /// # Errors
    /// [`BadChunk`], for good.
    pub fn read(&mut self, bytes: &[u8], data: &mut Vec<u8>) -> Result<usize, BadChunk> {
        let mut taken = 0;
        while let Some(byte) = bytes.get(taken)
            && self.at != At::End
        {
            if self.at == At::Data {
                taken += self.data(&bytes[taken..], data);
            } else {
                self.at = self.next(*byte)?;
                taken += 1;
            }
        }
        Ok(taken)
    }

    /// Is all of the body here?
    pub fn has_ended(&self) -> bool {
        self.at == At::End
    }

    fn data(&mut self, bytes: &[u8], data: &mut Vec<u8>) -> usize {
        let length = usize::try_from(self.left).unwrap_or(usize::MAX).min(bytes.len());
        data.extend_from_slice(&bytes[..length]);
        self.left -= length as u64;
        if self.left == 0 {
            self.at = At::DataCr;
        }
        length
    }

    fn next(&mut self, byte: u8) -> Result<At, BadChunk> {
        match self.at {
            At::Start => self.digit(byte),
            At::Size => match byte {
                b' ' | b'\t' | b';' | b'\r' => behind_size(byte),
                _ => self.digit(byte),
            },
            At::BehindSize => behind_size(byte),
            At::Extension => match byte {
                b'\r' => Ok(At::SizeLf),
                b'\n' => Err(BadChunk::Extras),
                _ => self.skip(At::Extension, EXTENSIONS),
            },
            At::SizeLf if self.left == 0 => {
                self.skipped = 0;
                line_feed(byte, At::Trailers)
            }
            At::SizeLf => line_feed(byte, At::Data),
            At::DataCr if byte == b'\r' => Ok(At::DataLf),
            At::Data | At::DataCr => Err(BadChunk::End),
            At::DataLf => line_feed(byte, At::Start),
            At::Trailers | At::TrailerName | At::TrailerValue => self.trailer(byte),
            At::TrailerLf => line_feed(byte, At::Trailers),
            At::EndLf | At::End => line_feed(byte, At::End),
        }
    }

    fn digit(&mut self, byte: u8) -> Result<At, BadChunk> {
        let digit = char::from(byte).to_digit(16).ok_or(BadChunk::Size)?;
        let shifted = self.left.checked_mul(16).ok_or(BadChunk::Size)?;
        self.left = shifted + u64::from(digit);
        Ok(At::Size)
    }

    fn trailer(&mut self, byte: u8) -> Result<At, BadChunk> {
        match (self.at, byte) {
            (At::Trailers, b'\r') => Ok(At::EndLf),
            (At::TrailerValue, b'\r') => Ok(At::TrailerLf),
            (At::TrailerName, b':') => self.skip(At::TrailerValue, TRAILERS),
            (At::TrailerValue, b'\t' | b' '..=b'~' | 0x80..) => {
                self.skip(At::TrailerValue, TRAILERS)
            }
            (At::Trailers | At::TrailerName, byte) if is_token(byte) => {
                self.skip(At::TrailerName, TRAILERS)
            }
            _ => Err(BadChunk::Extras),
        }
    }

    fn skip(&mut self, at: At, limit: usize) -> Result<At, BadChunk> {
        self.skipped += 1;
        if self.skipped < limit { Ok(at) } else { Err(BadChunk::Extras) }
    }
}

fn behind_size(byte: u8) -> Result<At, BadChunk> {
    match byte {
        b' ' | b'\t' => Ok(At::BehindSize),
        b';' => Ok(At::Extension),
        b'\r' => Ok(At::SizeLf),
        _ => Err(BadChunk::Size),
    }
}

fn line_feed(byte: u8, next: At) -> Result<At, BadChunk> {
    if byte == b'\n' { Ok(next) } else { Err(BadChunk::End) }
}

/// What a name may be made of (RFC 9110, 5.6.2).
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The data of a body, and how many bytes it takes, however it is cut.
    #[track_caller]
    fn check(body: &str, expected: Result<(&str, usize), BadChunk>) {
        for size in 1..=body.len() {
            let (mut chunks, mut data, mut taken) = (Chunks::default(), Vec::new(), 0);
            let read = body.as_bytes().chunks(size).try_for_each(|piece| {
                taken += chunks.read(piece, &mut data)?;
                Ok(())
            });
            let read = read.map(|()| (str::from_utf8(&data).unwrap(), taken));
            assert_eq!(read, expected, "{body:?} by {size}");
            assert!(read.is_err() || chunks.has_ended() == (taken < body.len() || ends(body)));
        }
    }

    fn ends(body: &str) -> bool {
        body.ends_with("\r\n\r\n")
    }

    #[test]
    fn data_is_what_stands_between_sizes() {
        let whole = |body: &str, data| check(body, Ok((data, body.len())));
        whole("0\r\n\r\n", "");
        whole("3\r\nabc\r\n", "abc");
        whole("3\r\nabc\r\n000\r\n\r\n", "abc");
        whole(
            "1\r\n\n\r\n00a\r\n0123456789\r\nB\r\n\r\n\r\n\r\n45678\r\n",
            "\n0123456789\r\n\r\n\r\n45678",
        );
        whole("1 \t\r\na\r\n2;x=\"y\"\r\nbc\r\n1\t;\r\nd\r\n0;z\r\n\r\n", "abcd");
        whole("1\r\na\r\n0\r\nx-late: \t\u{e9}\r\nY:\r\n\r\n", "a");
        check("1\r\na\r\n0\r\n\r\nHTTP/1.1", Ok(("a", 11)));
    }

    #[test]
    fn what_is_no_chunk_is_told() {
        for size in ["\r\n", ";x\r\n", " 1\r\n", "-1\r\n", "0x1\r\n", "1 1\r\n", "g", "1_0\r\n"] {
            check(size, Err(BadChunk::Size));
        }
        check(&format!("{}\r\n", "f".repeat(17)), Err(BadChunk::Size));
        for end in ["1\n", "1\r\r", "1\r\nab", "1\r\na\n", "1\r\na\rb", "0\r\n\rx"] {
            let expected = if end == "1\n" { BadChunk::Size } else { BadChunk::End };
            check(end, Err(expected));
        }
        for extras in ["1;a\n", "0\r\n\n", "0\r\n a: b", "0\r\na b: c", "0\r\na\r\n", "0\r\n:"] {
            check(extras, Err(BadChunk::Extras));
        }
        check("0\r\na: b\n", Err(BadChunk::Extras));
    }

    #[test]
    fn what_is_skipped_has_limits() {
        let read = |body: &str| Chunks::default().read(body.as_bytes(), &mut Vec::new());
        let (extension, trailer) = ("x".repeat(EXTENSIONS / 2), "x".repeat(TRAILERS - 8));
        assert!(read(&format!("1;{extension}\r\na\r\n0\r\nx:{trailer}\r\n\r\n")).is_ok());
        let twice = format!("1;{extension}\r\na\r\n").repeat(2);
        assert_eq!(read(&twice), Err(BadChunk::Extras));
        assert_eq!(read(&format!("0\r\nx:{trailer}0123456789\r\n")), Err(BadChunk::Extras));
    }

    #[test]
    fn what_is_written_is_read() {
        let mut out = Vec::new();
        let texts = [1, 9, 10, 15, 16, 17, 255, 256, 4096, 70_000].map(|size| "x".repeat(size));
        texts.iter().for_each(|text| write(text.as_bytes(), &mut out));
        write(b"", &mut out);
        out.extend_from_slice(LAST);
        assert!(out.starts_with(b"1\r\nx\r\n9\r\nxxxxxxxxx\r\nA\r\n"));
        let (mut chunks, mut data) = (Chunks::default(), Vec::new());
        assert_eq!(chunks.read(&out, &mut data), Ok(out.len()));
        assert!(chunks.has_ended());
        assert_eq!(data, texts.concat().as_bytes());
    }
}
