//! Replaces stretches of a body that is held as chunks, without copying the rest.

use std::ops::Range;

use bytes::Bytes;

/// Replace `at` with `with`; an empty range inserts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Splice {
    /// The bytes to replace, as offsets into the whole body.
    pub at: Range<usize>,
    /// What stands there instead.
    pub with: Bytes,
}

/// Applies splices (not overlapping; they are put in order here) to a body held as chunks. No byte
/// is copied.
pub fn splice(chunks: &[Bytes], splices: &[Splice]) -> Vec<Bytes> {
    let mut ordered: Vec<&Splice> = splices.iter().collect();
    ordered.sort_by_key(|splice| splice.at.start);
    let mut rope = Rope { chunks, at: 0, into: 0 };
    let mut spliced = Vec::with_capacity(chunks.len() + 2 * splices.len());
    for splice in ordered {
        rope.advance(splice.at.start, |bytes| spliced.push(bytes));
        rope.advance(splice.at.end, drop);
        if !splice.with.is_empty() {
            spliced.push(splice.with.clone());
        }
    }
    rope.advance(usize::MAX, |bytes| spliced.push(bytes));
    spliced
}

/// A model name as a JSON string, quotes included: what a rename splices in.
pub fn quoted(text: &str) -> Bytes {
    Bytes::from(serde_json::Value::from(text).to_string())
}

/// What is left of the chunks.
struct Rope<'a> {
    chunks: &'a [Bytes],
    /// The offset reached in the whole body.
    at: usize,
    /// The offset reached in the first of `chunks`.
    into: usize,
}

// === impl Rope ===

impl Rope<'_> {
    /// Goes on to the offset `until`, or to the end, and passes what lies between.
    fn advance(&mut self, until: usize, mut pass: impl FnMut(Bytes)) {
        while let Some((chunk, rest)) = self.chunks.split_first() {
            let end = chunk.len().min(self.into + until.saturating_sub(self.at));
            if end > self.into {
                pass(chunk.slice(self.into..end));
                self.at += end - self.into;
                self.into = end;
            }
            if end < chunk.len() {
                return;
            }
            (self.chunks, self.into) = (rest, 0);
        }
    }
}
