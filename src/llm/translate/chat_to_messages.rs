//! What becomes of each field: chat to messages.

use super::fate::Row;

/// In the order of the reference.
pub(super) const FIELDS: &[Row] = &[];
