//! A provider's header rules, parsed and checked.

use http::{HeaderName, HeaderValue};

/// Applied after Pillion's own header handling: first `remove`, then `set`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HeaderPolicy {
    /// Headers of the client that do not go on.
    pub remove: Vec<HeaderName>,
    /// Headers that replace any of the same name.
    pub set: Vec<(HeaderName, HeaderValue)>,
}
