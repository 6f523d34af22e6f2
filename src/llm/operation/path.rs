//! The shape of a path before anybody asks what it means: its normal form, and the prefix under
//! which a client reached an API.
//!
//! Invariant: nothing here decodes or changes a byte; ranges index into the path as sent. Does not
//! know operations or methods.

use std::ops::Range;

/// Whose API the prefix of a path points at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    /// `/openai/…`, or the OpenAI mode of Gemini: `/v1beta/openai/…`.
    OpenAi,
    /// `/anthropic/…`.
    Anthropic,
    /// `/gemini/…`, `/v1beta/…`, `/v1alpha/…`.
    Gemini,
    /// `/v1/…`: the rest of the path or the headers must tell.
    Versioned,
    /// No prefix at all: only the well-known names are served.
    Bare,
}

/// A path, cut where its prefix ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Located {
    pub(super) family: Family,
    /// The version segment without slashes; empty where there is none.
    pub(super) version: Range<usize>,
    /// Where the rest begins: at a slash, or at the end of the path.
    pub(super) rest: usize,
}

/// Is the path free of everything that two servers read differently: dot segments (encoded or not,
/// also between encoded slashes), empty segments, backslashes, NUL and control bytes? A slash at
/// the end is allowed; `%2F` within a segment is, too.
pub(super) fn is_normal(path: &str) -> bool {
    let bytes = path.as_bytes();
    if bytes.first() != Some(&b'/') {
        return false;
    }
    // A piece ends at a slash, encoded or not; a segment only at a plain one.
    let (mut segment, mut piece) = (1, 1);
    for (at, byte) in bytes.iter().enumerate().skip(1) {
        match byte {
            b'/' if at == segment || is_dots(&bytes[piece..at]) => return false,
            b'/' => (segment, piece) = (at + 1, at + 1),
            b'%' => match escape(bytes, at) {
                Some(0 | b'\\') => return false,
                Some(b'/') if is_dots(&bytes[piece..at]) => return false,
                Some(b'/') => piece = at + 3,
                _ => {}
            },
            b'\\' | 0x7f | 0..=0x1f => return false,
            _ => {}
        }
    }
    !is_dots(bytes.get(piece..).unwrap_or_default())
}

/// Cuts the prefix off. Total: a path outside the normal form is cut, too, so that its refusal can
/// be written in the right dialect.
pub(super) fn locate(path: &str) -> Located {
    let unversioned = 0..0;
    let (family, at) = match first_segment(path, 0) {
        "openai" => (Family::OpenAi, "/openai".len()),
        "anthropic" => (Family::Anthropic, "/anthropic".len()),
        "gemini" => (Family::Gemini, "/gemini".len()),
        _ => (Family::Bare, 0),
    };
    match (first_segment(path, at), family) {
        ("v1", Family::Bare) => after_v1(path, at, Family::Versioned),
        ("v1", _) => after_v1(path, at, family),
        (version @ ("v1beta" | "v1alpha"), Family::Bare | Family::Gemini) => {
            after_gemini_version(path, at + 1..at + 1 + version.len())
        }
        _ => Located { family, version: unversioned, rest: at },
    }
}

/// The segment that begins behind the slash at `at`; empty at the end of the path.
pub(super) fn first_segment(path: &str, at: usize) -> &str {
    let rest = path.get(at + 1..).unwrap_or_default();
    // Segments are short: a byte at a time is quicker than a search is begun.
    let end = rest.bytes().position(|byte| byte == b'/');
    end.and_then(|end| rest.get(..end)).unwrap_or(rest)
}

/// A client whose base URL already had `/v1` sends `/v1/v1/messages`: both count as one.
fn after_v1(path: &str, at: usize, family: Family) -> Located {
    let slash = if first_segment(path, at + 3) == "v1" { at + 3 } else { at };
    Located { family, version: slash + 1..slash + 3, rest: slash + 3 }
}

fn after_gemini_version(path: &str, version: Range<usize>) -> Located {
    let rest = version.end;
    match first_segment(path, rest) {
        "openai" => Located { family: Family::OpenAi, version, rest: rest + "/openai".len() },
        _ => Located { family: Family::Gemini, version, rest },
    }
}

/// The byte that the escape at `at` stands for, of those that matter here.
fn escape(bytes: &[u8], at: usize) -> Option<u8> {
    match bytes.get(at + 1..at + 3)? {
        b"00" => Some(0),
        [b'2', b'e' | b'E'] => Some(b'.'),
        [b'2', b'f' | b'F'] => Some(b'/'),
        [b'5', b'c' | b'C'] => Some(b'\\'),
        _ => None,
    }
}

/// Is this `.` or `..`, in any mixture of plain and encoded dots?
fn is_dots(piece: &[u8]) -> bool {
    let (mut at, mut dots) = (0, 0);
    while at < piece.len() {
        at += match piece[at] {
            b'.' => 1,
            b'%' if escape(piece, at) == Some(b'.') => 3,
            _ => return false,
        };
        dots += 1;
    }
    matches!(dots, 1 | 2)
}
