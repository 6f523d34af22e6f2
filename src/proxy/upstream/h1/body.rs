//! The body of an HTTP/1.1 answer: which of the bytes that come are its data, and where it ends.

use super::head::Framing;
use crate::net::chunks::{BadChunk, Chunks};

/// How far a body has come.
#[derive(Debug)]
pub(super) enum Body {
    /// So many bytes are still to come.
    Length(u64),
    /// Chunks, and what was found behind the data that was handed out last.
    Chunks(Chunks, Option<BadChunk>),
    /// It ends with the connection.
    UntilClose,
    /// That has ended.
    Closed,
}

/// What bytes bring.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Data {
    /// Themselves.
    AsSent,
    /// What the chunks in them hold.
    Unwrapped(Vec<u8>),
}

// === impl Body ===

impl Body {
    /// A body of which nothing has come.
    pub(super) fn new(framing: Framing) -> Self {
        match framing {
            Framing::Length(length) => Self::Length(length),
            Framing::Chunked => Self::Chunks(Chunks::default(), None),
            Framing::UntilClose => Self::UntilClose,
        }
    }

    /// Reads the next bytes; how many of them belong to it, and what they bring.
    pub(super) fn read(&mut self, bytes: &[u8]) -> (usize, Data) {
        match self {
            Self::Length(left) => {
                let count = usize::try_from(*left).unwrap_or(usize::MAX).min(bytes.len());
                *left -= count as u64;
                (count, Data::AsSent)
            }
            Self::Chunks(chunks, bad) => {
                let mut data = Vec::with_capacity(bytes.len());
                let read = chunks.read(bytes, &mut data);
                *bad = read.err();
                (read.unwrap_or(bytes.len()), Data::Unwrapped(data))
            }
            Self::UntilClose => (bytes.len(), Data::AsSent),
            Self::Closed => (0, Data::AsSent),
        }
    }

    /// The connection has ended.
    ///
    /// # Errors
    /// Where it ended, if that is within the body.
    pub(super) fn close(&mut self) -> Result<(), &'static str> {
        match self {
            Self::Length(_) => Err("the connection ended before the length that was told"),
            Self::Chunks(..) => Err("the connection ended before the last chunk"),
            Self::UntilClose | Self::Closed => {
                *self = Self::Closed;
                Ok(())
            }
        }
    }

    /// Has all of it come?
    pub(super) fn has_ended(&self) -> bool {
        match self {
            Self::Length(left) => *left == 0,
            Self::Chunks(chunks, _) => chunks.has_ended(),
            Self::UntilClose => false,
            Self::Closed => true,
        }
    }

    /// Why nothing more will come.
    pub(super) fn fault(&self) -> Option<BadChunk> {
        match self {
            Self::Chunks(_, bad) => *bad,
            Self::Length(_) | Self::UntilClose | Self::Closed => None,
        }
    }

    /// How much is still to come, where that was told.
    pub(super) fn left(&self) -> Option<u64> {
        match self {
            Self::Length(left) => Some(*left),
            Self::Chunks(..) | Self::UntilClose | Self::Closed => None,
        }
    }
}
