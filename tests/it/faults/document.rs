//! `docs/faults.md` against the tests: every test that it names exists, and every test that is
//! named after a row is in it.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use regex_lite::Regex;

/// All rows.
fn rows() -> impl Iterator<Item = u32> {
    1..=66
}

#[test]
fn each_row_says_what_is_done_and_which_tests_show_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let document = fs::read_to_string(root.join("docs/faults.md")).unwrap();
    let mut tests = BTreeSet::new();
    for folder in ["src", "tests/it"] {
        functions(&root.join(folder), &mut tests);
    }
    let mut named = BTreeSet::new();
    let (untouched, translated) = document.split_once("## Translated calls").unwrap();
    let have = table(untouched, &tests, &mut named);
    let missing: Vec<u32> = rows().filter(|row| !have.contains(row)).collect();
    assert_eq!(missing, [0; 0], "rows without a line");
    let again = table(translated, &tests, &mut named);
    assert!(again.is_subset(&rows().collect()), "{again:?}");
    let faults = tests.iter().filter(|name| name.starts_with("fault_"));
    let forgotten: Vec<&String> = faults.filter(|name| !named.contains(*name)).collect();
    assert_eq!(forgotten, [""; 0], "tests that the document does not name");
}

/// The rows of a table; each is looked at.
fn table(text: &str, tests: &BTreeSet<String>, named: &mut BTreeSet<String>) -> BTreeSet<u32> {
    let mut have = BTreeSet::new();
    for line in text.lines().filter(|line| line.starts_with("| ")) {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        let [number, fault, done, shown] = cells[..] else { panic!("{line}") };
        let Ok(number) = number.parse::<u32>() else { continue };
        assert!(have.insert(number), "row {number} stands twice");
        assert!(!fault.is_empty() && !done.is_empty(), "row {number} says nothing");
        for name in shown.split(", ") {
            let name = name.trim_matches('`').to_owned();
            assert!(tests.contains(&name), "row {number}: there is no test {name}");
            named.insert(name);
        }
    }
    have
}

/// The names of all functions below a folder that are tests.
fn functions(folder: &Path, tests: &mut BTreeSet<String>) {
    let test = Regex::new(r"#\[(?:tokio::)?test[^\]]*\]\s+(?:async )?fn (\w+)").unwrap();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            functions(&path, tests);
        } else if path.extension().is_some_and(|end| end == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            tests.extend(test.captures_iter(&text).map(|found| found[1].to_owned()));
        }
    }
}
