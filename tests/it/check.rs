//! `pillion check`, over `tests/fixtures/check`.

use std::fs;
use std::process::Command;

use pillion::cli::check::{CheckArgs, Verdict, check};
use pillion::cli::terminal::{Colour, Layout, Look};

use crate::snapshots;

const TERMINAL: Look = Look { layout: Layout::Terminal, colour: Colour::Off };

fn told(args: &CheckArgs, look: Look) -> String {
    let mut out = Vec::new();
    let verdict = check(args, &mut out, look).unwrap();
    format!("{}# {verdict:?}\n", String::from_utf8(out).unwrap())
}

/// First as a pipe gets it, then as a terminal does.
#[test]
fn says_what_the_fixtures_say() {
    snapshots::check("check", |args: &CheckArgs| {
        let both = told(args, Look::PLAIN) + &told(args, TERMINAL);
        assert!(!both.contains("canary"), "{both}");
        both
    });
}

#[test]
fn an_empty_folder_is_odd_and_a_missing_one_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    let verdict = |line: &[&str]| check(&snapshots::parse(line), &mut Vec::new(), Look::PLAIN);
    assert_eq!(verdict(&[path]).unwrap(), Verdict::Passed);
    assert_eq!(verdict(&[path, "--strict"]).unwrap(), Verdict::Failed);
    let missing = folder.path().join("missing");
    let missing = missing.to_str().unwrap();
    assert_eq!(verdict(&[missing]).unwrap(), Verdict::Failed);
}

/// Every example is clean once its keys are there.
#[test]
fn the_examples_pass_strictly() {
    let folders = fs::read_dir("examples").unwrap();
    let folders: Vec<_> = folders.map(|entry| entry.unwrap().path()).collect();
    for folder in folders.iter().filter(|path| path.is_dir()) {
        let args: CheckArgs =
            snapshots::parse(&[folder.to_str().unwrap(), "--no-keys", "--strict"]);
        let told = told(&args, Look::PLAIN);
        assert!(told.ends_with("# Passed\n"), "{told}");
    }
}

#[test]
fn the_binary_ends_with_0_1_or_2() {
    for (case, more, code) in
        [("clean", "--strict", 0), ("faults", "--strict", 1), ("clean", "--nope", 2)]
    {
        let run = Command::new(env!("CARGO_BIN_EXE_pillion"))
            .args(["check", &format!("tests/fixtures/check/{case}"), more])
            .output()
            .unwrap();
        assert_eq!(run.status.code(), Some(code), "{case}: {run:?}");
    }
}
