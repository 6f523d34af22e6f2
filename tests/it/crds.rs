//! `crds/` is what `pillion crds` prints, cut in two.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use pillion::cli::crds;

/// `BLESS=1` rewrites the files.
#[test]
fn the_committed_definitions_are_what_is_generated() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("crds");
    let generated = crds::files().unwrap();
    for (name, yaml) in &generated {
        super::bless::check(&folder.join(name), yaml);
    }
    let expected: BTreeSet<_> = generated.iter().map(|(name, _)| (*name).into()).collect();
    let entries = fs::read_dir(folder).unwrap();
    let names: BTreeSet<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, expected, "crds/ holds what is generated and nothing else");
}
