//! The data of whole server-sent events, put together from any split of the bytes, with a bound.

use super::Unreadable;
use crate::llm::sse::{Extent, Piece, Reader};

/// The largest event that is put together, in bytes of its data: a larger one ends the stream with
/// an error. A tool's arguments or a picture come in many events or in one.
pub const MAX_EVENT: usize = 8 << 20;

/// Puts events together.
#[derive(Debug, Default)]
pub(super) struct Assembler {
    reader: Reader,
    data: Vec<u8>,
    lines: usize,
}

// === impl Assembler ===

impl Assembler {
    /// Reads a chunk, and hands the data of each event that it completes to `take`.
    ///
    /// # Errors
    /// An event beyond [`MAX_EVENT`], and what `take` returns.
    pub(super) fn read(
        &mut self,
        chunk: &[u8],
        mut take: impl FnMut(&[u8]) -> Result<(), Unreadable>,
    ) -> Result<(), Unreadable> {
        let mut at = 0;
        while let Some(piece) = self.reader.next(chunk, &mut at) {
            match piece {
                Piece::Data { part, extent } => self.data(part, extent)?,
                Piece::EventEnd => self.end(&mut take)?,
            }
        }
        Ok(())
    }

    /// The stream has ended: an event without a blank line behind it counts, as some servers leave
    /// it out.
    ///
    /// # Errors
    /// What `take` returns.
    pub(super) fn finish(
        &mut self,
        mut take: impl FnMut(&[u8]) -> Result<(), Unreadable>,
    ) -> Result<(), Unreadable> {
        self.end(&mut take)
    }

    fn data(&mut self, part: &[u8], extent: Extent) -> Result<(), Unreadable> {
        match extent {
            Extent::LastLine | Extent::Start => {
                if self.lines > 0 {
                    self.data.push(b'\n');
                }
                self.lines += 1;
            }
            Extent::More => {}
        }
        if self.data.len() + part.len() > MAX_EVENT {
            let why = format!("an event is longer than {MAX_EVENT} bytes");
            return Err(Unreadable(why));
        }
        self.data.extend_from_slice(part);
        Ok(())
    }

    fn end(
        &mut self,
        take: &mut impl FnMut(&[u8]) -> Result<(), Unreadable>,
    ) -> Result<(), Unreadable> {
        let lines = std::mem::take(&mut self.lines);
        let taken = if lines > 0 { take(&self.data) } else { Ok(()) };
        self.data.clear();
        taken
    }
}
