//! Server-sent events (WHATWG HTML 9.2), read incrementally from any split of the bytes.
//!
//! Owns the framing only: where the `data` of an event stands and where the event ends, with LF,
//! CR or CRLF, a byte order mark, comments, several data lines, and no space behind the colon
//! (FAULTS 46, 49). Nothing is buffered: a data line is handed out in the pieces in which it came,
//! so that an event of any size passes in constant memory (FAULTS 48).
//!
//! Deliberately does not know what the data means; `event`, `id` and `retry` lines are skipped,
//! because each dialect read here repeats what matters inside its data.

use memchr::memchr2;

/// What the reader found next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece<'a> {
    /// Bytes of a `data` line, without its field name and line end.
    Data {
        /// The bytes; empty for an empty line.
        part: &'a [u8],
        /// What is known about the line that they belong to.
        extent: Extent,
    },
    /// A blank line: whatever event was being read is complete.
    EventEnd,
}

/// How much of a data line a piece holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// The line, and a blank line follows it in the same chunk: nothing more belongs to the event.
    LastLine,
    /// The line, or its beginning.
    Start,
    /// More of a line whose beginning came with an earlier chunk.
    More,
}

/// The reader of one stream.
#[derive(Debug)]
pub struct Reader {
    line: Line,
    after_cr: bool,
    between: bool,
}

// === impl Reader ===

impl Default for Reader {
    fn default() -> Self {
        Self { line: Line::Bom(0), after_cr: false, between: true }
    }
}

impl Reader {
    /// Reads on in `chunk` from `*at`, which is moved past what was read. `None`: the chunk is
    /// used up. Each chunk of the stream is read until then, in order.
    pub fn next<'a>(&mut self, chunk: &'a [u8], at: &mut usize) -> Option<Piece<'a>> {
        self.skip_late_lf(chunk, at);
        let mut extent = Extent::More;
        loop {
            let byte = *chunk.get(*at)?;
            match self.line {
                Line::Bom(seen) => self.bom(byte, seen, at),
                Line::Field(0) if is_line_end(byte) => {
                    self.end_line(chunk, at);
                    self.between = true;
                    return Some(Piece::EventEnd);
                }
                Line::Field(seen) => self.field(chunk, seen, at),
                Line::Space => {
                    *at += usize::from(byte == b' ');
                    self.line = Line::Data;
                    extent = Extent::Start;
                    if *at == chunk.len() {
                        return Some(Piece::Data { part: &[], extent });
                    }
                }
                Line::Data => return Some(self.data(chunk, extent, at)),
                Line::Other => {
                    self.rest_of_line(chunk, at);
                }
            }
        }
    }

    /// Do the bytes read so far end behind a blank line (or are there none)?
    pub fn between_events(&self) -> bool {
        self.between
    }

    /// Was the last byte a CR, so that an LF next belongs to the same line end?
    pub fn after_cr(&self) -> bool {
        self.after_cr
    }

    fn skip_late_lf(&mut self, chunk: &[u8], at: &mut usize) {
        if let Some(byte) = chunk.get(*at)
            && std::mem::take(&mut self.after_cr)
        {
            *at += usize::from(*byte == b'\n');
        }
    }

    fn bom(&mut self, byte: u8, seen: u8, at: &mut usize) {
        self.line = match seen {
            _ if byte == BOM[usize::from(seen)] => {
                *at += 1;
                self.between = false;
                if seen == 2 { Line::Field(0) } else { Line::Bom(seen + 1) }
            }
            0 => Line::Field(0),
            _ => Line::Other,
        };
    }

    fn field(&mut self, chunk: &[u8], seen: u8, at: &mut usize) {
        self.between = false;
        let wanted = &FIELD[usize::from(seen)..];
        let rest = &chunk[*at..];
        let length = wanted.len().min(rest.len());
        self.line = if wanted[..length] != rest[..length] {
            Line::Other
        } else {
            *at += length;
            match usize::from(seen) + length {
                matched if matched == FIELD.len() => Line::Space,
                matched => Line::Field(matched as u8),
            }
        };
    }

    fn data<'a>(&mut self, chunk: &'a [u8], extent: Extent, at: &mut usize) -> Piece<'a> {
        let start = *at;
        let end = self.rest_of_line(chunk, at);
        let last = end.is_some() && chunk.get(*at).is_some_and(|byte| is_line_end(*byte));
        Piece::Data {
            part: &chunk[start..end.unwrap_or(chunk.len())],
            extent: match extent {
                Extent::Start if last => Extent::LastLine,
                extent => extent,
            },
        }
    }

    /// Moves behind the line; the offset of its end, if that lies in the chunk.
    fn rest_of_line(&mut self, chunk: &[u8], at: &mut usize) -> Option<usize> {
        let Some(length) = memchr2(b'\n', b'\r', &chunk[*at..]) else {
            *at = chunk.len();
            return None;
        };
        let end = *at + length;
        *at = end;
        self.end_line(chunk, at);
        Some(end)
    }

    fn end_line(&mut self, chunk: &[u8], at: &mut usize) {
        let cr = chunk[*at] == b'\r';
        *at += 1;
        if cr {
            self.after_cr = *at == chunk.len();
            *at += usize::from(chunk.get(*at) == Some(&b'\n'));
        }
        self.line = Line::Field(0);
    }
}

