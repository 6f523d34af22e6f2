//! A line from a controller: refused, or read into a world that writes itself as the same world,
//! and that compiles. Refusals are short, whatever stands in the line.

#![no_main]

use libfuzzer_sys::fuzz_target;
use pillion::bundle::{claimed_version, decode, encode};
use pillion::compile::compile;
use pillion::table::dump;

fuzz_target!(|line: &[u8]| {
    let claimed = claimed_version(line);
    assert!(claimed.is_empty() || claimed.len() == 16);
    match decode(line) {
        Ok(bundle) => {
            assert_eq!(bundle.version, claimed);
            let again = decode(&encode(&bundle.world)).unwrap();
            assert_eq!(again.version, bundle.version);
            let (one, other) = (compile(&bundle.world), compile(&again.world));
            assert_eq!(one.faults, other.faults);
            assert_eq!(dump::text(&one.table), dump::text(&other.table));
        }
        Err(error) => assert!(error.to_string().len() < 1200, "{error}"),
    }
});
