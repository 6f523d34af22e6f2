//! Content codings as a provider applies them: flushed here and there, so that a stream's events
//! come out before its end.

use std::io::Write;

use brotli::CompressorWriter;
use fastrand::Rng;
use flate2::Compression;
use flate2::write::GzEncoder;
use ruzstd::encoding::{CompressionLevel, compress_to_vec};

/// A coding of an answer's body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Coding {
    Identity,
    Gzip,
    Brotli,
    Zstd,
}

impl Coding {
    pub(super) const ALL: [Self; 4] = [Self::Identity, Self::Gzip, Self::Brotli, Self::Zstd];

    /// Its name in `content-encoding`.
    pub(super) fn name(self) -> Option<&'static str> {
        match self {
            Self::Identity => None,
            Self::Gzip => Some("gzip"),
            Self::Brotli => Some("br"),
            Self::Zstd => Some("zstd"),
        }
    }

    /// Encodes `body`, flushed wherever `rng` says.
    pub(super) fn encode(self, body: &[u8], rng: &mut Rng) -> Vec<u8> {
        let parts = parts(body, rng);
        match self {
            Self::Identity => body.to_vec(),
            Self::Gzip => {
                let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
                flushed(&mut encoder, &parts);
                encoder.finish().unwrap()
            }
            Self::Brotli => {
                let mut encoder = CompressorWriter::new(Vec::new(), 4096, 4, 18);
                flushed(&mut encoder, &parts);
                encoder.into_inner()
            }
            // This encoder cannot flush, but frames may follow each other (RFC 8878, 3.1).
            Self::Zstd => {
                let frame = |part| compress_to_vec(part, CompressionLevel::Fastest);
                parts.into_iter().flat_map(frame).collect()
            }
        }
    }
}

fn flushed(encoder: &mut impl Write, parts: &[&[u8]]) {
    for part in parts {
        encoder.write_all(part).unwrap();
        encoder.flush().unwrap();
    }
}

/// One to five parts, all of them together the body.
fn parts<'a>(body: &'a [u8], rng: &mut Rng) -> Vec<&'a [u8]> {
    let mut cuts: Vec<usize> = (0..rng.usize(..5)).map(|_| rng.usize(..=body.len())).collect();
    cuts.extend([0, body.len()]);
    cuts.sort_unstable();
    cuts.windows(2).map(|pair| &body[pair[0]..pair[1]]).collect()
}
