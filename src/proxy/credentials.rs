//! The caller's credentials: found, compared, taken away, and now and then sent on.
//!
//! Whatever the mode: cookies never go on, and neither does a key that any route knows as a client
//! key.

use std::borrow::Cow;

use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use percent_encoding::percent_decode_str;

use crate::secret::Digest;
use crate::table::plan::{ClientCredentials, ProviderKeys};

/// The headers that carry a key as their whole value.
const KEY_HEADERS: [HeaderName; 3] = [
    HeaderName::from_static("x-api-key"),
    HeaderName::from_static("api-key"),
    HeaderName::from_static("x-goog-api-key"),
];

/// The query parameter that carries a Gemini key.
pub const QUERY_KEY: &str = "key";

/// A credential that the caller presented.
#[derive(Debug, Clone)]
pub struct Presented<'a> {
    place: Place,
    token: Cow<'a, [u8]>,
    /// The header's value as it was sent.
    value: Option<&'a HeaderValue>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    Header(HeaderName),
    Query,
}

/// What the upstream request will carry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Carried {
    /// A key of the provider's accounts.
    Account,
    /// These headers of the caller.
    Headers(Vec<(HeaderName, HeaderValue)>),
    /// The caller's own `?key=`, as it was sent.
    ClientQuery,
}

/// Every credential of a request.
pub fn presented<'a>(headers: &'a HeaderMap, query: Option<&'a str>) -> Vec<Presented<'a>> {
    let mut all = Vec::new();
    for value in headers.get_all(header::AUTHORIZATION) {
        let token = Cow::Borrowed(bearer(value.as_bytes()));
        all.push(Presented {
            place: Place::Header(header::AUTHORIZATION),
            token,
            value: Some(value),
        });
    }
    for name in KEY_HEADERS {
        for value in headers.get_all(&name) {
            let token = Cow::Borrowed(value.as_bytes());
            all.push(Presented { place: Place::Header(name.clone()), token, value: Some(value) });
        }
    }
    for pair in query.unwrap_or_default().split('&') {
        if let Some((QUERY_KEY, token)) = pair.split_once('=') {
            let token = percent_decode_str(token).into();
            all.push(Presented { place: Place::Query, token, value: None });
        }
    }
    all
}

/// The digests of what was presented, for the routes' client keys.
pub fn digests(presented: &[Presented<'_>]) -> Vec<Digest> {
    presented.iter().map(|presented| Digest::of(&presented.token)).collect()
}

/// What goes upstream in this mode; `is_client_key` tells keys that routes know.
pub fn carried(
    mode: &ClientCredentials,
    presented: &[Presented<'_>],
    is_client_key: impl Fn(&Digest) -> bool,
) -> Carried {
    let own = |presented: &&Presented<'_>| {
        !presented.token.is_empty() && !is_client_key(&Digest::of(&presented.token))
    };
    match mode {
        ClientCredentials::Replace => Carried::Account,
        ClientCredentials::Forward => as_sent(presented.iter().filter(own)),
        ClientCredentials::ForwardIfProviderKey(keys) => {
            let header = presented.iter().filter(own).find_map(|presented| keys.header(presented));
            header.map_or(Carried::Account, |header| Carried::Headers(vec![header]))
        }
    }
}

/// Does a header of this name carry credentials?
pub fn is_one(name: &str) -> bool {
    matches!(name, "authorization" | "cookie" | "x-api-key" | "api-key" | "x-goog-api-key")
}

fn as_sent<'a>(own: impl Iterator<Item = &'a Presented<'a>>) -> Carried {
    let mut headers = Vec::new();
    let mut query = false;
    for presented in own {
        match (&presented.place, presented.value) {
            (Place::Header(name), Some(value)) => {
                let mut value = value.clone();
                value.set_sensitive(true);
                headers.push((name.clone(), value));
            }
            _ => query = true,
        }
    }
    match (headers.is_empty(), query) {
        (false, _) => Carried::Headers(headers),
        (true, true) => Carried::ClientQuery,
        (true, false) => Carried::Account,
    }
}

