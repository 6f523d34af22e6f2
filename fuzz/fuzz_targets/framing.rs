//! The watcher of request framing: it changes one line feed at most, and the same one however the
//! bytes are cut.

#![no_main]

use libfuzzer_sys::fuzz_target;
use pillion::net::framing::Framing;

fuzz_target!(|input: &[u8]| {
    let Some((cut, bytes)) = input.split_first() else { return };
    let whole = watched(bytes, bytes.len().max(1));
    assert_eq!(watched(bytes, usize::from(*cut).max(1)), whole, "the cut changes what is refused");
    let changed: Vec<usize> = (0..bytes.len()).filter(|at| bytes[*at] != whole.0[*at]).collect();
    assert_eq!(changed.len(), usize::from(whole.1));
    assert!(changed.iter().all(|at| (bytes[*at], whole.0[*at]) == (b'\n', 0)));
});

fn watched(bytes: &[u8], cut: usize) -> (Vec<u8>, bool) {
    let (mut bytes, mut framing) = (bytes.to_vec(), Framing::default());
    bytes.chunks_mut(cut).for_each(|chunk| framing.check(chunk));
    (bytes, framing.has_refused())
}
