//! The head of an HTTP/1.1 answer: what it says, and how its body ends (RFC 9112, 6.3).
//!
//! The parser is hyper's, [`httparse`], as hyper sets it for clients: lines that end in LF alone
//! pass, folded lines and white space around names do not.

use std::mem::MaybeUninit;

use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_LENGTH, HeaderMap, HeaderName, HeaderValue};
use http::header::{InvalidHeaderName, InvalidHeaderValue, TRANSFER_ENCODING};
use http::status::InvalidStatusCode;
use http::{Method, Response, StatusCode, Version};
use httparse::{ParserConfig, Status};
use hyper::ext::ReasonPhrase;
use thiserror::Error;

use crate::net::framing::number;

/// Enough for the longest headers that providers send; an answer with more is refused.
const MAX_HEADERS: usize = 100;
/// The header block of an answer, in bytes; more is refused.
const MAX_BYTES: usize = 64 << 10;

/// A head.
#[derive(Debug)]
pub(super) struct Head {
    /// Status and headers.
    pub(super) response: Response<()>,
    /// How its body ends.
    pub(super) framing: Framing,
    /// May the connection be used again?
    pub(super) keep_alive: bool,
}

/// How a body ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    /// After so many bytes.
    Length(u64),
    /// With its last chunk.
    Chunked,
    /// With the connection.
    UntilClose,
}

