//! Who may import whom: the floors of the house.
//!
//! Owns the table of allowed imports between top-level modules. `#[cfg(test)]` code obeys it too:
//! a unit test that needs a higher floor belongs into `tests/it`.

use super::Breach;
use super::references::{self, Reference};
use super::source::{House, SourceFile};

/// A top-level module and the ones that it may import. It may always import itself.
///
/// `table` sees neither `api` nor `provider`, although both lie below it: `proxy` sees `table` and
/// must build, test and fuzz without the resources and Kubernetes' types.
pub(crate) const FLOORS: [(&str, &[&str]); 16] = [
    ("name", &[]),
    ("secret", &[]),
    ("api", &["name", "secret"]),
    ("llm", &["name", "secret"]),
    ("provider", &["name", "secret", "api", "llm"]),
    ("table", &["name", "secret", "llm"]),
    ("compile", &["name", "secret", "api", "llm", "provider", "table"]),
    ("bundle", &["name", "secret", "api", "llm", "provider", "table", "compile"]),
    ("net", &["telemetry"]),
    ("telemetry", &[]),
    ("proxy", &["name", "secret", "llm", "table", "net", "telemetry"]),
    ("feed", MACHINES_WITH_RESOURCES),
    ("controller", MACHINES_WITH_RESOURCES),
    ("inject", &["api", "net"]),
    (
        "cli",
        &[
            "name",
            "secret",
            "api",
            "llm",
            "provider",
            "table",
            "compile",
            "bundle",
            "net",
            "telemetry",
            "proxy",
            "feed",
            "controller",
            "inject",
        ],
    ),
    ("main", &["cli"]),
];

const MACHINES_WITH_RESOURCES: &[&str] =
    &["name", "secret", "api", "llm", "provider", "table", "compile", "bundle", "net", "telemetry"];

/// No import that the floors do not allow.
pub(crate) fn allowed(house: &House) -> Vec<Breach> {
    let judge = |file| references::of(file).into_iter().filter_map(|found| judge(file, &found));
    let unknown = house.files.iter().filter_map(unknown_module);
    unknown.chain(house.files.iter().flat_map(judge)).collect()
}

fn judge(file: &SourceFile, found: &Reference) -> Option<Breach> {
    // The crate root holds `mod` items only (rule `crate-root`), in which nothing is imported.
    let from = found.from.first()?;
    let Some(to) = found.to.first().filter(|to| *to != "*") else {
        return Some(breach(
            file,
            found.line,
            "the crate root is imported as a whole".to_owned(),
            "name the module that you mean: `use crate::module::Item`",
        ));
    };
    let (_, floors) = FLOORS.iter().find(|(module, _)| module == from)?;
    let fine = to == from || floors.contains(&to.as_str());
    (!fine).then(|| {
        breach(
            file,
            found.line,
            format!("`{from}` imports `{to}`; it may import {}", list(floors)),
            "move the code to the floor that it belongs to, or hand the value in as an argument",
        )
    })
}

fn unknown_module(file: &SourceFile) -> Option<Breach> {
    let module = file.module.first()?;
    let known = FLOORS.iter().any(|(name, _)| name == module);
    (!known).then(|| {
        breach(
            file,
            1,
            format!("the top-level module `{module}` has no floor"),
            "say in FLOORS of tests/it/tidy/imports.rs what it may import, and in src/lib.rs why \
             it exists",
        )
    })
}

fn list(floors: &[&str]) -> String {
    match floors {
        [] => "nothing of ours".to_owned(),
        _ => floors.join(", "),
    }
}

fn breach(file: &SourceFile, line: usize, what: String, remedy: &'static str) -> Breach {
    Breach { file: file.path.clone(), line, rule: "floors", what, remedy }
}
