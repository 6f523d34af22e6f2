//! A file of manifests: read, checked, compiled and shown, whatever stands in it, and the same way
//! each time.

#![no_main]

use std::cell::OnceCell;
use std::fs;
use std::path::PathBuf;

use libfuzzer_sys::fuzz_target;
use pillion::compile::compile;
use pillion::feed::{Folder, GivenKey};
use pillion::table::dump;
use tempfile::TempDir;

thread_local! {
    static PLACE: OnceCell<(TempDir, PathBuf)> = const { OnceCell::new() };
}

const NO_KEYS: [GivenKey; 0] = [];

fuzz_target!(|input: &[u8]| {
    let file = PLACE.with(|place| {
        let (_, file) = place.get_or_init(|| {
            let folder = TempDir::new().unwrap();
            let file = folder.path().join("all.yaml");
            (folder, file)
        });
        file.clone()
    });
    fs::write(&file, input).unwrap();
    let manifests = Folder::new(file, NO_KEYS).read();
    let compiled = compile(&manifests.world);
    let again = compile(&manifests.world);
    assert_eq!(compiled.faults, again.faults);
    let _ = dump::text(&compiled.table);
    for finding in &manifests.findings {
        assert!(!finding.message.is_empty() && !finding.remedy.is_empty(), "{finding:?}");
    }
    for fault in &compiled.faults {
        assert!(!fault.message.is_empty() && !fault.remedy.is_empty(), "{fault:?}");
    }
});
