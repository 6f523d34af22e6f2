//! The `model` part of a `multipart/form-data` body (audio, image edits), found in passing.

use std::ops::Range;

/// The boundary of a `multipart/form-data` content type.
pub fn boundary(content_type: &str) -> Option<&str> {
    let _ = content_type;
    None
}

/// The value of the part named `model`: its span in the body and its text, at most 1024 bytes of
/// UTF-8. `None` if there is no such part, it stands twice, or the body is malformed.
pub fn model_part(body: &[u8], boundary: &str) -> Option<(Range<usize>, String)> {
    let _ = (body, boundary);
    None
}
