//! The house rules as a test: reads `src/` with `syn` and fails on a breach, naming file, line,
//! rule and remedy. Cargo cannot guard module borders inside one package; this does.
//!
//! Each rule is a function from a [`House`] to [`Breach`]es and is itself tested with bad
//! snippets in [`tests`]. Knows nothing of what the code does.

mod budgets;
mod cycles;
mod imports;
mod references;
mod secrets;
mod shape;
mod source;
mod tests;

use std::fmt;
use std::path::Path;

use source::House;

/// One breach of one rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Breach {
    /// `src/table/plan.rs`
    pub(crate) file: String,
    /// Counted from 1.
    pub(crate) line: usize,
    /// The rule's short name.
    pub(crate) rule: &'static str,
    /// What is wrong.
    pub(crate) what: String,
    /// What to do about it.
    pub(crate) remedy: &'static str,
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line, rule, what, remedy } = self;
        write!(f, "{file}:{line}: [{rule}] {what}\n    remedy: {remedy}")
    }
}

/// Every rule of the house.
const RULES: [fn(&House) -> Vec<Breach>; 11] = [
    shape::file_names,
    shape::module_docs,
    shape::crate_root,
    shape::line_width,
    shape::parameters,
    imports::allowed,
    cycles::siblings,
    budgets::file_lines,
    budgets::function_lines,
    secrets::doors,
    secrets::callers,
];

#[test]
fn the_house_is_tidy() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let house = House::read(&src);
    let breaches: Vec<String> =
        RULES.iter().flat_map(|rule| rule(&house)).map(|breach| breach.to_string()).collect();
    assert!(
        breaches.is_empty(),
        "{} breaches of the house rules (DESIGN and STYLE, summed up in CONTRIBUTING.md)\n{}",
        breaches.len(),
        breaches.join("\n")
    );
}
