//! The gzip wrapper (RFC 1952) around deflate streams, one or several in a row.
//!
//! Written out because flate2's push decoder brings 32 KiB of output buffer beside the 43 KiB
//! that inflating needs, and many an answer is a gzip stream.

use flate2::Decompress;

use super::{DecodeFault, Sink, decode_inflate};

/// The decoder of one body.
pub(super) struct Gzip {
    inflate: Decompress,
    step: Step,
    flags: u8,
}

// === impl Gzip ===

impl Default for Gzip {
    fn default() -> Self {
        Self { inflate: Decompress::new(false), step: Step::Fixed(0), flags: 0 }
    }
}

impl Gzip {
    pub(super) fn decode(&mut self, mut rest: &[u8], sink: Sink<'_>) -> Result<(), DecodeFault> {
        while let Some((byte, behind)) = rest.split_first() {
            if matches!(self.step, Step::Body) {
                let Some(trailer) = decode_inflate(&mut self.inflate, rest, sink)? else {
                    return Ok(());
                };
                self.inflate.reset(false);
                self.step = Step::Trailer(0);
                rest = trailer;
            } else {
                self.step = self.around(*byte)?;
                rest = behind;
            }
        }
        Ok(())
    }

    /// A byte of the header or trailer.
    fn around(&mut self, byte: u8) -> Result<Step, DecodeFault> {
        Ok(match self.step {
            Step::Fixed(at) => self.fixed(at, byte)?,
            Step::ExtraLength => Step::ExtraLengthHigh(byte),
            Step::ExtraLengthHigh(low) => match u16::from_le_bytes([low, byte]) {
                0 => self.header_behind(EXTRA),
                length => Step::Extra(length),
            },
            Step::Extra(1) => self.header_behind(EXTRA),
            Step::Extra(left) => Step::Extra(left - 1),
            Step::Text(flag) if byte == 0 => self.header_behind(flag),
            Step::Text(flag) => Step::Text(flag),
            Step::Checksum(0) => Step::Checksum(1),
            Step::Checksum(_) => Step::Body,
            Step::Trailer(7) => Step::Fixed(0),
            Step::Trailer(at) => Step::Trailer(at + 1),
            Step::Body => Step::Body,
        })
    }

    fn fixed(&mut self, at: u8, byte: u8) -> Result<Step, DecodeFault> {
        if MAGIC.get(usize::from(at)).is_some_and(|magic| *magic != byte) {
            return Err(DecodeFault::Malformed);
        }
        if at == 3 {
            self.flags = byte;
        }
        Ok(if at == 9 { self.header_behind(0) } else { Step::Fixed(at + 1) })
    }

    /// The first optional part of the header that stands behind the one of `flag`.
    fn header_behind(&self, flag: u8) -> Step {
        let follows = |part: u8| self.flags & part != 0;
        match flag {
            0 if follows(EXTRA) => Step::ExtraLength,
            0 | EXTRA if follows(NAME) => Step::Text(NAME),
            0 | EXTRA | NAME if follows(COMMENT) => Step::Text(COMMENT),
            _ if follows(CHECKSUM) => Step::Checksum(0),
            _ => Step::Body,
        }
    }
}

// === private parts ===

const MAGIC: [u8; 3] = [0x1F, 0x8B, 8];
const CHECKSUM: u8 = 1 << 1;
const EXTRA: u8 = 1 << 2;
const NAME: u8 = 1 << 3;
const COMMENT: u8 = 1 << 4;

#[derive(Clone, Copy)]
enum Step {
    /// The ten bytes that every header has.
    Fixed(u8),
    ExtraLength,
    ExtraLengthHigh(u8),
    Extra(u16),
    /// The name or comment, up to its NUL.
    Text(u8),
    Checksum(u8),
    Body,
    Trailer(u8),
}
