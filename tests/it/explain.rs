//! `pillion explain`, over `tests/fixtures/explain`.

use std::collections::BTreeMap;
use std::process::Command;

use pillion::cli::explain::{ExplainArgs, explain};
use pillion::cli::terminal::{Colour, Layout, Look};

use serde_json::Value;

use crate::snapshots;
use crate::support::manifests::Manifests;
use crate::support::proxy::{Launch, Proxy};
use crate::support::upstream::{Recorded, Upstream, json_answer};
use crate::support::yaml::{key, provider, route};

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

/// A call: path, headers, body.
type Call = (&'static str, &'static [(&'static str, &'static str)], &'static str);

/// Headers by name, in the order in which they stand.
type Headers = BTreeMap<String, Vec<String>>;

/// The first two are renamed, the third is asked for its usage as well, the last is left alone.
const CALLS: [Call; 4] = [
    ("/v1/messages?beta=true&key=mine", &[("x-api-key", "mine")], r#"{"a":1, "model":"old"}"#),
    ("/anthropic/v1/messages", &[("anthropic-beta", "b"), ("cookie", "c")], r#"{"model":"old"}"#),
    (
        "/v1/chat/completions",
        &[("x-gone", "1"), ("accept-encoding", "gzip")],
        r#"{ "stream": true, "model": "\u006fld", "messages": [] }"#,
    ),
    ("/v1beta/models/as-is:generateContent?alt=sse&key=mine", &[("x-a", "1")], r#"{"x": [ ]}"#),
];

/// What is told is what the provider gets.
#[test]
fn tells_what_the_data_plane_does() {
    let upstream = Upstream::replying(|_| json_answer("200 OK", "{}"));
    let base = upstream.url() + "/base/v1";
    for more in [
        "  headers: { set: { X-Set: ours }, remove: [x-gone] }\n  streamUsage: Request\n",
        "  auth: { type: QueryParameter, name: key }\n",
        "  clientCredentials: Forward\n",
    ] {
        let yaml = provider("there", &base, more)
            + &route(
                "all",
                "[{ matches: [{ model: old }], targets: [{ provider: { name: there }, model: new \
                 }] }, { targets: [{ provider: { name: there } }] }]",
            );
        let manifests = Manifests::new();
        manifests.write("all.yaml", &yaml);
        let told = CALLS.map(|call| told_of(&manifests, call));
        let proxy = Launch::new().start_from(manifests);
        for (call, told) in CALLS.into_iter().zip(told) {
            compare(&told, &sent(&proxy, &upstream, call), (&upstream.url(), call));
        }
    }
}

fn told_of(manifests: &Manifests, (path, headers, body): Call) -> Value {
    let folder = manifests.path();
    std::fs::write(folder.join("body"), body).unwrap();
    let (folder, body) = (folder.to_str().unwrap(), folder.join("body"));
    let lines: Vec<String> =
        headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    let headers = lines.iter().flat_map(|line| ["--header", line]);
    let fixed = [folder, "--output=json", "--path", path, "--body", body.to_str().unwrap()];
    let line: Vec<&str> = fixed.into_iter().chain(headers).collect();
    let told = told(&snapshots::parse(&line), Look::PLAIN);
    serde_json::from_str(told.split_once("# Served").unwrap().0).unwrap()
}

fn sent(proxy: &Proxy, upstream: &Upstream, (path, headers, body): Call) -> Recorded {
    let before = upstream.requests().len();
    let json = [("content-type", "application/json")];
    let headers = [headers, &json].concat();
    assert_eq!(proxy.client().post(path, &headers, body).status(), 200);
    upstream.wait_requests(before + 1).swap_remove(before)
}

#[track_caller]
fn compare(told: &Value, sent: &Recorded, (origin, (path, headers, body)): (&str, Call)) {
    let target = &told["targets"][0];
    // What the story leaves out: our key, and the caller's.
    let shown = |name: &str, text: &str| match name {
        "x-api-key" | "authorization" | "cookie" | "url" => {
            let text =
                text.replace(&key("there"), "‹key main›").replace("key=mine", "key=‹caller's key›");
            text.replace(&key("there").replace('-', "%2D"), "‹key main›")
                .replace("mine", "‹caller's key›")
        }
        _ => text.to_owned(),
    };
    let url = shown("url", &format!("{origin}{}", sent.target()));
    assert_eq!(target["url"], url.as_str(), "{path}");
    let mut expected = Headers::new();
    for (name, value) in &sent.head.headers {
        let name = name.to_ascii_lowercase();
        expected.entry(name.clone()).or_default().push(shown(&name, value));
    }
    assert_eq!(after(target), expected, "{path} {headers:?}");
    assert_eq!(edited(target, body), sent.text(), "{path}");
}

fn after(target: &Value) -> Headers {
    let mut headers = Headers::new();
    for header in target["headers"].as_array().unwrap() {
        let values: Vec<String> = serde_json::from_value(header["after"].clone()).unwrap();
        if !values.is_empty() {
            headers.insert(header["name"].as_str().unwrap().to_owned(), values);
        }
    }
    headers
}

/// The body with the edits that are told, from the last to the first.
fn edited(target: &Value, body: &str) -> String {
    let mut body = body.to_owned();
    for edit in target["bodyEdits"].as_array().unwrap().iter().rev() {
        let at = usize::try_from(edit["at"].as_u64().unwrap()).unwrap();
        let before = edit["before"].as_str().unwrap();
        assert_eq!(body.get(at..at + before.len()), Some(before));
        body.replace_range(at..at + before.len(), edit["after"].as_str().unwrap());
    }
    body
}
