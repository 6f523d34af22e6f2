//! The `model` part of a `multipart/form-data` body (audio, image edits), found in passing: RFC
//! 2046 5.1, RFC 7578.
//!
//! Invariant: where parsers could disagree on what the model is (two parts of that name, odd
//! quoting, an encoded part), there is a fault, not a guess. Does not decode files, nor copy them.

mod disposition;
#[cfg(test)]
mod tests;

use std::ops::Range;

use memchr::memmem::{self, Finder};
use thiserror::Error;

use self::disposition::Part;

/// Why no model can be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum MultipartFault {
    /// Not a whole multipart body, or one that parsers read differently.
    #[error("the multipart body is malformed")]
    Malformed,
    /// Two parts are named `model`.
    #[error("the multipart body has the part `model` twice")]
    Duplicate,
    /// The model is not UTF-8.
    #[error("`model` must be text")]
    NotText,
    /// The model name is longer than 1024 bytes.
    #[error("`model` is longer than 1024 bytes")]
    TooLong,
}

/// The boundary of a `multipart/form-data` content type. `None` if it is of another type, has no
/// boundary or two, or one that no delimiter line could hold.
pub fn boundary(content_type: &str) -> Option<&str> {
    // Nearly no call has one: a look at the beginning is quicker than a search to the end.
    let begin = content_type.trim_start().get(..FORM_DATA.len())?;
    if !begin.eq_ignore_ascii_case(FORM_DATA) {
        return None;
    }
    let (media_type, parameters) = content_type.split_once(';')?;
    if media_type.trim().len() != FORM_DATA.len() {
        return None;
    }
    let mut boundaries = disposition::parameters(parameters)
        .filter(|parameter| parameter.is_ok_and(|(name, _)| name.eq_ignore_ascii_case("boundary")));
    let (_, boundary) = boundaries.next()?.ok()?;
    let valid = (1..=BOUNDARY_LIMIT).contains(&boundary.len())
        && boundary.bytes().all(|byte| matches!(byte, b' '..=b'~') && byte != b'\\');
    (valid && boundaries.next().is_none()).then_some(boundary)
}

/// The value of the part named `model`: its span in the body and its text, at most 1024 bytes of
/// UTF-8. `None` if there is no such part, it stands twice, or the body is malformed;
/// [`find_model`] tells these apart.
pub fn model_part(body: &[u8], boundary: &str) -> Option<(Range<usize>, String)> {
    find_model(body, boundary).ok().flatten()
}

/// The value of the part named `model`, if there is one: its span in the body and its text.
///
/// # Errors
/// A [`MultipartFault`] where there is no one answer.
pub fn find_model(
    body: &[u8],
    boundary: &str,
) -> Result<Option<(Range<usize>, String)>, MultipartFault> {
    let delimiter = format!("\r\n--{boundary}");
    let delimiters = Delimiters { body, finder: Finder::new(&delimiter) };
    let mut model = None;
    let mut delimiter = delimiters.first().ok_or(MultipartFault::Malformed)?;
    while delimiter.kind == Kind::Part {
        let next = delimiters.next(delimiter.end).ok_or(MultipartFault::Malformed)?;
        let content = content(body, delimiter.end..next.start)?;
        if let Some(span) = content {
            let text = text(&body[span.clone()])?;
            if model.replace((span, text)).is_some() {
                return Err(MultipartFault::Duplicate);
            }
        }
        delimiter = next;
    }
    Ok(model)
}

/// RFC 2046 says 70; some clients are generous.
const FORM_DATA: &str = "multipart/form-data";
const BOUNDARY_LIMIT: usize = 256;
const MODEL_LIMIT: usize = 1024;

/// Finds the lines between parts.
struct Delimiters<'a> {
    body: &'a [u8],
    /// The line break that belongs to the delimiter, two dashes, the boundary.
    finder: Finder<'a>,
}

/// A line between parts.
#[derive(Debug, PartialEq, Eq)]
struct Delimiter {
    /// Where the part before it ends.
    start: usize,
    /// Behind its line break.
    end: usize,
    kind: Kind,
}

#[derive(Debug, PartialEq, Eq)]
enum Kind {
    /// A part follows.
    Part,
    /// It was the last one.
    Last,
}

// === impl Delimiters ===

impl Delimiters<'_> {
    /// The body may begin with it, without a line break; or with a preamble.
    fn first(&self) -> Option<Delimiter> {
        let dashes = &self.finder.needle()[2..];
        let at_start = self.body.starts_with(dashes).then(|| self.at(0, dashes.len())).flatten();
        at_start.or_else(|| self.next(0))
    }

    fn next(&self, from: usize) -> Option<Delimiter> {
        // A part without headers and content shares its line break with the delimiter before it.
        let mut from = from.saturating_sub(2);
        loop {
            let start = from + self.finder.find(&self.body[from..])?;
            let end = start + self.finder.needle().len();
            match self.at(start, end) {
                // A longer word began like the boundary: content.
                None => from = end,
                delimiter => return delimiter,
            }
        }
    }

    /// The delimiter whose boundary ends at `end`, if nothing but padding follows it.
    fn at(&self, start: usize, end: usize) -> Option<Delimiter> {
        let rest = &self.body[end..];
        if rest.starts_with(b"--") {
            return Some(Delimiter { start, end: self.body.len(), kind: Kind::Last });
        }
        let padding = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        let end = end + padding + 2;
        rest[padding..].starts_with(b"\r\n").then_some(Delimiter { start, end, kind: Kind::Part })
    }
}

/// The content of this part, if it is the model.
fn content(body: &[u8], part: Range<usize>) -> Result<Option<Range<usize>>, MultipartFault> {
    let Some(bytes) = body.get(part.clone()) else {
        return Ok(None);
    };
    let (headers, content) = if bytes.starts_with(b"\r\n") {
        (0, 2)
    } else {
        let end = memmem::find(bytes, b"\r\n\r\n").ok_or(MultipartFault::Malformed)?;
        (end, end + 4)
    };
    match Part::read(&bytes[..headers])? {
        Part::Model => Ok(Some(part.start + content..part.end)),
        Part::Other => Ok(None),
    }
}

fn text(bytes: &[u8]) -> Result<String, MultipartFault> {
    if bytes.len() > MODEL_LIMIT {
        return Err(MultipartFault::TooLong);
    }
    str::from_utf8(bytes).map(str::to_owned).map_err(|_| MultipartFault::NotText)
}
