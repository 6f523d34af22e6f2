//! What becomes of each field: responses to chat.

use super::fate::Row;

/// In the order of the reference.
pub(super) const FIELDS: &[Row] = &[];
