//! The headers of one part: is it the field named `model`?

use super::MultipartFault;

/// What a part is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// The field `model`.
    Model,
    /// Another field, or a file.
    Other,
}

// === impl Part ===

impl Part {
    /// Reads the headers, line breaks between them included. Parts with headers that cannot be read
    /// are a fault: they could be the model to somebody else.
    pub(super) fn read(headers: &[u8]) -> Result<Self, MultipartFault> {
        let mut disposition = None;
        let mut encoded = false;
        for line in lines(headers) {
            let (name, value) = header(line)?;
            if name.eq_ignore_ascii_case(b"content-disposition") {
                if disposition.replace(value).is_some() {
                    return Err(MultipartFault::Malformed);
                }
            } else if name.eq_ignore_ascii_case(b"content-transfer-encoding") {
                encoded = !is_identity(value);
            }
        }
        match disposition.map(Self::of).transpose()? {
            Some(Self::Model) if encoded => Err(MultipartFault::Malformed),
            part => Ok(part.unwrap_or(Self::Other)),
        }
    }

    fn of(disposition: &[u8]) -> Result<Self, MultipartFault> {
        // File names come in whatever encoding; they are not read, so that no harm is done.
        let disposition = String::from_utf8_lossy(disposition);
        let (_form_data, rest) = disposition.split_once(';').unwrap_or((&disposition, ""));
        let (mut part, mut names, mut is_file) = (Self::Other, 0, false);
        for parameter in parameters(rest) {
            let (name, value) = parameter.map_err(|Unreadable| MultipartFault::Malformed)?;
            if name.eq_ignore_ascii_case("name") {
                part = Self::named(value)?;
                names += 1;
            }
            is_file |= name.eq_ignore_ascii_case("filename");
            is_file |= name.eq_ignore_ascii_case("filename*");
        }
        match (part, names) {
            (_, 2..) => Err(MultipartFault::Malformed),
            (Self::Model, _) if !is_file => Ok(Self::Model),
            _ => Ok(Self::Other),
        }
    }

    /// Some parsers drop backslashes, some keep them: a name that is `model` to some is a fault.
    fn named(name: &str) -> Result<Self, MultipartFault> {
        match name {
            "model" => Ok(Self::Model),
            _ if name.contains('\\') && name.replace('\\', "") == "model" => {
                Err(MultipartFault::Malformed)
            }
            _ => Ok(Self::Other),
        }
    }
}

/// A parameter without `=`, or a quote without its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unreadable;

/// The parameters of a header value, from behind its first semicolon: names and values, without
/// quotes but with the backslashes within them.
pub(super) fn parameters(text: &str) -> impl Iterator<Item = Result<(&str, &str), Unreadable>> {
    let mut rest = text.trim();
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches([' ', '\t', ';']);
        if rest.is_empty() {
            return None;
        }
        let taken = parameter(rest);
        rest = taken.map_or("", |(_, _, rest)| rest);
        Some(taken.map(|(name, value, _)| (name, value)).ok_or(Unreadable))
    })
}

/// The first parameter, and what follows it.
fn parameter(text: &str) -> Option<(&str, &str, &str)> {
    let (name, rest) = text.split_once('=')?;
    let rest = rest.trim_start();
    let (value, rest) = match rest.strip_prefix('"') {
        None => {
            let (value, rest) = rest.split_at(rest.find(';').unwrap_or(rest.len()));
            (value.trim_end(), rest)
        }
        Some(quoted) => {
            let end = closing_quote(quoted)?;
            (&quoted[..end], &quoted[end + 1..])
        }
    };
    let ended = rest.trim_start().is_empty() || rest.trim_start().starts_with(';');
    ended.then_some((name.trim(), value, rest))
}

fn closing_quote(quoted: &str) -> Option<usize> {
    let mut bytes = quoted.bytes().enumerate();
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'"' => return Some(at),
            b'\\' => drop(bytes.next()),
            _ => {}
        }
    }
    None
}

/// Header lines; no headers, no lines.
fn lines(headers: &[u8]) -> impl Iterator<Item = &[u8]> {
    let lines = headers.split(|byte| *byte == b'\n');
    lines.filter(|line| !line.is_empty()).map(|line| line.strip_suffix(b"\r").unwrap_or(line))
}

/// A folded line has no colon before its first blank, and is refused with the rest.
fn header(line: &[u8]) -> Result<(&[u8], &[u8]), MultipartFault> {
    let colon = memchr::memchr(b':', line).ok_or(MultipartFault::Malformed)?;
    let (name, value) = (&line[..colon], &line[colon + 1..]);
    let is_token = !name.is_empty() && name.iter().all(|byte| matches!(byte, b'!'..=b'~'));
    if is_token { Ok((name, value)) } else { Err(MultipartFault::Malformed) }
}

fn is_identity(encoding: &[u8]) -> bool {
    let encoding = encoding.trim_ascii();
    ["binary", "8bit", "7bit"].iter().any(|name| encoding.eq_ignore_ascii_case(name.as_bytes()))
}
