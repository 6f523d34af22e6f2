//! HTTP/1.1 as bytes: heads and bodies read piece by piece, with their framing left visible.
//!
//! Judges nothing: a malformed head is a failed test, not an error to handle.

use std::io::{self, ErrorKind, Read, Write};
use std::sync::{Arc, Mutex};

use super::stream::Stream;

/// A connection with what was read ahead of need.
pub(crate) struct Wire {
    stream: Stream,
    ahead: Vec<u8>,
    transcript: Option<Transcript>,
}

/// All that was read, of one connection or of several, for a search at the end of a test.
pub(crate) type Transcript = Arc<Mutex<Vec<u8>>>;

/// The head of a request or an answer.
#[derive(Debug, Clone, Default)]
pub(crate) struct Head {
    /// Every byte, the blank line included.
    pub(crate) raw: Vec<u8>,
    /// The request line or the status line.
    pub(crate) first_line: String,
    /// Names and values in order, names in the case that they were sent in.
    pub(crate) headers: Vec<(String, String)>,
}

/// How a body is framed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Framing {
    None,
    Length(usize),
    Chunked,
    UntilClose,
}

/// A piece of a body as it was framed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Piece {
    /// One chunk, or whatever one read gave where there are no chunks.
    Bytes(Vec<u8>),
    End(End),
}

/// How a body ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum End {
    /// As its framing promised; with the trailers of a chunked body.
    Whole(Vec<(String, String)>),
    /// Before its framing said so: by FIN, or by an error such as a reset.
    Cut(ErrorKind),
}

/// Reads one body.
pub(crate) struct Body {
    framing: Framing,
    done: bool,
}

// === impl Wire ===

impl Wire {
    pub(crate) fn new(stream: Stream) -> Self {
        Self { stream, ahead: Vec::new(), transcript: None }
    }

    /// The same, with a copy of every byte read.
    pub(crate) fn copying(stream: Stream, transcript: Transcript) -> Self {
        Self { transcript: Some(transcript), ..Self::new(stream) }
    }

    pub(crate) fn stream(&mut self) -> &mut Stream {
        &mut self.stream
    }

