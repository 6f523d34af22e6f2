//! Decodes a copy of a compressed answer, so that usage is seen while the client gets the bytes
//! that the provider sent.
//!
//! Invariants: decoded bytes go on in pieces of at most 4 KiB (zstd: one block) and none are kept
//! beyond the format's own window; a fault ends the decoding, never the answer; a bomb ends at
//! [`LIMIT`] bytes, so that it costs bounded time too. A decoder is made at the first byte and
//! stands on the heap, so an answer that is not compressed pays nothing for it.
//!
//! Checksums are not verified: whoever gets the answer does that. Zstd hands its output on only as
//! it leaves the window or its frame ends ([`Decoder::may_lag`]), because the crate offers no look
//! into the window.

mod gzip;
mod zstd;

use std::fmt;

use brotli_decompressor::{BrotliDecompressStream, BrotliResult, BrotliState, StandardAlloc};
use flate2::{Decompress, FlushDecompress, Status};
use thiserror::Error;

use gzip::Gzip;
use zstd::Zstd;

/// So many decoded bytes are looked at; longer answers are not read to their end.
pub const LIMIT: u64 = 64 * 1024 * 1024;

/// A content coding that can be decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coding {
    /// Not compressed.
    Identity,
    Gzip,
    /// In a zlib wrapper as the standard says, or raw as some servers have it.
    Deflate,
    Brotli,
    Zstd,
}

/// A push decoder.
pub struct Decoder {
    machine: Machine,
    left: u64,
}

/// Why the rest of a compressed answer is not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum DecodeFault {
    /// The bytes are not what the coding says.
    #[error("the compressed answer is malformed")]
    Malformed,
    /// More decoded bytes than the limit.
    #[error("the compressed answer is too long to be read")]
    TooLong,
}

// === impl Coding ===

impl Coding {
    /// The coding that a `content-encoding` names; `None` for an unknown one or for several.
    pub fn named(content_encoding: &str) -> Option<Self> {
        let is = |name: &&(&str, Self)| content_encoding.trim().eq_ignore_ascii_case(name.0);
        CODINGS.iter().find(is).map(|(_, coding)| *coding)
    }
}

// === impl Decoder ===

impl fmt::Debug for Decoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decoder").field("left", &self.left).finish_non_exhaustive()
    }
}

impl Decoder {
    /// A decoder of `coding`.
    pub fn new(coding: Coding) -> Self {
        Self { machine: Machine::Waiting(coding), left: LIMIT }
    }

    /// The same with another limit than [`LIMIT`]: so many bytes, and not one more.
    pub fn limited(coding: Coding, most: usize) -> Self {
        let left = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
        Self { machine: Machine::Waiting(coding), left }
    }

    /// Decodes the next bytes into `sink`.
    ///
    /// # Errors
    /// A [`DecodeFault`], after which nothing more is decoded and the memory is free again.
    pub fn decode(&mut self, chunk: &[u8], sink: &mut dyn FnMut(&[u8])) -> Result<(), DecodeFault> {
        let left = &mut self.left;
        let mut limited = |piece: &[u8]| {
            sink(piece);
            *left = left.saturating_sub(piece.len() as u64);
            if *left == 0 { Err(DecodeFault::TooLong) } else { Ok(()) }
        };
        let decoded = self.machine.decode(chunk, &mut limited);
        if decoded.is_err() {
            self.machine = Machine::Stopped;
        }
        decoded
    }

    /// May bytes that have arrived be missing in the sink? So it is with zstd inside a frame, and
    /// after a fault.
    pub fn may_lag(&self) -> bool {
        matches!(self.machine, Machine::Zstd(_) | Machine::Stopped)
    }
}

// === private parts ===

const CODINGS: [(&str, Coding); 7] = [
    ("", Coding::Identity),
    ("identity", Coding::Identity),
    ("gzip", Coding::Gzip),
    ("x-gzip", Coding::Gzip),
    ("deflate", Coding::Deflate),
    ("br", Coding::Brotli),
    ("zstd", Coding::Zstd),
];