// === private parts ===

const BOM: [u8; 3] = [0xEF, 0xBB, 0xBF];
const FIELD: &[u8] = b"data:";

/// Where in a line the reader stands.
#[derive(Debug, Clone, Copy)]
enum Line {
    /// At the start of the stream, so many bytes of a byte order mark seen.
    Bom(u8),
    /// So many bytes of `data:` seen.
    Field(u8),
    /// Behind the colon, where one space is dropped.
    Space,
    Data,
    /// In a line that is no data line.
    Other,
}

fn is_line_end(byte: u8) -> bool {
    byte == b'\n' || byte == b'\r'
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The data of every event, its lines joined by LF, read from chunks of `size` bytes; what
    /// stands behind the last blank line is marked with a leading `…`.
    fn events(stream: &[u8], size: usize) -> Vec<String> {
        let (mut reader, mut events, mut data) = (Reader::default(), Vec::new(), None::<Vec<u8>>);
        for chunk in stream.chunks(size) {
            let mut at = 0;
            while let Some(piece) = reader.next(chunk, &mut at) {
                match piece {
                    Piece::EventEnd => events.extend(data.take()),
                    Piece::Data { part, extent } => {
                        if extent != Extent::More && data.is_some() {
                            data.get_or_insert_default().push(b'\n');
                        }
                        data.get_or_insert_default().extend(part);
                    }
                }
            }
        }
        events.extend(data.map(|tail| ["…".as_bytes(), &tail].concat()));
        events.iter().map(|data| String::from_utf8_lossy(data).into_owned()).collect()
    }

    fn check(stream: &str, expected: &[&str]) {
        for size in 1..=stream.len().max(1) {
            assert_eq!(events(stream.as_bytes(), size), expected, "{stream:?} by {size}");
        }
    }

    #[test]
    fn fault_49_every_form_of_an_event_is_read() {
        check("", &[]);
        check("data: a\n\ndata: b\n\n", &["a", "b"]);
        check("data: a\r\n\r\ndata: b\r\n\r\n", &["a", "b"]);
        check("data: a\r\rdata: b\r\r", &["a", "b"]);
        check("data:a\n\ndata:  b\n\n", &["a", " b"]);
        check("\u{feff}data: a\n\n", &["a"]);
        check("data: a\n\n\u{feff}data: b\n\n", &["a"]);
        check("data: a\ndata: b\ndata:\n\n", &["a\nb\n"]);
        check(": comment\n\n:\n\ndata: a\n: data: b\n\n", &["a"]);
        check("event: x\nid: 1\nretry: 5\ndata: a\n\n", &["a"]);
        check("data: a\n\ndata: b", &["a", "…b"]);
        check("data: a\n\ndata: b\n", &["a", "…b"]);
        check("dat: a\ndatabase: b\n data: c\ndata\n\n", &[]);
        check("\n\n\r\n\rdata: é\n\n\n", &["é"]);
        check("data: a: b\n\ndata: data: c\n\n", &["a: b", "data: c"]);
    }

    #[test]
    fn a_boundary_is_a_blank_line_or_the_start() {
        let ends = |stream: &str| {
            let mut reader = Reader::default();
            let mut at = 0;
            while reader.next(stream.as_bytes(), &mut at).is_some() {}
            reader.between_events()
        };
        for stream in ["", "\n", "data: a\n\n", "data: a\r\r", "data: a\r\n\r\n", ": k\n\n\n"] {
            assert!(ends(stream), "{stream:?}");
        }
        for stream in ["d", ":", "data: a\n", "data: a\r\n", "data: a\n\n:", "\u{feff}"] {
            assert!(!ends(stream), "{stream:?}");
        }
    }

    #[test]
    fn a_line_is_the_last_only_if_its_blank_line_is_there() {
        let first = |stream: &'static str| Reader::default().next(stream.as_bytes(), &mut 0);
        let data = |extent| Some(Piece::Data { part: b"a", extent });
        assert_eq!(first("data: a\n\n"), data(Extent::LastLine));
        assert_eq!(first("data: a\r\n\r\n"), data(Extent::LastLine));
        assert_eq!(first("data: a\n"), data(Extent::Start));
        assert_eq!(first("data: a\ndata: b\n\n"), data(Extent::Start));
        assert_eq!(first("data: a"), data(Extent::Start));
    }
}
