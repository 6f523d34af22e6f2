//! HTTP/1.1 as the strictest of servers reads it, from a transcript of all that arrived.
//!
//! Panics where bytes could be read in two ways: a bare CR or LF, a control byte, white space in a
//! name, two framings, a chunk's size that is not digits. A message that is not all there is no
//! fault: it is told as not whole.

/// A request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) method: String,
    pub(super) target: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
    /// Did all that its framing promised arrive?
    pub(super) whole: bool,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) version: String,
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
    pub(super) whole: bool,
}

/// What a body without framing is taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unframed {
    None,
    UntilEnd,
}

/// The requests of one connection.
#[track_caller]
pub(super) fn requests(mut bytes: &[u8]) -> Vec<Request> {
    let mut all = Vec::new();
    while let Some((line, headers, rest)) = head(bytes) {
        let words: Vec<&str> = line.split(' ').collect();
        let [method, target, "HTTP/1.1"] = words[..] else { panic!("request line {line:?}") };
        assert_eq!(values(&headers, "host").len(), 1, "{line}: one host");
        let (body, whole, rest) = body(&headers, rest, Unframed::None);
        let (method, target) = (method.to_owned(), target.to_owned());
        all.push(Request { method, target, headers, body, whole });
        bytes = rest;
    }
    all
}

/// The answers of one connection to requests with these methods, in this order.
#[track_caller]
pub(super) fn answers(mut bytes: &[u8], methods: &[&str]) -> Vec<Answer> {
    let mut all = Vec::new();
    while let Some((line, headers, rest)) = head(bytes) {
        let version = line.split(' ').next().unwrap().to_owned();
        assert!(["HTTP/1.1", "HTTP/1.0"].contains(&version.as_str()), "status line {line:?}");
        let status = line.split(' ').nth(1).unwrap().parse().unwrap();
        let bare = matches!(status, 100..200 | 204 | 304)
            || methods.get(all.len()).is_some_and(|method| *method == "HEAD");
        let (body, whole, rest) = match bare {
            true => (Vec::new(), true, rest),
            false => body(&headers, rest, Unframed::UntilEnd),
        };
        if status >= 200 {
            all.push(Answer { version, status, headers, body, whole });
        }
        bytes = rest;
    }
    all
}

/// Every value of a header.
pub(super) fn values<'a>(headers: &'a [(String, String)], name: &str) -> Vec<&'a str> {
    let named = headers.iter().filter(|(have, _)| have.eq_ignore_ascii_case(name));
    named.map(|(_, value)| value.as_str()).collect()
}

type Head<'a> = (String, Vec<(String, String)>, &'a [u8]);

/// First line, headers, and what follows; `None` where no whole head stands.
#[track_caller]
fn head(mut bytes: &[u8]) -> Option<Head<'_>> {
    let first = line(&mut bytes)?;
    let mut headers = Vec::new();
    loop {
        let text = line(&mut bytes)?;
        if text.is_empty() {
            return Some((first, headers, bytes));
        }
        let (name, value) = text.split_once(':').unwrap_or_else(|| panic!("header {text:?}"));
        let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        assert!(!name.is_empty() && name.bytes().all(token), "header name {name:?}");
        headers.push((name.to_owned(), value.trim_matches([' ', '\t']).to_owned()));
    }
}

/// The next line, which ends in CRLF and holds no other control byte; `None` if it has no end yet.
#[track_caller]
fn line(bytes: &mut &[u8]) -> Option<String> {
    let end = bytes.iter().position(|byte| *byte == b'\n')?;
    let text = bytes[..end].strip_suffix(b"\r").unwrap_or_else(|| {
        panic!("a bare line feed ends {:?}", String::from_utf8_lossy(&bytes[..end]));
    });
    let control = |byte: &u8| *byte < b' ' && *byte != b'\t' || *byte == 0x7f;
    assert!(!text.iter().any(control), "control byte in {:?}", String::from_utf8_lossy(text));
    *bytes = &bytes[end + 1..];
    Some(String::from_utf8_lossy(text).into_owned())
}

#[track_caller]
fn body<'a>(
    headers: &[(String, String)],
    bytes: &'a [u8],
    unframed: Unframed,
) -> (Vec<u8>, bool, &'a [u8]) {
    match (&values(headers, "content-length")[..], &values(headers, "transfer-encoding")[..]) {
        ([], []) if unframed == Unframed::None => (Vec::new(), true, bytes),
        ([], []) => (bytes.to_vec(), true, &[]),
        ([length], []) => {
            assert!(length.bytes().all(|byte| byte.is_ascii_digit()), "length {length:?}");
            let length: usize = length.parse().unwrap();
            let there = length.min(bytes.len());
            (bytes[..there].to_vec(), there == length, &bytes[there..])
        }
        ([], ["chunked"]) => chunks(bytes),
        (lengths, codings) => panic!("two framings: {lengths:?} and {codings:?}"),
    }
}

#[track_caller]
fn chunks(mut bytes: &[u8]) -> (Vec<u8>, bool, &[u8]) {
    let mut body = Vec::new();
    loop {
        let Some(size) = line(&mut bytes) else { return (body, false, &[]) };
        let digits = !size.is_empty() && size.bytes().all(|byte| byte.is_ascii_hexdigit());
        assert!(digits, "chunk size {size:?}");
        let size = usize::from_str_radix(&size, 16).unwrap();
        let there = size.min(bytes.len());
        body.extend_from_slice(&bytes[..there]);
        bytes = &bytes[there..];
        match line(&mut bytes) {
            None => return (body, false, &[]),
            Some(text) => assert_eq!(text, "", "behind a chunk"),
        }
        if size == 0 {
            return (body, true, bytes);
        }
    }
}
