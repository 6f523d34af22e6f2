//! The cases of the HTTP/1 corpus, which lies beside the project and not in it: bytes, and what two
//! strict parsers make of them.

use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine;
use serde_json::Value;

/// One case.
#[derive(Debug, Clone)]
pub(super) struct Case {
    pub(super) id: String,
    pub(super) direction: Direction,
    pub(super) verdict: Verdict,
    /// How many messages the first parser sees the end of.
    pub(super) messages: usize,
    /// Do both parsers, in their strict mode, refuse it?
    pub(super) core: bool,
    pub(super) bytes: Vec<u8>,
    /// The bodies of its messages, as the first parser sees them, joined; without line breaks,
    /// which it tells apart from the rest.
    pub(super) bodies: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    Request,
    Response,
}

/// What the first parser says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Accept,
    /// Accepted only by a parser that is told to be lenient.
    Lenient,
    Reject,
    Upgrade,
}

/// The cases of a direction, or none where there is no corpus.
pub(super) fn cases(direction: Direction) -> Vec<Case> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus");
    let folder = std::env::var_os("PILLION_CORPUS").map_or(beside, PathBuf::from);
    let Ok(text) = fs::read_to_string(folder.join("http1/llhttp.jsonl")) else {
        println!("skipped: no corpus of HTTP/1 cases here (PILLION_CORPUS names its folder)");
        return Vec::new();
    };
    let all: Vec<Case> =
        text.lines().map(|line| case(&serde_json::from_str(line).unwrap())).collect();
    assert!(all.len() > 200, "the corpus has shrunk to {}", all.len());
    all.into_iter().filter(|case| case.direction == direction).collect()
}

fn case(record: &Value) -> Case {
    let text = |name: &str| record[name].as_str().unwrap();
    let strict = record["lenient"] == false;
    let (first, second) = (text("verdict"), text("h11_verdict"));
    let bodies = record["spans"].as_array().unwrap().iter().filter(|span| span[0] == "body");
    Case {
        id: text("id").to_owned(),
        direction: match text("direction") {
            "request" => Direction::Request,
            _ => Direction::Response,
        },
        verdict: match first {
            "reject" => Verdict::Reject,
            _ if !strict => Verdict::Lenient,
            "upgrade" => Verdict::Upgrade,
            _ => Verdict::Accept,
        },
        messages: record["messages_complete"].as_u64().unwrap().try_into().unwrap(),
        core: strict && first == "reject" && second == "reject",
        bytes: base64::engine::general_purpose::STANDARD.decode(text("raw_b64")).unwrap(),
        bodies: bodies.map(|span| span[1].as_str().unwrap()).collect(),
    }
}

// === impl Case ===

impl Case {
    /// The method of the first request, as far as it can be read.
    pub(super) fn method(&self) -> &str {
        let bytes = self.bytes.trim_ascii_start();
        let end = bytes.iter().position(|byte| *byte == b' ').unwrap_or(bytes.len());
        std::str::from_utf8(&bytes[..end]).unwrap_or_default()
    }

    /// The same with its path, where its request line is well-formed, replaced by `path`, and with
    /// a host if it has none: so that nothing but its framing keeps it from being forwarded.
    pub(super) fn aimed_at(&self, path: &str) -> Option<Vec<u8>> {
        let start = self.bytes.iter().position(|byte| !b"\r\n".contains(byte))?;
        let line = &self.bytes[start..];
        let end = line.iter().position(|byte| b"\r\n".contains(byte))?;
        let words: Vec<&[u8]> = line[..end].split(|byte| *byte == b' ').collect();
        let [method, target, version] = words[..] else { return None };
        if !target.is_ascii()
            || !version.starts_with(b"HTTP/")
            || [&b"CONNECT"[..], b"PRI"].contains(&method)
        {
            return None;
        }
        let head = self.bytes.windows(4).position(|bytes| bytes == b"\r\n\r\n");
        let head = &self.bytes[..head.unwrap_or(self.bytes.len())].to_ascii_lowercase();
        let host = match head.windows(6).any(|bytes| bytes == b"\nhost:") {
            true => &b""[..],
            false => b"\r\nHost: a",
        };
        let begin = [&self.bytes[..start], method, b" ", path.as_bytes(), b" ", version].concat();
        Some([&begin, host, &line[end..]].concat())
    }
}
