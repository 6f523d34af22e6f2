//! Headers and URLs as they may be shown: a label stands where a key was.
//!
//! What is left out is decided by what a header or parameter is called, and by the mark that key
//! material carries; never by how the value looks. Rather too much is left out than too little.

use std::borrow::Cow;

use http::header::{HeaderName, HeaderValue};
use http::uri::PathAndQuery;
use percent_encoding::percent_decode_str;

use crate::table::{Endpoint, Origin, Scheme};

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
pub(super) fn url(endpoint: &Endpoint, sent: &PathAndQuery, key: Option<&str>) -> String {
    let origin = origin(&endpoint.origin);
    let query = match key {
        Some(label) => sent.query().map(|query| with_key(query, label)),
        None => sent.query().map(shown_query),
    };
    match query {
        Some(query) => format!("{origin}{}?{query}", sent.path()),
        None => format!("{origin}{}", sent.path()),
    }
}

fn origin(origin: &Origin) -> String {
    match origin.scheme {
        Scheme::Http => format!("http://{}", origin.authority),
        Scheme::Https => format!("https://{}", origin.authority),
    }
}

/// The query, with a label for the value of its last parameter.
fn with_key(query: &str, label: &str) -> String {
    let (before, pair) = match query.rsplit_once('&') {
        Some((before, pair)) => (shown_query(before) + "&", pair),
        None => (String::new(), query),
    };
    let name = pair.split_once('=').map_or(pair, |(name, _)| name);
    format!("{before}{name}=‹{label}›")
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
        let sent = PathAndQuery::from_static(sent);
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
