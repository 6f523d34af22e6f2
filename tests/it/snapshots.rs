//! Fixtures of commands: `tests/fixtures/AREA/CASE/` holds manifests, and beside them for each
//! `CALL.args` (one argument a line, `{case}` for the folder) what comes out, as `CALL.out`.
//!
//! `BLESS=1` writes the `.out` files anew.

use std::fs;
use std::path::{Path, PathBuf};

use clap::{Args, Parser};

use crate::bless;

/// One `.args` file.
pub(crate) struct Snapshot {
    args: PathBuf,
}

/// Turns a command's arguments into a command line.
#[derive(Debug, Parser)]
struct Line<A: Args> {
    #[command(flatten)]
    args: A,
}

/// Runs `command` on every case of an area, and compares.
pub(crate) fn check<A: Args>(area: &str, command: impl Fn(&A) -> String) {
    for snapshot in all(area) {
        let out = command(&snapshot.parse(&[]));
        bless::check(&snapshot.args.with_extension("out"), &out);
    }
}

/// Every `.args` file of an area, in the order of their paths.
pub(crate) fn all(area: &str) -> Vec<Snapshot> {
    let area = Path::new("tests/fixtures").join(area);
    let mut paths: Vec<PathBuf> = entries(&area).iter().flat_map(|c| entries(c)).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "args"));
    paths.sort();
    assert!(!paths.is_empty(), "no case in {}", area.display());
    paths.into_iter().map(|args| Snapshot { args }).collect()
}

/// Arguments as the binary would take them.
pub(crate) fn parse<A: Args>(line: &[&str]) -> A {
    let line = ["pillion"].iter().chain(line);
    Line::<A>::try_parse_from(line).unwrap_or_else(|error| panic!("{error}")).args
}

impl Snapshot {
    /// The arguments, with `more`.
    pub(crate) fn parse<A: Args>(&self, more: &[&str]) -> A {
        let case = self.args.parent().unwrap().to_str().unwrap();
        let text = fs::read_to_string(&self.args).unwrap().replace("{case}", case);
        let line: Vec<&str> = [case].into_iter().chain(text.lines()).collect();
        parse(&[line.as_slice(), more].concat())
    }

    pub(crate) fn name(&self) -> String {
        self.args.display().to_string()
    }
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    entries.map(|entry| entry.unwrap().path()).collect()
}