/// Why bytes are no head of an answer.
#[derive(Debug, Error)]
pub enum BadHead {
    /// The parser says so.
    #[error("the answer is no HTTP/1.1: {0}")]
    Syntax(#[from] httparse::Error),
    /// Below 100.
    #[error("the answer's status is none")]
    Status(#[from] InvalidStatusCode),
    /// A header that nobody could send on.
    #[error("the answer has a header whose name is none")]
    Name(#[from] InvalidHeaderName),
    /// A header that nobody could send on.
    #[error("the answer has a header whose value is none")]
    Value(#[from] InvalidHeaderValue),
    /// More than [`MAX_BYTES`].
    #[error("the head of the answer is longer than {MAX_BYTES} bytes")]
    TooLong,
    /// Several lengths, or one that is no number.
    #[error("the answer's `content-length` is no length")]
    Length,
    /// HTTP/1.0 knows no transfer codings.
    #[error("the answer is of HTTP/1.0 and has a transfer coding")]
    Coding,
}

/// The head with which `bytes` begin, if all of it is there, and its length; `method` is the
/// request's.
///
/// # Errors
/// [`BadHead`] when they begin with none.
pub(super) fn read(bytes: &Bytes, method: &Method) -> Result<Option<(Head, usize)>, BadHead> {
    let mut space = [const { MaybeUninit::uninit() }; MAX_HEADERS];
    let mut parsed = httparse::Response::new(&mut []);
    let config = ParserConfig::default();
    let length = match config.parse_response_with_uninit_headers(&mut parsed, bytes, &mut space)? {
        Status::Complete(length) if length <= MAX_BYTES => length,
        Status::Partial if bytes.len() <= MAX_BYTES => return Ok(None),
        Status::Complete(_) | Status::Partial => return Err(BadHead::TooLong),
    };
    Ok(Some((understood(&parsed, bytes, method)?, length)))
}

/// `parsed` stands in `bytes`, which its values keep.
fn understood(
    parsed: &httparse::Response<'_, '_>,
    bytes: &Bytes,
    method: &Method,
) -> Result<Head, BadHead> {
    let mut response = Response::new(());
    *response.status_mut() = StatusCode::from_u16(parsed.code.unwrap_or_default())?;
    *response.version_mut() = match parsed.version {
        Some(1) => Version::HTTP_11,
        _ => Version::HTTP_10,
    };
    let reason = parsed.reason.unwrap_or_default();
    if Some(reason) != response.status().canonical_reason()
        && let Ok(reason) = ReasonPhrase::try_from(reason.as_bytes())
    {
        response.extensions_mut().insert(reason);
    }
    let headers = response.headers_mut();
    headers.reserve(parsed.headers.len());
    for header in &*parsed.headers {
        let value = HeaderValue::from_maybe_shared(bytes.slice_ref(header.value))?;
        headers.append(HeaderName::from_bytes(header.name.as_bytes())?, value);
    }
    let framing = framing(&response, method)?;
    let keep_alive = keeps_alive(&response) && framing != Framing::UntilClose;
    Ok(Head { response, framing, keep_alive })
}

fn framing(response: &Response<()>, method: &Method) -> Result<Framing, BadHead> {
    let (status, headers) = (response.status(), response.headers());
    let bodiless = [StatusCode::NO_CONTENT, StatusCode::NOT_MODIFIED].contains(&status);
    if bodiless || status.is_informational() || method == Method::HEAD {
        return Ok(Framing::Length(0));
    }
    let Some(last) = headers.get_all(TRANSFER_ENCODING).iter().next_back() else {
        return Ok(length(headers)?.map_or(Framing::UntilClose, Framing::Length));
    };
    if response.version() == Version::HTTP_10 {
        return Err(BadHead::Coding);
    }
    match tokens(last).next_back() {
        Some(token) if token.eq_ignore_ascii_case(b"chunked") => Ok(Framing::Chunked),
        _ => Ok(Framing::UntilClose),
    }
}

/// The length that is told, also if it is told twice.
fn length(headers: &HeaderMap) -> Result<Option<u64>, BadHead> {
    let mut told = None;
    for token in headers.get_all(CONTENT_LENGTH).iter().flat_map(tokens) {
        let length = number(token, 10).ok_or(BadHead::Length)?;
        if told.is_some_and(|told| told != length) {
            return Err(BadHead::Length);
        }
        told = Some(length);
    }
    Ok(told)
}

fn keeps_alive(response: &Response<()>) -> bool {
    let said = response.headers().get_all(CONNECTION);
    let says = |word: &[u8]| said.iter().flat_map(tokens).any(|it| it.eq_ignore_ascii_case(word));
    match response.version() {
        _ if response.status() == StatusCode::SWITCHING_PROTOCOLS => false,
        Version::HTTP_11 => !says(b"close"),
        _ => says(b"keep-alive") && !says(b"close"),
    }
}

fn tokens(value: &HeaderValue) -> impl DoubleEndedIterator<Item = &[u8]> {
    value.as_bytes().split(|byte| *byte == b',').map(<[u8]>::trim_ascii)
}

// === impl Head ===

impl Head {
    /// Does another one follow (RFC 9110, 15.2)?
    pub(super) fn is_interim(&self) -> bool {
        let status = self.response.status();
        status.is_informational() && status != StatusCode::SWITCHING_PROTOCOLS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str, method: &Method) -> Result<Option<(Head, usize)>, String> {
        read(&Bytes::copy_from_slice(text.as_bytes()), method).map_err(|error| error.to_string())
    }

    #[track_caller]
    fn check(lines: &str, expected: Framing, keep_alive: bool) {
        let text = format!("{}\r\n\r\nmore", lines.replace('\n', "\r\n"));
        let (head, length) = of(&text, &Method::POST).unwrap().unwrap();
        assert_eq!((head.framing, head.keep_alive), (expected, keep_alive), "{lines}");
        assert_eq!(length, text.len() - 4);
        for cut in 0..length {
            assert!(of(&text[..cut], &Method::POST).unwrap().is_none(), "{lines} {cut}");
        }
    }

    #[test]
    fn a_body_ends_as_its_head_says() {
        use Framing::{Chunked, Length, UntilClose};
        check("HTTP/1.1 200 OK\ncontent-length: 12", Length(12), true);
        check("HTTP/1.1 200 OK\ncontent-length: 3, 3\ncontent-length: 3", Length(3), true);
        check("HTTP/1.1 200 OK\ntransfer-encoding: chunked", Chunked, true);
        check(
            "HTTP/1.1 200 OK\ntransfer-encoding: gzip, Chunked\ncontent-length: 1",
            Chunked,
            true,
        );
        check("HTTP/1.1 200 OK\ntransfer-encoding: chunked, gzip", UntilClose, false);
        check("HTTP/1.1 200 OK", UntilClose, false);
        check("HTTP/1.1 204 No Content\ncontent-length: 5", Length(0), true);
        check("HTTP/1.1 304 Not Modified\ntransfer-encoding: chunked", Length(0), true);
        check("HTTP/1.1 101 Switching Protocols\nupgrade: x", Length(0), false);
        check("HTTP/1.1 200 OK\ncontent-length: 0\nconnection: a, Close", Length(0), false);
        check("HTTP/1.0 200 OK\ncontent-length: 0", Length(0), false);
        check("HTTP/1.0 200 OK\ncontent-length: 0\nconnection: keep-alive", Length(0), true);
        let both = "HTTP/1.1 200 OK\ncontent-length: 0\nconnection: close\nconnection: keep-alive";
        check(both, Length(0), false);
    }

    #[test]
    fn the_answer_to_head_has_no_body() {
        let text = "HTTP/1.1 200 OK\r\ncontent-length: 12\r\n\r\n";
        let (head, _) = of(text, &Method::HEAD).unwrap().unwrap();
        assert_eq!(head.framing, Framing::Length(0));
    }

    #[test]
    fn a_head_keeps_what_it_says() {
        let text = "HTTP/1.1 200 Fine\r\nSet-Cookie: a\r\nset-cookie:b \r\nX-\u{e9}: \r\n\r\n";
        assert!(of(text, &Method::POST).is_err());
        let (head, _) = of(&text.replace('\u{e9}', "Y"), &Method::POST).unwrap().unwrap();
        let values: Vec<_> = head.response.headers().get_all("set-cookie").iter().collect();
        assert_eq!(values, ["a", "b"]);
        assert_eq!(head.response.headers()["x-y"], "");
        let reason = head.response.extensions().get::<ReasonPhrase>().unwrap();
        assert_eq!(reason.as_bytes(), b"Fine");
        assert!(!head.is_interim());
        let (interim, _) = of("HTTP/1.1 103 Early Hints\r\n\r\n", &Method::POST).unwrap().unwrap();
        assert!(interim.is_interim());
    }

    #[test]
    fn what_is_no_head_is_told() {
        let says = |text: &str| of(text, &Method::POST).err().unwrap();
        assert!(says("SSH-2.0-x\r\n").starts_with("the answer is no HTTP/1.1"));
        assert!(says("HTTP/2 200\r\n\r\n").starts_with("the answer is no HTTP/1.1"));
        assert!(says("HTTP/1.1 099 Low\r\n\r\n").contains("status"));
        for length in ["x", "+1", "-1", "", "1 2", "18446744073709551616", "1, 2", "1,"] {
            let text = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n");
            assert!(says(&text).contains("content-length"), "{length:?}");
        }
        let coded = "HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
        assert!(says(coded).contains("HTTP/1.0"));
        let long = format!("HTTP/1.1 200 OK\r\nx: {}", "x".repeat(MAX_BYTES));
        assert!(says(&long).contains("longer"));
        assert!(says(&format!("{long}\r\n\r\n")).contains("longer"));
        let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "x: y\r\n".repeat(MAX_HEADERS + 1));
        assert!(says(&many).contains("too many headers"));
    }
}
