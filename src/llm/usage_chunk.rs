//! Takes the usage chunk that Pillion asked for out of an OpenAI chat stream again.
//!
//! Invariant: what comes out is what went in, without the events whose data has an empty `choices`
//! and a `usage` that is not `null`. Every other byte stays as it was, odd line ends, comments and
//! `[DONE]` included; so does Azure's first chunk (empty `choices`, no `usage`), and so does the
//! `"usage":null` that asking for usage puts into the other chunks: clients ignore a `null` that
//! they do not know, and taking it out would mean rewriting every event.
//!
//! A chunk that ends between two events goes on without a copy. The event that is cut at a chunk's
//! end is held, and goes on copied together with the chunk that completes it.

use bytes::{Bytes, BytesMut};
use memchr::memchr2;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::sse::{Extent, Piece, Reader};
use super::tap::quiet;

/// The filter of one stream. Holds back at most one incomplete event, and never one over 64 KiB.
#[derive(Debug, Default)]
pub struct UsageChunkFilter {
    reader: Reader,
    held: BytesMut,
    /// Is an event passing that was too long to be held?
    passing: bool,
    /// Does a line feed, if it comes next, belong to an event that was taken out?
    drop_line_feed: bool,
}

// === impl UsageChunkFilter ===

impl UsageChunkFilter {
    /// The bytes to forward now that `chunk` arrived; possibly empty.
    pub fn push(&mut self, chunk: Bytes) -> Bytes {
        let mut at = self.held.len();
        let late = at == 0 && self.reader.after_cr() && chunk.first() == Some(&b'\n');
        let bytes = self.behind_held(chunk);
        let dropped = std::mem::take(&mut self.drop_line_feed) && late;
        let mut kept = Kept { whole: Bytes::new(), from: usize::from(dropped) };
        let mut start = usize::from(late);
        while let Some(piece) = self.reader.next(&bytes, &mut at) {
            if piece == Piece::EventEnd {
                self.end_event(&bytes, start..at, &mut kept);
                start = at;
            }
        }
        self.hold(bytes, start, kept)
    }

    /// What is still held back when the stream ends.
    pub fn finish(&mut self) -> Bytes {
        let held = std::mem::take(&mut self.held).freeze();
        if is_usage_event(&held) { Bytes::new() } else { held }
    }

    fn behind_held(&mut self, chunk: Bytes) -> Bytes {
        if self.held.is_empty() {
            return chunk;
        }
        self.held.extend_from_slice(&chunk);
        std::mem::take(&mut self.held).freeze()
    }

    fn end_event(&mut self, bytes: &Bytes, event: std::ops::Range<usize>, kept: &mut Kept) {
        let passed = std::mem::take(&mut self.passing);
        self.drop_line_feed = false;
        // One rule for long events, however they are split.
        if !passed && event.len() <= HELD && is_usage_event(&bytes[event.clone()]) {
            let comments = leading_comments(&bytes[event.clone()]);
            kept.keep(bytes, event.start + comments);
            kept.from = event.end;
            self.drop_line_feed = self.reader.after_cr();
        }
    }

    /// Holds what follows `start`, the end of the last whole event, if it may be held.
    fn hold(&mut self, bytes: Bytes, start: usize, mut kept: Kept) -> Bytes {
        let tail = bytes.len() - start;
        self.passing = tail > 0 && (self.passing || tail > HELD);
        if self.passing || tail == 0 {
            kept.keep(&bytes, bytes.len());
            return kept.whole;
        }
        kept.keep(&bytes, start);
        let tail = bytes.slice(start..);
        drop(bytes);
        self.held = tail.try_into_mut().unwrap_or_else(|shared| BytesMut::from(&shared[..]));
        kept.whole
    }
}

// === private parts ===

const HELD: usize = 64 * 1024;

/// What goes on.
struct Kept {
    whole: Bytes,
    /// The first byte that is neither in `whole` nor taken out.
    from: usize,
}

impl Kept {
    /// Adds the bytes up to `to`; no copy, unless something was taken out before them.
    fn keep(&mut self, bytes: &Bytes, to: usize) {
        if self.whole.is_empty() {
            self.whole = bytes.slice(self.from..to);
        } else if self.from < to {
            self.whole = [&self.whole, &bytes[self.from..to]].concat().into();
        }
        self.from = to;
    }
}

/// The members that make a chat chunk the one that only reports usage.
#[derive(Deserialize)]
struct Chunk {
    choices: Vec<IgnoredAny>,
    usage: Option<IgnoredAny>,
}

fn is_usage_event(event: &[u8]) -> bool {
    quiet::reports_usage(event)
        && serde_json::from_slice::<Chunk>(&data_of(event))
            .is_ok_and(|chunk| chunk.choices.is_empty() && chunk.usage.is_some())
}

fn data_of(event: &[u8]) -> Vec<u8> {
    let (mut reader, mut at, mut data) = (Reader::default(), 0, Vec::new());
    while let Some(piece) = reader.next(event, &mut at) {
        if let Piece::Data { part, extent } = piece {
            if extent != Extent::More {
                data.push(b'\n');
            }
            data.extend_from_slice(part);
        }
    }
    data
}

/// The length of the comment lines before an event's first field: they are not the event's.
fn leading_comments(event: &[u8]) -> usize {
    let mut at = 0;
    while event.get(at) == Some(&b':') {
        let line = memchr2(b'\n', b'\r', &event[at..]).unwrap_or(event.len() - at);
        at += line + if event[at + line..].starts_with(b"\r\n") { 2 } else { 1 };
    }
    at.min(event.len())
}

#[cfg(test)]
mod tests;
