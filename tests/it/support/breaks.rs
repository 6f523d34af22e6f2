//! The ways in which an answer breaks off.

use std::io;

use super::upstream::{Connection, LAST_CHUNK};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Break {
    Reset,
    Fin,
    /// The last chunk, without the last event.
    CleanEnd,
}

pub(crate) const BREAKS: [Break; 3] = [Break::Reset, Break::Fin, Break::CleanEnd];

impl Break {
    pub(crate) fn happen(self, connection: &mut Connection) -> io::Result<()> {
        match self {
            Self::Reset => connection.reset(),
            Self::Fin => connection.close(),
            Self::CleanEnd => connection.write(LAST_CHUNK),
        }
    }
}
