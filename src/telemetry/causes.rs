//! An error and what is behind it.

use std::error::Error;
use std::iter::successors;

/// The error itself, then its source, and so on to the innermost.
pub fn causes<'e>(
    error: &'e (dyn Error + 'static),
) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    successors(Some(error), |error| (*error).source())
}
