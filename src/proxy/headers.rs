//! Which headers go on, in both directions.
//!
//! Everything goes on but what belongs to one hop (RFC 9110, 7.6.1) and what Pillion decides
//! itself: `host`, framing, credentials.

use http::header::{self, HeaderMap, HeaderName, HeaderValue};

use super::credentials;
use crate::llm::Api;
use crate::table::HeaderPolicy;

/// What Anthropic's API demands and a bare `curl` forgets.
const ANTHROPIC_VERSION: (HeaderName, HeaderValue) =
    (HeaderName::from_static("anthropic-version"), HeaderValue::from_static("2023-06-01"));

/// Removes what belongs to one hop: the fixed list, `proxy-*`, and whatever `connection` names.
pub fn strip_hop_by_hop(headers: &mut HeaderMap) {
    remove_named_by_connection(headers);
    remove(headers, is_hop_by_hop);
}

/// One look over the names there are is cheaper than asking for each name that there might be.
fn remove(headers: &mut HeaderMap, unwanted: impl Fn(&str) -> bool) {
    while let Some(name) = headers.keys().find(|name| unwanted(name.as_str())).cloned() {
        headers.remove(name);
    }
}

fn is_hop_by_hop(name: &str) -> bool {
    matches!(
        name,
        "connection"
            | "keep-alive"
            | "te"
            | "trailer"
            | "transfer-encoding"
            | "upgrade"
            | "http2-settings"
    ) || name.starts_with("proxy-")
}

fn remove_named_by_connection(headers: &mut HeaderMap) {
    if headers.contains_key(header::CONNECTION) {
        for name in named_by_connection(headers) {
            headers.remove(name);
        }
    }
}

fn named_by_connection(headers: &HeaderMap) -> Vec<HeaderName> {
    let values = headers.get_all(header::CONNECTION).iter();
    let tokens = values.flat_map(|value| value.as_bytes().split(|byte| *byte == b','));
    let tokens = tokens.map(<[u8]>::trim_ascii).filter(|token| !is_usual(token));
    tokens.filter_map(|token| HeaderName::from_bytes(token).ok()).collect()
}

/// Nearly all that is said there: `close` names no header, and `keep-alive` one that goes anyway.
fn is_usual(token: &[u8]) -> bool {
    token.eq_ignore_ascii_case(b"keep-alive") || token.eq_ignore_ascii_case(b"close")
}

/// Is it for Pillion to say?
fn is_ours(name: &str) -> bool {
    matches!(name, "host" | "content-length" | "expect")
}

/// Makes a client's headers into those of the upstream request, without any credential.
pub fn for_upstream(headers: &mut HeaderMap, api: Api, policy: &HeaderPolicy) {
    remove_named_by_connection(headers);
    remove(headers, |name| is_hop_by_hop(name) || is_ours(name) || credentials::is_one(name));
    if api == Api::AnthropicMessages && !headers.contains_key(&ANTHROPIC_VERSION.0) {
        headers.insert(ANTHROPIC_VERSION.0, ANTHROPIC_VERSION.1);
    }
    for name in &policy.remove {
        headers.remove(name);
    }
    for (name, value) in &policy.set {
        headers.insert(name, value.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[(&'static str, &'static str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        lines.iter().map(pair).collect()
    }

    #[test]
    fn what_belongs_to_one_hop_stays_there() {
        let mut map = headers(&[
            ("connection", "close, X-Secret , authorization"),
            ("x-secret", "1"),
            ("authorization", "Bearer x"),
            ("keep-alive", "5"),
            ("proxy-authorization", "Basic x"),
            ("proxy-foo", "x"),
            ("te", "trailers"),
            ("trailer", "x"),
            ("transfer-encoding", "chunked"),
            ("upgrade", "websocket"),
            ("x-kept", "1"),
        ]);
        strip_hop_by_hop(&mut map);
        assert_eq!(map, headers(&[("x-kept", "1")]));
    }

    #[test]
    fn a_version_is_added_only_where_none_was_sent() {
        let policy = HeaderPolicy::default();
        let mut map = headers(&[("anthropic-version", "2026-10-21"), ("anthropic-beta", "a,b")]);
        for_upstream(&mut map, Api::AnthropicMessages, &policy);
        let same = headers(&[("anthropic-version", "2026-10-21"), ("anthropic-beta", "a,b")]);
        assert_eq!(map, same);
        let mut none = HeaderMap::new();
        for_upstream(&mut none, Api::AnthropicMessages, &policy);
        assert_eq!(none, headers(&[("anthropic-version", "2023-06-01")]));
        let mut openai = HeaderMap::new();
        for_upstream(&mut openai, Api::OpenAiChat, &policy);
        assert!(openai.is_empty());
    }

    #[test]
    fn the_providers_rules_come_last() {
        let policy = HeaderPolicy {
            remove: vec![HeaderName::from_static("x-gone")],
            set: vec![(HeaderName::from_static("x-set"), HeaderValue::from_static("ours"))],
        };
        let mut map = headers(&[("x-gone", "1"), ("x-set", "theirs"), ("x-kept", "1")]);
        for_upstream(&mut map, Api::OpenAi, &policy);
        assert_eq!(map, headers(&[("x-set", "ours"), ("x-kept", "1")]));
    }
}