    pub(crate) fn into_stream(self) -> Stream {
        self.stream
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes)?;
        self.stream.flush()
    }

    /// The next head; `None` when the peer left before it began one.
    pub(crate) fn head(&mut self) -> io::Result<Option<Head>> {
        let end = loop {
            if let Some(end) = find(&self.ahead, b"\r\n\r\n") {
                break end + 4;
            }
            if self.read_more()? == 0 {
                return match self.ahead.is_empty() {
                    true => Ok(None),
                    false => Err(ErrorKind::UnexpectedEof.into()),
                };
            }
        };
        Ok(Some(Head::parse(self.ahead.drain(..end).collect())))
    }

    /// What has come, at least one byte; empty when the peer has ended its direction.
    pub(crate) fn some(&mut self) -> io::Result<Vec<u8>> {
        if self.ahead.is_empty() {
            self.read_more()?;
        }
        Ok(std::mem::take(&mut self.ahead))
    }

    fn exactly(&mut self, count: usize) -> io::Result<Vec<u8>> {
        while self.ahead.len() < count {
            if self.read_more()? == 0 {
                return Err(ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(self.ahead.drain(..count).collect())
    }

    fn line(&mut self) -> io::Result<String> {
        let end = loop {
            if let Some(end) = find(&self.ahead, b"\r\n") {
                break end;
            }
            if self.read_more()? == 0 {
                return Err(ErrorKind::UnexpectedEof.into());
            }
        };
        let line = self.exactly(end + 2)?;
        Ok(String::from_utf8(line[..end].to_vec()).unwrap())
    }

    fn read_more(&mut self) -> io::Result<usize> {
        let mut buffer = [0; 16 * 1024];
        let count = self.stream.read(&mut buffer)?;
        self.ahead.extend_from_slice(&buffer[..count]);
        if let Some(transcript) = &self.transcript {
            transcript.lock().unwrap().extend_from_slice(&buffer[..count]);
        }
        Ok(count)
    }
}

// === impl Head ===

impl Head {
    fn parse(raw: Vec<u8>) -> Self {
        let text = String::from_utf8_lossy(&raw).into_owned();
        let mut lines = text.trim_end_matches("\r\n").split("\r\n");
        let first_line = lines.next().unwrap().to_owned();
        let headers = lines.map(header).collect();
        Self { raw, first_line, headers }
    }

    /// The value of a header that stands once; several are a failed test.
    #[track_caller]
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let all = self.all(name);
        assert!(all.len() < 2, "{name} stands {} times: {:?}", all.len(), self.headers);
        all.first().copied()
    }

    /// Every value of a header.
    pub(crate) fn all(&self, name: &str) -> Vec<&str> {
        let named = self.headers.iter().filter(|(have, _)| have.eq_ignore_ascii_case(name));
        named.map(|(_, value)| value.as_str()).collect()
    }

    /// The status of an answer.
    #[track_caller]
    pub(crate) fn status(&self) -> u16 {
        self.first_line.split(' ').nth(1).unwrap().parse().unwrap()
    }

    /// The framing that the headers declare; without any, `otherwise`.
    pub(crate) fn framing(&self, otherwise: Framing) -> Framing {
        if self.all("transfer-encoding").iter().any(|coding| coding.contains("chunked")) {
            return Framing::Chunked;
        }
        self.header("content-length").map_or(otherwise, |n| Framing::Length(n.parse().unwrap()))
    }
}

// === impl Body ===

impl Body {
    pub(crate) fn new(framing: Framing) -> Self {
        Self { framing, done: false }
    }

    /// The next piece; after the end, the end again.
    pub(crate) fn next(&mut self, wire: &mut Wire) -> Piece {
        if self.done {
            return Piece::End(End::Whole(Vec::new()));
        }
        let piece = match self.framing {
            Framing::None | Framing::Length(0) => Ok(Piece::End(End::Whole(Vec::new()))),
            Framing::Length(left) => self.counted(wire, left),
            Framing::Chunked => chunk(wire),
            Framing::UntilClose => wire.some().map(|bytes| match bytes.is_empty() {
                true => Piece::End(End::Whole(Vec::new())),
                false => Piece::Bytes(bytes),
            }),
        };
        let piece = piece.unwrap_or_else(|error| Piece::End(End::Cut(error.kind())));
        self.done = matches!(piece, Piece::End(_));
        piece
    }

    /// All that is left, chunks joined, and how it ended.
    pub(crate) fn rest(&mut self, wire: &mut Wire) -> (Vec<u8>, End) {
        let mut bytes = Vec::new();
        loop {
            match self.next(wire) {
                Piece::Bytes(more) => bytes.extend_from_slice(&more),
                Piece::End(end) => return (bytes, end),
            }
        }
    }

    fn counted(&mut self, wire: &mut Wire, left: usize) -> io::Result<Piece> {
        let mut bytes = wire.some()?;
        if bytes.is_empty() {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        if bytes.len() > left {
            wire.ahead = bytes.split_off(left);
        }
        self.framing = Framing::Length(left - bytes.len());
        Ok(Piece::Bytes(bytes))
    }
}

fn chunk(wire: &mut Wire) -> io::Result<Piece> {
    let line = wire.line()?;
    let size = line.split(';').next().unwrap().trim();
    let size = usize::from_str_radix(size, 16).unwrap_or_else(|_| panic!("chunk size {line:?}"));
    if size == 0 {
        return Ok(Piece::End(End::Whole(trailers(wire)?)));
    }
    let bytes = wire.exactly(size)?;
    assert_eq!(wire.line()?, "", "bytes after a chunk");
    Ok(Piece::Bytes(bytes))
}

fn trailers(wire: &mut Wire) -> io::Result<Vec<(String, String)>> {
    let mut trailers = Vec::new();
    loop {
        match wire.line()? {
            line if line.is_empty() => return Ok(trailers),
            line => trailers.push(header(&line)),
        }
    }
}

fn header(line: &str) -> (String, String) {
    let (name, value) = line.split_once(':').unwrap_or_else(|| panic!("header line {line:?}"));
    (name.to_owned(), value.trim_matches([' ', '\t']).to_owned())
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}
