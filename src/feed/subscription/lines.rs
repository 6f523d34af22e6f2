//! A stream of bytes as lines, of which the newest counts. Bounded: a line that is too long is
//! skipped to its end.

use zeroize::Zeroizing;

use crate::bundle::push::MAX_BUNDLE;

/// What has come of a line so far.
#[derive(Default)]
pub(super) struct Lines {
    buffer: Zeroizing<Vec<u8>>,
    state: State,
}

/// The end of a line has come, or so much of it that it is not taken.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// Without its line feed. It may hold keys.
    Whole(Zeroizing<Vec<u8>>),
    /// Longer than [`MAX_BUNDLE`].
    TooLong,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum State {
    #[default]
    Gathering,
    Skipping,
}

// === impl Lines ===

impl Lines {
    /// Takes what came; gives the newest line that has ended with it. Blank ones are none.
    pub(super) fn push(&mut self, piece: &[u8]) -> Option<Line> {
        let parts = piece.split_inclusive(|byte| *byte == b'\n');
        parts.filter_map(|part| self.part(part)).last()
    }

    fn part(&mut self, part: &[u8]) -> Option<Line> {
        let (text, ended) = match part.strip_suffix(b"\n") {
            Some(text) => (text, true),
            None => (part, false),
        };
        let line = match self.state {
            State::Skipping => None,
            State::Gathering => self.gather(text),
        };
        if !ended {
            return line;
        }
        self.state = State::Gathering;
        let whole = std::mem::take(&mut self.buffer);
        line.or_else(|| (!whole.trim_ascii().is_empty()).then_some(Line::Whole(whole)))
    }

    fn gather(&mut self, text: &[u8]) -> Option<Line> {
        if self.buffer.len() + text.len() > MAX_BUNDLE {
            self.buffer = Zeroizing::default();
            self.state = State::Skipping;
            return Some(Line::TooLong);
        }
        self.buffer.extend_from_slice(text);
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(text: &str) -> Option<Line> {
        Some(Line::Whole(Zeroizing::new(text.as_bytes().to_vec())))
    }

    #[test]
    fn the_newest_line_counts_wherever_the_pieces_are_cut() {
        let mut lines = Lines::default();
        assert_eq!(lines.push(b"on"), None);
        assert_eq!(lines.push(b"e"), None);
        assert_eq!(lines.push(b"\ntw"), whole("one"));
        assert_eq!(lines.push(b"o\nthree\nfo"), whole("three"));
        assert_eq!(lines.push(b"ur\n\n \n"), whole("four"));
        assert_eq!(lines.push(b"\n"), None);
    }

    #[test]
    fn a_line_that_is_too_long_is_skipped_and_told_once() {
        let mut lines = Lines::default();
        let half = vec![b'x'; MAX_BUNDLE / 2];
        assert_eq!(lines.push(&half), None);
        assert_eq!(lines.push(&half), None);
        assert_eq!(lines.push(b"x"), Some(Line::TooLong));
        assert_eq!(lines.buffer.capacity(), 0);
        assert_eq!(lines.push(&half), None);
        assert_eq!(lines.push(b"x\none\n"), whole("one"));
    }
}
