//! The beginning of a string or scalar that comes in pieces.

/// None of those that are read is longer.
#[derive(Debug)]
pub(super) struct Text {
    bytes: [u8; LIMIT],
    length: u8,
}

// === impl Text ===

impl Default for Text {
    fn default() -> Self {
        Self { bytes: [0; LIMIT], length: 0 }
    }
}

impl Text {
    /// What is kept of a text that comes in one piece.
    pub(super) fn kept(whole: &[u8]) -> &[u8] {
        &whole[..whole.len().min(LIMIT)]
    }

    pub(super) fn push(&mut self, piece: &[u8]) {
        let start = usize::from(self.length);
        let end = LIMIT.min(start + piece.len());
        self.bytes[start..end].copy_from_slice(&piece[..end - start]);
        self.length = end as u8;
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }
}

// === private parts ===

const LIMIT: usize = 62;
