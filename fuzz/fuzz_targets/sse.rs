//! The event reader and the usage filter: what they make of a stream must not depend on how it is
//! cut, and what the filter does not take out goes on byte for byte.

#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use pillion::llm::sse::{Extent, Piece, Reader};
use pillion::llm::usage_chunk::UsageChunkFilter;

fuzz_target!(|input: &[u8]| {
    let Some((cut, stream)) = input.split_first() else { return };
    let cut = usize::from(*cut).max(1);
    assert_eq!(events(stream, cut), events(stream, stream.len().max(1)));
    let (filtered, whole) = (filter(stream, cut), filter(stream, stream.len().max(1)));
    assert_eq!(filtered, whole, "the cut changes what is filtered");
    if !stream.windows(7).any(|bytes| bytes.eq_ignore_ascii_case(b"choices")) {
        // Neither plain nor escaped can its name stand there.
        if !stream.contains(&b'\\') {
            assert_eq!(filtered, stream);
        }
    }
    let mut left = stream.iter();
    assert!(filtered.iter().all(|byte| left.any(|have| have == byte)), "bytes were added");
});

/// The data of each event, and whether the stream ends between two.
fn events(stream: &[u8], cut: usize) -> (Vec<Vec<u8>>, bool) {
    let (mut reader, mut events, mut data) = (Reader::default(), Vec::new(), None::<Vec<u8>>);
    for chunk in stream.chunks(cut) {
        let mut at = 0;
        while let Some(piece) = reader.next(chunk, &mut at) {
            assert!(at <= chunk.len());
            match piece {
                Piece::EventEnd => events.extend(data.take()),
                Piece::Data { part, extent } => {
                    if extent != Extent::More
                        && let Some(before) = &mut data
                    {
                        before.push(b'\n');
                    }
                    data.get_or_insert_default().extend(part);
                }
            }
        }
        assert_eq!(at, chunk.len());
    }
    events.extend(data);
    (events, reader.between_events())
}

fn filter(stream: &[u8], cut: usize) -> Vec<u8> {
    let mut filter = UsageChunkFilter::default();
    let mut out = Vec::new();
    for chunk in stream.chunks(cut) {
        out.extend_from_slice(&filter.push(Bytes::copy_from_slice(chunk)));
    }
    out.extend_from_slice(&filter.finish());
    out
}
