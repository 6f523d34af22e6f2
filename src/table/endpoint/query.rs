//! Parameters taken out of a query string, all other bytes kept.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

/// The query without the parameters of this (decoded) name, however they are spelled there.
///
/// What is left keeps its bytes and its order.
pub fn strip_query<'a>(query: &'a str, name: &str) -> Cow<'a, str> {
    if query.is_empty() || !query.split('&').any(|pair| is_named(pair, name)) {
        return Cow::Borrowed(query);
    }
    let kept: Vec<_> = query.split('&').filter(|pair| !is_named(pair, name)).collect();
    Cow::Owned(kept.join("&"))
}

/// A name as a server reads it.
pub(super) fn decoded(name: &str) -> String {
    let spaces = name.replace('+', " ");
    percent_decode_str(&spaces).decode_utf8_lossy().into_owned()
}

fn is_named(pair: &str, name: &str) -> bool {
    let sent = pair.split_once('=').map_or(pair, |(name, _)| name);
    match sent.contains(['%', '+']) {
        true => decoded(sent) == name,
        false => sent == name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_named_parameter_goes() {
        for (query, left) in [
            ("key=1", ""),
            ("key", ""),
            ("key=", ""),
            ("alt=sse&key=1", "alt=sse"),
            ("key=1&alt=sse", "alt=sse"),
            ("a=%2F%2f&key=1&key=2&b=+", "a=%2F%2f&b=+"),
            ("%6bey=1&%6B%65%79=2&a", "a"),
            ("keys=1&KEY=2&a=key", "keys=1&KEY=2&a=key"),
            ("", ""),
            ("&&a=b&&", "&&a=b&&"),
            ("&key=1&a", "&a"),
        ] {
            assert_eq!(strip_query(query, "key"), left, "{query}");
        }
        assert_eq!(strip_query("a+b=1&a%20b=2&c", "a b"), "c");
    }
}
