//! `pillion render`, as a command.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use pillion::cli::render::{RenderArgs, render};
use pillion::feed::documents;
use serde_json::{Value, json};

use super::pods::yaml;
use crate::bless;
use crate::snapshots::parse;
use crate::support::manifests::Manifests;

const FIXTURES: &str = "tests/fixtures/render";

/// Standard output, standard error and the exit code.
fn run(arguments: &[&str], input: &str) -> (String, String, i32) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pillion"));
    command.env_clear().arg("render").args(arguments);
    let pipes = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = pipes.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (text(output.stdout), text(output.stderr), output.status.code().unwrap())
}

fn check(name: &str, arguments: &[&str]) {
    let input = format!("{FIXTURES}/{name}.yaml");
    let arguments = [&["-f", &input], arguments].concat();
    let (out, notes, code) = run(&arguments, "");
    let path = |extension: &str| Path::new(FIXTURES).join(name).with_extension(extension);
    bless::check(&path("out.yaml"), &out);
    bless::check(&path("err"), &notes);
    assert_eq!(code == 0, !out.is_empty());
}

#[test]
fn workloads_are_rendered() {
    let ca = format!("{FIXTURES}/ca.crt");
    check("workloads", &["--ca", &ca]);
    check("mixed", &[]);
    check("refused", &["--ca", &ca]);
}

#[test]
fn what_is_rendered_is_done() {
    let rendered = fs::read_to_string(format!("{FIXTURES}/workloads.out.yaml")).unwrap();
    let ca = format!("{FIXTURES}/ca.crt");
    let (again, notes, code) = run(&["-f", "-", "--ca", &ca], &rendered);
    assert_eq!((again, code), (rendered, 0));
    assert!(notes.lines().all(|line| line.ends_with("it has its sidecar already")), "{notes}");
}

#[test]
fn settings_and_annotations_are_taken_and_faults_told() {
    let files = Manifests::new();
    files.write("settings.yaml", "image: x\ncontroller: a:1\nport: 9090\n");
    files.write("wrong.yaml", "image: x\ncontroller: a:1\nprot: 9090\n");
    files.write("key.pem", "-----BEGIN PRIVATE KEY-----\n");
    let file = |name: &str| files.path().join(name).display().to_string();
    let pod = "kind: Pod\nspec: { containers: [{ name: a }] }\n";
    let (out, _, code) = run(&["-f", "-", "--settings", &file("settings.yaml")], pod);
    assert_eq!(code, 0);
    assert!(out.contains("http://127.0.0.1:9090/v1"), "{out}");
    let (out, error, code) = run(&["-f", "-", "--settings", &file("wrong.yaml")], pod);
    assert_eq!((out.as_str(), code), ("", 1));
    assert!(error.contains("prot") && error.contains("unknown field"), "{error}");
    let (out, error, code) = run(&["-f", "-", "--ca", &file("key.pem")], pod);
    assert_eq!((out.as_str(), code), ("", 1));
    assert!(error.contains("private key"), "{error}");
    assert_eq!(run(&["-f", "/nowhere"], "").2, 1);
    let (out, error, code) = run(&["-f", "-"], "a: [\n");
    assert_eq!((out.as_str(), code), ("", 1));
    assert!(error.contains("line"), "{error}");
}

/// kubectl reads YAML 1.1: what was text must not come out as something else.
#[test]
fn text_stays_text() {
    let words = [
        "yes",
        "no",
        "on",
        "off",
        "y",
        "n",
        "Yes",
        "NO",
        "true",
        "null",
        "~",
        "",
        " a",
        "a ",
        "010",
        "0x1f",
        "1e3",
        "1_000",
        "12:30:45",
        ".5",
        "-",
        "- a",
        "a: b",
        "a #b",
        "#b",
        "@a",
        "`a",
        "%a",
        "!a",
        "&a",
        "*a",
        "a\nb\n",
        "a\n\n b",
        "\ta",
        "\u{e9}\u{1f600}",
        "{a}",
        "[a]",
        "'",
        "\"",
        "=",
        "<<",
        "0o17",
        "+1",
        "1.",
        "NaN",
        ".inf",
        "2026-11-23",
        "---",
        "...",
        "--- a",
        "\u{85}",
        "\u{2028}",
        "a\u{0}b",
        "\u{7f}",
        "-----BEGIN X-----\nabc\n-----END X-----\n",
        "? a",
        ": a",
        "|",
        ">",
    ];
    let pod = json!({
        "kind": "Pod",
        "metadata": { "name": "a", "labels": { "pillion.dev/inject": "false" } },
        "spec": { "containers": [{ "name": "a", "args": words.to_vec(), "n": [1, -2, 1.5, true, null] }] },
    });
    let args: RenderArgs = parse(&["-f", "-"]);
    let input = pod.to_string();
    let rendered = render(&args, &mut input.as_bytes()).unwrap();
    let same: Value = yaml(&rendered.yaml);
    assert_eq!(same, pod, "{}", rendered.yaml);
    let second: Value = serde_norway::from_str(&rendered.yaml).unwrap();
    assert_eq!(second, pod);
    assert_eq!(documents::values(&rendered.yaml).len(), 1);
}
