//! Takes the usage chunk that Pillion asked for out of an OpenAI chat stream again.

use bytes::Bytes;

/// The filter of one stream. Holds back at most one incomplete event, and never one over 64 KiB.
#[derive(Debug, Default)]
pub struct UsageChunkFilter {}

impl UsageChunkFilter {
    /// The bytes to forward now that `chunk` arrived; possibly empty.
    pub fn push(&mut self, chunk: Bytes) -> Bytes {
        chunk
    }

    /// What is still held back when the stream ends.
    pub fn finish(&mut self) -> Bytes {
        Bytes::new()
    }
}
