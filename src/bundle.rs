//! What travels to a sidecar: the part of the world that its pod may know, in its one serialised
//! form, and the messages around it ([`push`]).
//!
//! Owns the wire form and its strictness: a bundle with a field that this build does not know is
//! refused whole, so that an older sidecar never runs half of what a newer controller said. The one
//! place beside request headers where key material leaves `Secret`. Does not know who may have a
//! bundle (`controller`'s), nor what its objects come to (`compile`'s).

pub mod push;

use thiserror::Error;

use crate::compile::World;

/// A bundle, decoded.
#[derive(Debug)]
pub struct Bundle {
    /// Its content hash: what [`crate::compile::version_of`] says of its world.
    pub version: String,
    /// The routes, providers, keys and namespaces that the pod may know; `workloads` is `Selected`.
    pub world: World,
}

/// Why bytes are no bundle. Names fields, never values: these may be keys.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DecodeError {
    /// A field that this build does not know, or a format of another age.
    #[error("the bundle says more than this sidecar understands (at {0}): update the sidecar")]
    Unknown(String),
    /// Not what a controller sends.
    #[error("the bundle cannot be read (at {0})")]
    Malformed(String),
    /// The content is not what its version says.
    #[error("the bundle's content is not what its version says")]
    Corrupt,
}

/// One line of JSON, with the line feed at its end. Deterministic: equal worlds give equal bytes.
pub fn encode(world: &World) -> Vec<u8> {
    let _ = world;
    Vec::new()
}

/// Reads what [`encode`] wrote.
///
/// # Errors
/// [`DecodeError`], and nothing of it is used.
pub fn decode(line: &[u8]) -> Result<Bundle, DecodeError> {
    let _ = line;
    Err(DecodeError::Corrupt)
}