/// The token of `Bearer TOKEN` (the scheme in any case), or the whole value.
fn bearer(value: &[u8]) -> &[u8] {
    match value.split_at_checked(7) {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case(b"bearer ") => token.trim_ascii(),
        _ => value,
    }
}

// === impl ProviderKeys ===

impl ProviderKeys {
    /// The header in which this provider takes the presented key, if it is one of its own.
    fn header(&self, presented: &Presented<'_>) -> Option<(HeaderName, HeaderValue)> {
        let begins =
            |prefixes: &[&str]| prefixes.iter().any(|p| presented.token.starts_with(p.as_bytes()));
        let as_bearer = begins(self.bearer_prefixes)
            || (begins(self.api_key_prefixes) && self.header == header::AUTHORIZATION);
        let (name, prefix) = match as_bearer {
            true => (header::AUTHORIZATION, &b"Bearer "[..]),
            false if begins(self.api_key_prefixes) => (self.header.clone(), &b""[..]),
            false => return None,
        };
        let mut value = HeaderValue::from_bytes(&[prefix, &presented.token].concat()).ok()?;
        value.set_sensitive(true);
        Some((name, value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANTHROPIC: ProviderKeys = ProviderKeys {
        api_key_prefixes: &["sk-ant-"],
        bearer_prefixes: &["sk-ant-oat"],
        header: HeaderName::from_static("x-api-key"),
    };

    fn check(
        mode: &ClientCredentials,
        lines: &[(&'static str, &str)],
        query: &str,
        expected: &str,
    ) {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, HeaderValue::from_str(value).unwrap());
        }
        let presented = presented(&headers, Some(query));
        let team = Digest::of(b"team-key");
        let shown = match carried(mode, &presented, |digest| digest.matches(&team)) {
            Carried::Account => "account".to_owned(),
            Carried::ClientQuery => "query".to_owned(),
            Carried::Headers(all) => all
                .iter()
                .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
                .collect::<Vec<_>>()
                .join("; "),
        };
        assert_eq!(shown, expected, "{lines:?} {query}");
    }

    #[test]
    fn replace_takes_everything_away() {
        let lines = [("authorization", "Bearer sk-ant-api03-x"), ("x-api-key", "sk-ant-y")];
        check(&ClientCredentials::Replace, &lines, "key=z", "account");
    }

    #[test]
    fn forward_sends_on_what_is_no_client_key() {
        let forward = ClientCredentials::Forward;
        check(&forward, &[("authorization", "Bearer mine")], "", "authorization: Bearer mine");
        check(&forward, &[("authorization", "bearer team-key")], "", "account");
        let both = [("authorization", "Bearer mine"), ("x-api-key", "team-key")];
        check(&forward, &both, "", "authorization: Bearer mine");
        check(&forward, &[], "key=mine", "query");
        check(&forward, &[], "key=team%2Dkey", "account");
        check(&forward, &[("cookie", "a=b")], "", "account");
        check(&forward, &[], "", "account");
    }

    #[test]
    fn only_the_providers_own_keys_go_on_and_where_it_wants_them() {
        let mode = ClientCredentials::ForwardIfProviderKey(ANTHROPIC);
        let oauth = "Bearer sk-ant-oat01-x";
        check(&mode, &[("authorization", oauth)], "", "authorization: Bearer sk-ant-oat01-x");
        check(
            &mode,
            &[("authorization", "Bearer sk-ant-api03-x")],
            "",
            "x-api-key: sk-ant-api03-x",
        );
        check(&mode, &[("x-api-key", "sk-ant-api03-x")], "", "x-api-key: sk-ant-api03-x");
        check(&mode, &[("authorization", "Bearer sk-or-v1-x")], "", "account");
        check(&mode, &[("authorization", "Bearer team-key")], "", "account");
    }
}
