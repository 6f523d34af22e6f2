//! Files that are generated and committed: `BLESS=1` rewrites them, else they must be the same.

use std::fs;
use std::path::Path;

/// Compares a committed file with what is generated for it.
#[track_caller]
pub(crate) fn check(path: &Path, generated: &str) {
    if std::env::var_os("BLESS").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, generated).unwrap();
    }
    let committed = fs::read_to_string(path).unwrap_or_default();
    let differs = committed.lines().zip(generated.lines()).position(|(a, b)| a != b);
    assert!(
        committed == generated,
        "{} is stale (first difference after line {differs:?}): run `make bless`",
        path.display()
    );
}
