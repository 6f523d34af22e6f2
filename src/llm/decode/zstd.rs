//! Zstandard frames (RFC 8878), cut into headers and blocks, because the crate's decoder wants
//! each of them whole.
//!
//! Invariant: at most one block (128 KiB) is held in compressed form, and one window (8 MiB at
//! most, RFC 9659) in decoded form; the window grows as the answer does. Skippable frames and
//! dictionaries, which no HTTP server sends, count as malformed.

use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use super::{DecodeFault, Sink};

/// The decoder of one body.
#[derive(Default)]
pub(super) struct Zstd {
    frame: Option<Frame>,
    /// The beginning of a header or block.
    held: Vec<u8>,
}

struct Frame {
    decoder: FrameDecoder,
    checksum: usize,
}

// === impl Zstd ===

impl Zstd {
    pub(super) fn decode(&mut self, chunk: &[u8], sink: Sink<'_>) -> Result<(), DecodeFault> {
        self.held.extend_from_slice(chunk);
        let mut at = 0;
        while let Some(length) = self.unit(&self.held[at..])? {
            let unit = &self.held[at..at + length];
            at += length;
            match &mut self.frame {
                None => self.frame = Some(Frame::begin(unit)?),
                Some(frame) => {
                    let finished = frame.block(unit)?;
                    drain(&mut frame.decoder, sink)?;
                    if finished {
                        self.frame = None;
                    }
                }
            }
        }
        self.held.drain(..at);
        Ok(())
    }

    /// The length of the header or block that `rest` begins with, if all of it is there.
    fn unit(&self, rest: &[u8]) -> Result<Option<usize>, DecodeFault> {
        let length = match &self.frame {
            None => header_length(rest)?,
            Some(frame) => frame.block_length(rest)?,
        };
        Ok(length.filter(|length| *length <= rest.len()))
    }
}

// === impl Frame ===

impl Frame {
    fn begin(header: &[u8]) -> Result<Self, DecodeFault> {
        let mut decoder = FrameDecoder::new();
        decoder.set_max_window_size(WINDOW);
        decoder.init(header).map_err(|_| DecodeFault::Malformed)?;
        Ok(Self { decoder, checksum: if header[4] & 0b100 == 0 { 0 } else { 4 } })
    }

    /// Decodes a block; was it the last?
    fn block(&mut self, block: &[u8]) -> Result<bool, DecodeFault> {
        self.decoder
            .decode_blocks(block, BlockDecodingStrategy::UptoBlocks(1))
            .map_err(|_| DecodeFault::Malformed)
    }

    fn block_length(&self, rest: &[u8]) -> Result<Option<usize>, DecodeFault> {
        let Some(header) = rest.first_chunk::<3>() else {
            return Ok(None);
        };
        let [low, middle, high] = header.map(usize::from);
        let size = (low | middle << 8 | high << 16) >> 3;
        let content = if low >> 1 & 0b11 == RUN { 1 } else { size };
        if size > BLOCK {
            return Err(DecodeFault::Malformed);
        }
        Ok(Some(3 + content + if low & 1 == 1 { self.checksum } else { 0 }))
    }
}

// === private parts ===

const MAGIC: [u8; 4] = 0xFD2F_B528_u32.to_le_bytes();
const WINDOW: u64 = 8 * 1024 * 1024;
const BLOCK: usize = 128 * 1024;
/// The block type that repeats one byte.
const RUN: usize = 1;

fn header_length(rest: &[u8]) -> Result<Option<usize>, DecodeFault> {
    let seen = rest.len().min(MAGIC.len());
    if rest[..seen] != MAGIC[..seen] {
        return Err(DecodeFault::Malformed);
    }
    let Some(descriptor) = rest.get(4) else {
        return Ok(None);
    };
    let single_segment = usize::from(descriptor >> 5 & 1);
    let dictionary = [0, 1, 2, 4][usize::from(descriptor & 0b11)];
    let content_size = [single_segment, 2, 4, 8][usize::from(descriptor >> 6)];
    Ok(Some(5 + (1 - single_segment) + dictionary + content_size))
}

fn drain(decoder: &mut FrameDecoder, sink: Sink<'_>) -> Result<(), DecodeFault> {
    match decoder.collect() {
        Some(decoded) if !decoded.is_empty() => sink(&decoded),
        _ => Ok(()),
    }
}
