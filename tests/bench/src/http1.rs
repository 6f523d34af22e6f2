//! As much HTTP/1.1 as the two ends of the benchmark need, over bytes that they trust.
//!
//! Owns no socket. Both ends know what the other sends, so that the end of a chunked answer can be
//! told from its last bytes; [`crate::check`] reads one answer in full to see that this is true.

use memchr::memmem;

/// The end of every chunked answer here: no event contains it.
const LAST_CHUNK: &[u8] = b"\r\n0\r\n\r\n";

/// What the start of a message says of the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Head {
    /// Bytes of the head, its blank line included.
    pub(crate) length: usize,
    pub(crate) body: Body,
}

/// How long the body is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Body {
    Sized(usize),
    Chunked,
}

/// Reads a head, if it is whole.
pub(crate) fn head(bytes: &[u8]) -> Option<Head> {
    let length = memmem::find(bytes, b"\r\n\r\n")? + 4;
    let head = &bytes[..length];
    let body = match number(head, "content-length") {
        Some(size) => Body::Sized(size),
        None if value(head, "transfer-encoding").is_some() => Body::Chunked,
        None => Body::Sized(0),
    };
    Some(Head { length, body })
}

/// A header's value.
pub(crate) fn value<'a>(head: &'a [u8], name: &str) -> Option<&'a [u8]> {
    head.split(|byte| *byte == b'\n').skip(1).find_map(|line| {
        let (key, value) = line.split_at_checked(name.len())?;
        let value = value.strip_prefix(b":")?;
        key.eq_ignore_ascii_case(name.as_bytes()).then(|| value.trim_ascii())
    })
}

/// A header's value as a number.
pub(crate) fn number(head: &[u8], name: &str) -> Option<usize> {
    std::str::from_utf8(value(head, name)?).ok()?.parse().ok()
}

/// Does a chunked message end here? `tail` holds at least its last seven bytes.
pub(crate) fn ends(tail: &[u8]) -> bool {
    tail.ends_with(LAST_CHUNK)
}

/// The content of a chunked body that is whole.
pub(crate) fn unchunk(mut body: &[u8]) -> Option<Vec<u8>> {
    let mut content = Vec::new();
    loop {
        let line = memmem::find(body, b"\r\n")?;
        let size = std::str::from_utf8(&body[..line]).ok()?.split(';').next()?;
        let size = usize::from_str_radix(size.trim(), 16).ok()?;
        if size == 0 {
            return Some(content);
        }
        let chunk = body.get(line + 2..line + 2 + size)?;
        content.extend_from_slice(chunk);
        body = body.get(line + 2 + size..)?.strip_prefix(b"\r\n")?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads() {
        fn check(bytes: &str, expected: Option<(usize, Body)>) {
            let head = head(bytes.as_bytes()).map(|head| (head.length, head.body));
            assert_eq!(head, expected, "{bytes:?}");
        }
        check("GET / HTTP/1.1\r\nhost: a\r\n", None);
        check("GET / HTTP/1.1\r\nhost: a\r\n\r\n", Some((27, Body::Sized(0))));
        check("POST / HTTP/1.1\r\nContent-Length: 12\r\n\r\nab", Some((39, Body::Sized(12))));
        check("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", Some((47, Body::Chunked)));
    }

    #[test]
    fn chunks() {
        fn check(body: &str, expected: Option<&str>) {
            let content = unchunk(body.as_bytes());
            assert_eq!(content.as_deref(), expected.map(str::as_bytes), "{body:?}");
        }
        check("3\r\nabc\r\n0\r\n\r\n", Some("abc"));
        check("3\r\nabc\r\nB;x\r\ndefghijklmn\r\n0\r\n\r\n", Some("abcdefghijklmn"));
        check("3\r\nabc\r\n", None);
        check("zz\r\nabc\r\n", None);
    }
}
