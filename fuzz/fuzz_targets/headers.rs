//! What of a client's headers goes on: nothing that belongs to one hop, no credential, and all of
//! the rest in its order. The input is header lines, as a client would write them.

#![no_main]

use http::header::{HeaderMap, HeaderName, HeaderValue};
use libfuzzer_sys::fuzz_target;
use pillion::llm::Api;
use pillion::proxy::headers;
use pillion::table::HeaderPolicy;

const NEVER: [&str; 15] = [
    "connection",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "http2-settings",
    "host",
    "content-length",
    "expect",
    "authorization",
    "cookie",
    "x-api-key",
    "api-key",
    "x-goog-api-key",
];

fuzz_target!(|input: &[u8]| {
    let Some((api, lines)) = input.split_first() else { return };
    let sent = parsed(lines);
    let api = Api::ALL[usize::from(*api) % Api::ALL.len()];
    let mut got = sent.clone();
    headers::for_upstream(&mut got, api, &policy());
    for name in got.keys() {
        let name = name.as_str();
        assert!(!NEVER.contains(&name) && !name.starts_with("proxy-"), "{name} went on");
    }
    assert!(!got.contains_key("x-gone"));
    assert_eq!(got.get("x-set"), Some(&HeaderValue::from_static("ours")));
    let named = named(&sent);
    for name in sent.keys() {
        let ours = ["x-gone", "x-set", "anthropic-version"].contains(&name.as_str());
        let gone = NEVER.contains(&name.as_str())
            || name.as_str().starts_with("proxy-")
            || named.contains(name);
        if !ours {
            let left: Vec<_> = got.get_all(name).iter().collect();
            let all: Vec<_> = sent.get_all(name).iter().collect();
            assert_eq!(left, if gone { vec![] } else { all }, "{name}");
        }
    }
});

fn policy() -> HeaderPolicy {
    HeaderPolicy {
        remove: vec![HeaderName::from_static("x-gone")],
        set: vec![(HeaderName::from_static("x-set"), HeaderValue::from_static("ours"))],
    }
}

fn parsed(lines: &[u8]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for line in lines.split(|byte| *byte == b'\n').take(100) {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
        let value = line[colon + 1..].trim_ascii();
        let name = HeaderName::from_bytes(&line[..colon]);
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_bytes(value)) {
            headers.append(name, value);
        }
    }
    headers
}

/// Read in another way than the code under test does.
fn named(headers: &HeaderMap) -> Vec<HeaderName> {
    let values = headers.get_all("connection").iter();
    let joined = values.map(|value| value.as_bytes()).collect::<Vec<_>>().join(&b',');
    let tokens = joined.split(|byte| *byte == b',');
    tokens.filter_map(|token| HeaderName::from_bytes(token.trim_ascii()).ok()).collect()
}
