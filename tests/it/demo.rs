//! `pillion demo`, as a process: what it shows, what it never shows, how it ends.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// Every made-up key and token of the demo begins so.
const CANARY: &str = "not-a-real-";

fn demo(folder: &TempDir) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pillion"));
    command.arg("demo").env("TMPDIR", folder.path());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn is_empty(folder: &TempDir) -> bool {
    fs::read_dir(folder.path()).unwrap().next().is_none()
}

/// The lines of the block with this title, labels and all.
fn block<'a>(shown: &'a str, title: &str) -> &'a str {
    let (_, rest) = shown.split_once(title).unwrap_or_else(|| panic!("no {title}: {shown}"));
    rest.split("\n\n").next().unwrap()
}

#[track_caller]
fn check(block: &str, facts: &[&str]) {
    // Lines are wrapped by width, which depends on how long numbers are.
    let flat = block.split_whitespace().collect::<Vec<_>>().join(" ");
    for fact in facts {
        assert!(flat.contains(fact), "no `{fact}` in {block}");
    }
}

#[test]
fn shows_what_became_of_each_call_and_no_key() {
    let keys = fs::read_to_string(
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/cli/demo/manifests/keys.yaml"),
    );
    assert_eq!(keys.unwrap().matches(CANARY).count(), 3, "the canary is what is searched for");

    let folder = TempDir::new().unwrap();
    let output = demo(&folder).arg("--once").output().unwrap();
    let shown = String::from_utf8(output.stdout).unwrap();
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
    assert!(output.status.success(), "{shown}");
    assert!(is_empty(&folder), "the temporary folder stays behind");

    assert!(!shown.contains(CANARY), "{shown}");
    assert!(!shown.contains('\u{1b}'), "colours in a pipe");
    let wide: Vec<&str> = shown.lines().filter(|line| line.chars().count() > 80).collect();
    assert!(wide.is_empty(), "{wide:?}");
    facts(&shown);
}

fn facts(shown: &str) {
    check(
        block(shown, "a chat, whole"),
        &[
            "rule gpt -> default/openai, key main",
            "/openai/v1/chat/completions",
            "- authorization: Bearer [redacted, 35 characters]",
            "+ authorization: Bearer [redacted, 29 characters]",
            "all 75 bytes as sent",
            "answer 200 served, 4 tokens in, 12 out",
        ],
    );
    check(
        block(shown, "a chat, streamed"),
        &[r#"+ "stream_options":{"include_usage":true},"#, "12 out, first token "],
    );
    check(
        block(shown, "`fast`"),
        &[r#"- "model":"fast""#, r#"+ "model":"z-ai/glm-4.5-air""#, "/openrouter/api/v1/chat/"],
    );
    check(
        block(shown, "Claude Code, streamed"),
        &[
            "/openrouter/api/v1/messages?beta=true",
            "anthropic-version, anthropic-beta, x-claude-code-session-id",
            "from cache, 12 out, first token ",
        ],
    );
    check(
        block(shown, "no route takes"),
        &["upstream none", "404 no_route", "x-pillion-reason: no_route", "`llama-9-huge`"],
    );
    check(block(shown, "is busy"), &["429 served", "retry-after: 7", "too many requests"]);
    check(block(shown, "Other APIs"), &["/v1/responses", "/v1/embeddings", "/v1/messages"]);
    check(block(shown, "targets by weight"), &["of 20 calls -> default/anthropic"]);
    check(
        block(shown, "A reload while a stream runs"),
        &[
            "reload applied ",
            "as qwen/qwen3-coder; 200 served",
            "; while the stream runs",
            "as z-ai/glm-4.5-air; 200 served, 4 tokens in, 100 out",
        ],
    );
    check(block(shown, "own token"), &["reached the providers in 0 of 30 requests"]);
}

#[test]
fn an_interrupt_ends_it_well() {
    let folder = TempDir::new().unwrap();
    let mut child = demo(&folder).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    while !line.starts_with("1. ") {
        line.clear();
        assert!(lines.read_line(&mut line).unwrap() > 0, "ended before the first call");
    }
    assert!(!is_empty(&folder));
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    lines.read_to_string(&mut line).unwrap();
    assert!(child.wait().unwrap().success());
    assert!(is_empty(&folder), "the temporary folder stays behind");
}

/// A reader that leaves (`| head`) has seen enough: that is no failure.
#[test]
fn a_reader_that_leaves_ends_it_well() {
    let folder = TempDir::new().unwrap();
    let mut child = demo(&folder).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
    assert!(output.status.success() && is_empty(&folder));
}
