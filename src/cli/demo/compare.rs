//! What the proxy changed: headers and bodies, before and after, with every credential redacted.
//!
//! Redaction is by the header's name and happens here, so that nothing that is shown holds a key.

use http::HeaderMap;

/// Headers that carry credentials.
const CREDENTIALS: [&str; 5] =
    ["authorization", "x-api-key", "api-key", "x-goog-api-key", "cookie"];

/// Headers, compared.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Headers {
    pub(super) changed: Vec<Change>,
    pub(super) kept: Vec<String>,
}

/// Something that is not as it was.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Change {
    Removed(String),
    Added(String),
}

/// A body, compared.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Body {
    /// What stood there, and what stands there now. Of a pure insertion only what is new.
    pub(super) changed: Vec<Change>,
    /// How many bytes are as they were.
    pub(super) kept: usize,
}

/// Compares the headers that the client sent with those that the provider got.
pub(super) fn headers(before: &[(&'static str, String)], after: &HeaderMap) -> Headers {
    let mut headers = Headers { changed: Vec::new(), kept: Vec::new() };
    for (name, value) in before {
        if after.get(*name).is_some_and(|now| now.as_bytes() == value.as_bytes()) {
            headers.kept.push((*name).to_owned());
            continue;
        }
        headers.changed.push(Change::Removed(shown(name, value)));
        headers.changed.extend(added(after, name));
    }
    let is_new = |name: &&str| !before.iter().any(|(known, _)| known == name);
    for name in after.keys().map(http::HeaderName::as_str).filter(is_new) {
        headers.changed.extend(added(after, name));
    }
    headers
}

/// Compares bodies: one span, widened to whole members of the JSON.
pub(super) fn body(before: &[u8], after: &[u8]) -> Body {
    if before == after {
        return Body { changed: Vec::new(), kept: before.len() };
    }
    let same = |(a, b): &(&u8, &u8)| a == b;
    let front = before.iter().zip(after).take_while(same).count();
    let (rest_before, rest_after) = (&before[front..], &after[front..]);
    let backwards = rest_before.iter().rev().zip(rest_after.iter().rev());
    let back = backwards.take_while(same).count();
    let kept = front + back;
    if kept == before.len() {
        let new = String::from_utf8_lossy(inserted(before, after, front)).into_owned();
        let changed = vec![Change::Added(new)];
        return Body { changed, kept };
    }
    let text = |body: &[u8]| {
        let (span, tail) = body.split_at(body.len() - back);
        let tail = tail.iter().take_while(|byte| !is_border(**byte));
        let span = span[member_start(before, front)..].iter();
        let bytes: Vec<u8> = span.chain(tail).copied().collect();
        String::from_utf8_lossy(&bytes).into_owned()
    };
    let changed = vec![Change::Removed(text(before)), Change::Added(text(after))];
    Body { changed, kept }
}

fn added<'a>(after: &'a HeaderMap, name: &'a str) -> impl Iterator<Item = Change> + use<'a> {
    let values = after.get_all(name).iter();
    values.map(move |value| Change::Added(shown(name, &String::from_utf8_lossy(value.as_bytes()))))
}

/// What was inserted at `front`, moved to where its member begins if that comes to the same bytes.
fn inserted<'a>(before: &[u8], after: &'a [u8], front: usize) -> &'a [u8] {
    let length = after.len() - before.len();
    let start = member_start(before, front);
    let same = before[start..front] == after[start + length..front + length];
    let start = if same { start } else { front };
    &after[start..start + length]
}

/// A header as it may be seen.
fn shown(name: &str, value: &str) -> String {
    if !CREDENTIALS.contains(&name) {
        return format!("{name}: {value}");
    }
    let (scheme, key) = match value.split_once(' ') {
        Some((scheme @ "Bearer", key)) => (format!("{scheme} "), key),
        _ => (String::new(), value),
    };
    format!("{name}: {scheme}[redacted, {} characters]", key.chars().count())
}

/// Where the JSON member begins that `at` is in.
fn member_start(body: &[u8], at: usize) -> usize {
    let border = body[..at].iter().rposition(|byte| is_border(*byte));
    border.map_or(0, |border| border + 1)
}

fn is_border(byte: u8) -> bool {
    matches!(byte, b',' | b'{' | b'}')
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn check(before: &str, after: &str, changed: &[&str], kept: usize) {
        let compared = body(before.as_bytes(), after.as_bytes());
        let shown = compared.changed.iter().map(|change| match change {
            Change::Removed(text) => format!("- {text}"),
            Change::Added(text) => format!("+ {text}"),
        });
        assert_eq!(shown.collect::<Vec<_>>(), changed);
        assert_eq!(compared.kept, kept, "{before} {after}");
    }

    #[test]
    fn bodies() {
        check(r#"{"a":1}"#, r#"{"a":1}"#, &[], 7);
        let renamed = [r#"- "model":"fast""#, r#"+ "model":"z/glm""#];
        check(r#"{"model":"fast","n":1}"#, r#"{"model":"z/glm","n":1}"#, &renamed, 18);
        check(r#"{"n":1}"#, r#"{"o":{},"n":1}"#, &[r#"+ "o":{},"#], 7);
        check(r#"{"n":1}"#, r#"{"n":12}"#, &["+ 2"], 7);
        check("", "x", &["+ x"], 0);
        check("x", "", &["- x", "+ "], 0);
    }

    #[test]
    fn headers_show_what_changed_and_no_key() {
        let before = [
            ("host", "a:1".to_owned()),
            ("authorization", "Bearer canary-1".to_owned()),
            ("x-app", "cli".to_owned()),
        ];
        let mut after = HeaderMap::new();
        after.insert("host", HeaderValue::from_static("b:2"));
        after.insert("x-api-key", HeaderValue::from_static("canary-22"));
        after.insert("x-app", HeaderValue::from_static("cli"));
        let compared = headers(&before, &after);
        let expected = [
            Change::Removed("host: a:1".to_owned()),
            Change::Added("host: b:2".to_owned()),
            Change::Removed("authorization: Bearer [redacted, 8 characters]".to_owned()),
            Change::Added("x-api-key: [redacted, 9 characters]".to_owned()),
        ];
        assert_eq!(compared.changed, expected);
        assert_eq!(compared.kept, ["x-app"]);
    }
}