/// On the stack, so that it costs an idle stream nothing.
const OUTPUT: usize = 4096;

/// What the decoders write into: a piece each time, until the limit.
type Sink<'a> = &'a mut dyn FnMut(&[u8]) -> Result<(), DecodeFault>;

type Brotli = BrotliState<StandardAlloc, StandardAlloc, StandardAlloc>;

enum Machine {
    /// Before the first byte.
    Waiting(Coding),
    Identity,
    Gzip(Box<Gzip>),
    Inflate(Decompress),
    Brotli(Box<Brotli>),
    Zstd(Box<Zstd>),
    /// After a fault.
    Stopped,
}

impl Machine {
    fn decode(&mut self, chunk: &[u8], sink: Sink<'_>) -> Result<(), DecodeFault> {
        if let (Self::Waiting(coding), Some(first)) = (&self, chunk.first()) {
            *self = Self::of(*coding, *first);
        }
        match self {
            Self::Waiting(_) => Ok(()),
            Self::Identity => sink(chunk),
            Self::Gzip(gzip) => gzip.decode(chunk, sink),
            Self::Inflate(inflate) => decode_inflate(inflate, chunk, sink).map(drop),
            Self::Brotli(brotli) => decode_brotli(brotli, chunk, sink),
            Self::Zstd(zstd) => zstd.decode(chunk, sink),
            Self::Stopped => Err(DecodeFault::Malformed),
        }
    }

    fn of(coding: Coding, first: u8) -> Self {
        match coding {
            Coding::Identity => Self::Identity,
            Coding::Gzip => Self::Gzip(Box::default()),
            Coding::Deflate => Self::Inflate(Decompress::new(begins_zlib(first))),
            Coding::Brotli => Self::Brotli(Box::new(BrotliState::new_strict(
                StandardAlloc::default(),
                StandardAlloc::default(),
                StandardAlloc::default(),
            ))),
            Coding::Zstd => Self::Zstd(Box::default()),
        }
    }
}

/// A zlib header says method 8 and a window of at most 32 KiB. A raw stream that begins with such
/// a byte would be a stored block with padding bits set, which no encoder writes.
fn begins_zlib(first: u8) -> bool {
    first & 0x0F == 8 && first >> 4 <= 7
}

/// What follows the end of the deflate stream, if that end was met.
fn decode_inflate<'a>(
    inflate: &mut Decompress,
    mut rest: &'a [u8],
    sink: Sink<'_>,
) -> Result<Option<&'a [u8]>, DecodeFault> {
    let mut output = [0; OUTPUT];
    loop {
        let (read, written) = (inflate.total_in(), inflate.total_out());
        let status = inflate.decompress(rest, &mut output, FlushDecompress::None);
        let status = status.map_err(|_| DecodeFault::Malformed)?;
        let written = (inflate.total_out() - written) as usize;
        rest = &rest[(inflate.total_in() - read) as usize..];
        if written > 0 {
            sink(&output[..written])?;
        }
        match status {
            Status::StreamEnd => return Ok(Some(rest)),
            _ if written == output.len() => {}
            _ if rest.is_empty() => return Ok(None),
            _ if written == 0 && inflate.total_in() == read => return Err(DecodeFault::Malformed),
            _ => {}
        }
    }
}

fn decode_brotli(state: &mut Brotli, rest: &[u8], sink: Sink<'_>) -> Result<(), DecodeFault> {
    let mut output = [0; OUTPUT];
    let (mut left, mut read, mut total) = (rest.len(), 0, 0);
    loop {
        let (mut space, mut written) = (output.len(), 0);
        let result = BrotliDecompressStream(
            &mut left,
            &mut read,
            rest,
            &mut space,
            &mut written,
            &mut output,
            &mut total,
            state,
        );
        if written > 0 {
            sink(&output[..written])?;
        }
        match result {
            BrotliResult::NeedsMoreOutput => {}
            BrotliResult::NeedsMoreInput | BrotliResult::ResultSuccess => return Ok(()),
            BrotliResult::ResultFailure => return Err(DecodeFault::Malformed),
        }
    }
}

#[cfg(test)]
mod tests;
