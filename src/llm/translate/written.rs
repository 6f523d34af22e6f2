//! JSON that is written, from whatever can be serialized.
//!
//! The same bytes as `serde_json` writes, at a fraction of its cost for texts: what needs no escape
//! is found in blocks and copied in one go. Raw JSON (`RawValue`) is copied as it stands. Names of
//! members are text, those of fields without escapes, and variants of enums say their own tags:
//! nothing here writes others.

mod serializer;
#[cfg(test)]
mod tests;

use serde::Serialize;

use super::document::text;
use serializer::Writer;

/// The JSON of a value.
pub(super) fn to_vec(value: &impl Serialize) -> Vec<u8> {
    let mut out = Vec::with_capacity(1024);
    append(value, &mut out);
    out
}

/// Adds the JSON of a value.
pub(super) fn append(value: &impl Serialize, out: &mut Vec<u8>) {
    // Memory takes every byte, and names are text: nothing can fail.
    let _written = value.serialize(&mut Writer::new(out));
}

/// Adds a text, quoted.
pub(super) fn quote(text: &str, out: &mut Vec<u8>) {
    let mut rest = text.as_bytes();
    out.reserve(rest.len() + 2);
    out.push(b'"');
    loop {
        let (plain, behind) = rest.split_at(text::plain(rest));
        out.extend_from_slice(plain);
        let Some((special, behind)) = behind.split_first() else { break };
        escape(*special, out);
        rest = behind;
    }
    out.push(b'"');
}

fn escape(byte: u8, out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let short = match byte {
        b'"' | b'\\' => byte,
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        0x08 => b'b',
        0x0c => b'f',
        _ => {
            let digit = |digit: u8| HEX[usize::from(digit % 16)];
            out.extend_from_slice(&[b'\\', b'u', b'0', b'0', digit(byte / 16), digit(byte)]);
            return;
        }
    };
    out.extend_from_slice(&[b'\\', short]);
}
