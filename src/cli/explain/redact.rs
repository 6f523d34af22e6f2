//! Headers and URLs as they may be shown: a label stands where a key was.
//!
//! What is left out is decided by what a header or parameter is called, and by the mark that key
//! material carries; never by how the value looks. Rather too much is left out than too little.

use std::borrow::Cow;

use http::header::{HeaderName, HeaderValue};
use percent_encoding::percent_decode_str;

use crate::table::{Endpoint, Scheme};

/// Names of headers and parameters that carry keys, or parts of such names.
const TELLING: [&str; 7] =
    ["auth", "cookie", "credential", "passw", "secret", "signature", "token"];

/// What a caller's own credential is called.
pub(super) const CALLERS: &str = "caller's key";

/// A header's value; `label` stands where a key was.
pub(super) fn header(name: &HeaderName, value: &HeaderValue, label: &str) -> String {
    if !value.is_sensitive() && !is_telling(name.as_str()) {
        return String::from_utf8_lossy(value.as_bytes()).into_owned();
    }
    let schemes = ["Bearer ", "Basic "];
    let scheme = schemes.iter().find(|scheme| {
        let start = value.as_bytes().get(..scheme.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(scheme.as_bytes()))
    });
    format!("{}‹{label}›", scheme.unwrap_or(&""))
}

/// A path with its query, without the keys that the caller put in.
pub(super) fn target(path: &str, query: Option<&str>) -> String {
    match query {
        Some(query) => format!("{path}?{}", shown_query(query)),
        None => path.to_owned(),
    }
}

/// The URL of an upstream request. `key` is the label of Pillion's own key, where that stands last
/// in the query.
pub(super) fn url(
    endpoint: &Endpoint,
    sent: &http::uri::PathAndQuery,
    key: Option<&str>,
) -> String {
    let scheme = match endpoint.origin.scheme {
        Scheme::Http => "http",
        Scheme::Https => "https",
    };
    let origin = format!("{scheme}://{}", endpoint.origin.authority);
    let (before, last) = match (key, sent.query()) {
        (Some(label), Some(query)) => {
            let (before, pair) = query.rsplit_once('&').unwrap_or(("", query));
            let name = pair.split_once('=').map_or(pair, |(name, _)| name);
            (Some(before), Some(format!("{name}=‹{label}›")))
        }
        (_, query) => (query, None),
    };
    let kept = before.filter(|query| !query.is_empty()).map(shown_query);
    let query: Vec<String> = kept.into_iter().chain(last).collect();
    match query.is_empty() {
        true => format!("{origin}{}", sent.path()),
        false => format!("{origin}{}?{}", sent.path(), query.join("&")),
    }
}

fn shown_query(query: &str) -> String {
    let pairs = query.split('&').map(|pair| match pair.split_once('=') {
        Some((name, _)) if is_telling(&decoded(name)) => format!("{name}=‹{CALLERS}›").into(),
        _ => Cow::Borrowed(pair),
    });
    pairs.collect::<Vec<_>>().join("&")
}

fn decoded(name: &str) -> String {
    percent_decode_str(name).decode_utf8_lossy().into_owned()
}

fn is_telling(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    // `key`, `api_key`, `x-goog-api-key`; but not `idempotency-key`, which opens nothing.
    (name.ends_with("key") && name != "idempotency-key")
        || TELLING.iter().any(|part| name.contains(part))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::llm::Api;
    use crate::table::Trust;

    #[test]
    fn keys_are_not_shown_whatever_they_look_like() {
        for (name, value, expected) in [
            ("authorization", "Bearer canary", "Bearer ‹key main›"),
            ("authorization", "bearer canary", "Bearer ‹key main›"),
            ("authorization", "canary canary", "‹key main›"),
            ("x-api-key", "canary", "‹key main›"),
            ("cookie", "a=canary", "‹key main›"),
            ("x-my-secret", "canary", "‹key main›"),
            ("idempotency-key", "seen", "seen"),
            ("anthropic-version", "2023-06-01", "2023-06-01"),
        ] {
            let name = HeaderName::from_static(name);
            let shown = header(&name, &HeaderValue::from_static(value), "key main");
            assert_eq!(shown, expected, "{name}: {value}");
        }
        let mut marked = HeaderValue::from_static("canary");
        marked.set_sensitive(true);
        let shown = header(&HeaderName::from_static("x-odd"), &marked, "key main");
        assert_eq!(shown, "‹key main›");
    }

    fn check(sent: &'static str, key: Option<&str>, expected: &str) {
        let base = "https://example.com/v1?api-version=1";
        let endpoint = Endpoint::parse(Api::OpenAi, base, Trust::System).unwrap();
        let sent = http::uri::PathAndQuery::from_static(sent);
        assert_eq!(url(&endpoint, &sent, key), format!("https://example.com{expected}"));
    }

    #[test]
    fn nor_in_urls() {
        check("/v1/x", None, "/v1/x");
        check("/v1/x?a=b", None, "/v1/x?a=b");
        check("/v1/x?odd=canary", Some("key main"), "/v1/x?odd=‹key main›");
        check("/v1/x?a=b&odd=canary", Some("k"), "/v1/x?a=b&odd=‹k›");
        check("/v1/x?%6bey=canary&a", None, "/v1/x?%6bey=‹caller's key›&a");
        assert_eq!(target("/v1", Some("key=canary")), "/v1?key=‹caller's key›");
    }
}
