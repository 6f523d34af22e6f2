//! `pillion explain`, over `tests/fixtures/explain`.

use std::process::Command;

use pillion::cli::explain::{ExplainArgs, explain};
use pillion::cli::terminal::{Colour, Layout, Look};

use crate::snapshots;

const COLOURED: Look = Look { layout: Layout::Terminal, colour: Colour::On };

fn told(args: &ExplainArgs, look: Look) -> String {
    let mut out = Vec::new();
    let verdict = explain(args, &mut out, look).unwrap();
    format!("{}# {verdict:?}\n", String::from_utf8(out).unwrap())
}

#[test]
fn says_what_the_fixtures_say() {
    snapshots::check("explain", |args: &ExplainArgs| told(args, Look::PLAIN));
}

/// Every key in the fixtures, the providers', the callers' and a prompt, has `canary` in it.
#[test]
fn no_key_and_no_prompt_is_ever_shown() {
    for snapshot in snapshots::all("explain") {
        for (more, look) in
            [(&[][..], Look::PLAIN), (&[], COLOURED), (&["--output", "json"], Look::PLAIN)]
        {
            let name = snapshot.name();
            if more.is_empty() || !std::fs::read_to_string(&name).unwrap().contains("-o") {
                let told = told(&snapshot.parse(more), look);
                assert!(!told.contains("canary"), "{name}: {told}");
            }
        }
    }
}

#[test]
fn what_makes_no_call_is_an_error_that_shows_no_header() {
    let case = "tests/fixtures/explain/targets";
    for (line, expected) in [
        (&["--path", "/v1/a b"][..], "--path /v1/a b"),
        (&["--path", "/", "--method", "GE T"], "this is no method"),
        (&["--path", "/", "-H", "canary"], "no colon"),
        (&["--path", "/", "-H", "a b: canary"], "no header's name"),
        (&["--path", "/", "-H", "x: canary\u{1}"], "cannot stand"),
        (&["--path", "/", "--body", "/nope/x"], "--body /nope/x"),
        (&["--path", "/", "--key", "a=b"], "NAMESPACE/SECRET/KEY"),
    ] {
        let args: ExplainArgs = snapshots::parse(&[&[case], line].concat());
        let error = explain(&args, &mut Vec::new(), Look::PLAIN).unwrap_err();
        let error = format!("{error:#}");
        assert!(error.contains(expected), "{line:?}: {error}");
        assert!(!error.contains("canary"), "{error}");
    }
    let nowhere: ExplainArgs = snapshots::parse(&["/nope/manifests", "--path", "/"]);
    assert!(explain(&nowhere, &mut Vec::new(), Look::PLAIN).is_err());
}

#[test]
fn the_binary_ends_with_0_1_or_2() {
    for (model, code) in [("--model=qwen3", 0), ("--model=nobody", 1), ("--nope", 2)] {
        let run = Command::new(env!("CARGO_BIN_EXE_pillion"))
            .args(["explain", "tests/fixtures/explain/targets"])
            .args(["--path=/v1/chat/completions", model])
            .output()
            .unwrap();
        assert_eq!(run.status.code(), Some(code), "{model}: {run:?}");
    }
}
