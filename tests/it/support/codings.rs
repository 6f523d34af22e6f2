//! Content codings, each with one of its encoders.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use ruzstd::encoding::{CompressionLevel, compress_to_vec};

/// A coding's name, and how it encodes.
pub(crate) type Coding = (&'static str, fn(&[u8]) -> Vec<u8>);

pub(crate) const CODINGS: [Coding; 3] = [("gzip", gzip), ("br", brotli), ("zstd", zstd)];

pub(crate) fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn zstd(text: &[u8]) -> Vec<u8> {
    compress_to_vec(text, CompressionLevel::Fastest)
}

/// Brotli with one stored meta-block (RFC 7932, 9.2): a window of 16 bits, not the last block,
/// four nibbles of length, stored; then an empty last block.
fn brotli(text: &[u8]) -> Vec<u8> {
    let length = u32::try_from(text.len() - 1).unwrap();
    assert!(length < 1 << 16);
    // WBITS `0`, ISLAST `0`, MNIBBLES `00`, MLEN - 1 in 16 bits, ISUNCOMPRESSED `1`.
    let header = (length << 4) | (1 << 20);
    let mut coded = header.to_le_bytes()[..3].to_vec();
    coded.extend_from_slice(text);
    coded.push(0b11);
    coded
}
