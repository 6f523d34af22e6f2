//! Decoding that refuses what it does not know.
//!
//! Says which field, never what stood in it: serde's own messages quote what they read, which may
//! be a key in the wrong place.

use serde::{Deserialize, Deserializer};

/// Why a value is not taken.
#[derive(Debug)]
pub struct Refused<E> {
    /// Fields that the type does not have, such as `rules[0].modle`.
    pub unknown: Vec<String>,
    /// The field that has another kind of value than it takes, and the decoder's error, which is
    /// to be classified and never to be shown.
    pub wrong: Option<(String, E)>,
}

/// Decodes a value whole, or says what is wrong with it.
///
/// # Errors
/// [`Refused`], with every unknown field that was met.
pub fn decode<'de, T, D>(deserializer: D) -> Result<T, Refused<D::Error>>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    let mut track = serde_path_to_error::Track::new();
    let tracked = serde_path_to_error::Deserializer::new(deserializer, &mut track);
    let mut unknown = Vec::new();
    let note = |path: serde_ignored::Path<'_>| unknown.push(with_brackets(&path.to_string()));
    match serde_ignored::deserialize(tracked, note) {
        Ok(value) if unknown.is_empty() => Ok(value),
        Ok(_) => Err(Refused { unknown, wrong: None }),
        Err(error) => Err(Refused { unknown, wrong: Some((track.path().to_string(), error)) }),
    }
}

/// serde_ignored's `a.0.?.b` as the `a[0].b` of all other paths.
fn with_brackets(path: &str) -> String {
    let mut out = String::new();
    for part in path.split('.').filter(|part| *part != "?") {
        match part.parse::<usize>() {
            Ok(index) => out.push_str(&format!("[{index}]")),
            Err(_) if out.is_empty() => out.push_str(part),
            Err(_) => out.push_str(&format!(".{part}")),
        }
    }
    out
}
