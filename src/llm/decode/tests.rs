use std::io::Write;

use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use proptest::prelude::*;
use ruzstd::encoding::{CompressionLevel, compress_to_vec};

use super::*;

const TEXT: &[u8] = include_bytes!("gzip.rs");

/// `{"a":1}` and a line feed, six times, by the reference encoder.
const BROTLI: [u8; 25] = [
    27, 47, 0, 248, 141, 147, 165, 30, 161, 172, 178, 20, 9, 219, 107, 133, 24, 157, 62, 225, 79,
    56, 64, 150, 28,
];

/// `data: {"a":1}` and two line feeds, six times, by the reference encoder, with a checksum.
const CHECKED_ZSTD: [u8; 35] = [
    40, 181, 47, 253, 4, 88, 181, 0, 0, 120, 100, 97, 116, 97, 58, 32, 123, 34, 97, 34, 58, 49,
    125, 10, 10, 1, 0, 40, 232, 172, 3, 138, 143, 101, 173,
];

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn zlib(text: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn raw_deflate(text: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn zstd(text: &[u8]) -> Vec<u8> {
    compress_to_vec(text, CompressionLevel::Fastest)
}

fn decoded(coding: Coding, body: &[u8], size: usize) -> Result<Vec<u8>, DecodeFault> {
    let (mut decoder, mut out) = (Decoder::new(coding), Vec::new());
    for chunk in body.chunks(size) {
        decoder.decode(chunk, &mut |piece| out.extend_from_slice(piece))?;
    }
    Ok(out)
}

fn check(coding: Coding, body: &[u8], expected: &[u8]) {
    for size in [1, 2, 3, 7, 100, 1000, body.len()] {
        assert!(decoded(coding, body, size).unwrap() == expected, "{coding:?} by {size}");
    }
}

#[test]
fn fault_50_every_coding_is_decoded_from_any_split() {
    check(Coding::Identity, TEXT, TEXT);
    check(Coding::Gzip, &gzip(TEXT), TEXT);
    check(Coding::Gzip, &[gzip(TEXT), gzip(b""), gzip(TEXT)].concat(), &TEXT.repeat(2));
    check(Coding::Deflate, &zlib(TEXT), TEXT);
    check(Coding::Deflate, &raw_deflate(TEXT), TEXT);
    check(Coding::Zstd, &zstd(TEXT), TEXT);
    check(Coding::Zstd, &[zstd(TEXT), zstd(b"x")].concat(), &[TEXT, b"x"].concat());
    let checked = CHECKED_ZSTD.repeat(2);
    check(Coding::Zstd, &checked, "data: {\"a\":1}\n\n".repeat(12).as_bytes());
    check(Coding::Brotli, &BROTLI, &b"{\"a\":1}\n".repeat(6));
}

#[test]
fn every_optional_part_of_a_gzip_header_is_skipped() {
    let builder = flate2::GzBuilder::new().filename("a\u{1}b").comment("c").extra(vec![1, 0, 8]);
    let mut encoder = builder.write(Vec::new(), Compression::fast());
    encoder.write_all(TEXT).unwrap();
    check(Coding::Gzip, &encoder.finish().unwrap(), TEXT);
    let mut checked = vec![0x1F, 0x8B, 8, CHECKSUM_FLAG, 0, 0, 0, 0, 0, 0, 0x1F, 0x8B];
    checked.extend(raw_deflate(TEXT));
    check(Coding::Gzip, &checked, TEXT);
}

const CHECKSUM_FLAG: u8 = 2;

#[test]
fn what_an_encoder_flushes_is_seen_at_once() {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    let (mut decoder, mut out, mut sent) = (Decoder::new(Coding::Gzip), Vec::new(), 0);
    for event in ["data: one\n\n", "data: two\n\n"] {
        encoder.write_all(event.as_bytes()).unwrap();
        encoder.flush().unwrap();
        let flushed = &encoder.get_ref()[sent..];
        decoder.decode(flushed, &mut |piece| out.extend_from_slice(piece)).unwrap();
        sent += flushed.len();
        assert!(out.ends_with(event.as_bytes()));
    }
}

#[test]
fn codings_are_named_as_http_does() {
    let named = Coding::named;
    assert_eq!(named(""), Some(Coding::Identity));
    assert_eq!(named(" GZIP "), Some(Coding::Gzip));
    assert_eq!(named("br"), Some(Coding::Brotli));
    assert_eq!(named("gzip, br"), None);
    assert_eq!(named("compress"), None);
}

#[test]
fn a_fault_stops_the_decoder() {
    for coding in [Coding::Gzip, Coding::Deflate, Coding::Brotli, Coding::Zstd] {
        let mut decoder = Decoder::new(coding);
        let garbage = [b'x'; 64];
        decoder.decode(&garbage, &mut |_| ()).unwrap_err();
        decoder.decode(&garbage, &mut |_| panic!("{coding:?} decodes on")).unwrap_err();
        assert!(decoder.may_lag());
    }
}

#[test]
fn a_bomb_is_bounded() {
    let bomb = gzip(&vec![0; 2 * LIMIT as usize]);
    let (mut decoder, mut total, mut largest) = (Decoder::new(Coding::Gzip), 0, 0);
    let fault = decoder.decode(&bomb, &mut |piece| {
        total += piece.len();
        largest = largest.max(piece.len());
    });
    assert_eq!(fault, Err(DecodeFault::TooLong));
    assert_eq!((total as u64, largest), (LIMIT, OUTPUT));
}

proptest! {
    #[test]
    fn no_bytes_panic(
        coding in prop_oneof![
            Just(Coding::Gzip), Just(Coding::Deflate), Just(Coding::Brotli), Just(Coding::Zstd),
        ],
        body in prop::collection::vec(any::<u8>(), 0..300),
        size in 1_usize..64,
    ) {
        decoded(coding, &body, size).unwrap_or_default();
    }

    #[test]
    fn no_damage_panics(
        coding in prop_oneof![
            Just(Coding::Gzip), Just(Coding::Deflate), Just(Coding::Brotli), Just(Coding::Zstd),
        ],
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
        size in 1_usize..600,
    ) {
        let mut body = match coding {
            Coding::Gzip => gzip(TEXT),
            Coding::Deflate => zlib(TEXT),
            Coding::Zstd => zstd(TEXT),
            Coding::Brotli | Coding::Identity => BROTLI.to_vec(),
        };
        let at = at.index(body.len());
        body[at] = byte;
        decoded(coding, &body, size).unwrap_or_default();
    }
}
