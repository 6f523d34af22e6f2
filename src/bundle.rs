//! What travels to a sidecar: the part of the world that its pod may know, in its one serialised
//! form, and the messages around it ([`push`]).
//!
//! Owns the wire form and its strictness: a bundle with a field that this build does not know is
//! refused whole, so that an older sidecar never runs half of what a newer controller said. The one
//! place beside request headers where key material leaves `Secret`. Does not know who may have a
//! bundle (`controller`'s), nor what its objects come to (`compile`'s).

pub mod push;
mod wire;

use serde::Deserialize;
use thiserror::Error;

use crate::api::strict;
use crate::compile::{World, version_of};
use wire::Wire;

/// Longer paths are cut, in characters.
const LONGEST_PATH: usize = 200;

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
    /// A field or a word that this build does not know, or a format of another age.
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
/// What `workloads` says is not in it: who is given a bundle is one of its routes' pods.
pub fn encode(world: &World) -> Vec<u8> {
    // Plain data of our own: writing it cannot fail.
    let mut line = serde_json::to_vec(&Wire::of(world, version_of(world))).unwrap_or_default();
    line.push(b'\n');
    line
}

/// Reads what [`encode`] wrote.
///
/// # Errors
/// [`DecodeError`], and nothing of it is used.
pub fn decode(line: &[u8]) -> Result<Bundle, DecodeError> {
    let wire = match read(line) {
        Ok(wire) if wire.format == wire::FORMAT => wire,
        // Whatever else is odd about it: it is of another age.
        _ if claim(line).format.is_some_and(|format| format != wire::FORMAT) => {
            return Err(DecodeError::Unknown("format".to_owned()));
        }
        Ok(_) => return Err(DecodeError::Malformed("format".to_owned())),
        Err(error) => return Err(error),
    };
    let version = wire.version.clone();
    let world = wire.into_world()?;
    match version_of(&world) == version {
        true => Ok(Bundle { version, world }),
        false => Err(DecodeError::Corrupt),
    }
}

/// The version that a line claims to have, for an answer that refuses it; empty if it says none.
pub fn claimed_version(line: &[u8]) -> String {
    let version = claim(line).version.unwrap_or_default();
    let is_version = |text: &str| text.len() == 16 && text.bytes().all(|b| b.is_ascii_hexdigit());
    Some(version).filter(|version| is_version(version)).unwrap_or_default()
}

/// The members that every format has.
#[derive(Default, Deserialize)]
struct Claim {
    format: Option<u32>,
    version: Option<String>,
}

fn claim(line: &[u8]) -> Claim {
    serde_json::from_slice(line).unwrap_or_default()
}

fn read(line: &[u8]) -> Result<Wire, DecodeError> {
    let mut json = serde_json::Deserializer::from_slice(line);
    let wire = strict::decode(&mut json).map_err(refusal)?;
    json.end().map_err(|_| DecodeError::Malformed("the end of the line".to_owned()))?;
    Ok(wire)
}

fn refusal(refused: strict::Refused<serde_json::Error>) -> DecodeError {
    match (refused.unknown.into_iter().next(), refused.wrong) {
        (_, Some((path, error))) if !error.is_data() => DecodeError::Malformed(short(path)),
        (Some(path), _) => DecodeError::Unknown(short(path)),
        // JSON that fits no field of ours is a word of another age, such as a new vendor.
        (None, Some((path, _))) => DecodeError::Unknown(short(path)),
        (None, None) => DecodeError::Corrupt,
    }
}

/// Names of fields come from the other side, too.
fn short(path: String) -> String {
    match path.char_indices().nth(LONGEST_PATH) {
        Some((cut, _)) => format!("{}\u{2026}", &path[..cut]),
        None => path,
    }
}

#[cfg(test)]
mod tests;
