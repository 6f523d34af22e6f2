//! What is written to a terminal or a pipe.

use std::io::Write;

/// Says why a command failed, on standard error.
pub(super) fn complain(text: &str) {
    // Nobody can be told that standard error is closed.
    let _ = writeln!(std::io::stderr(), "pillion: {text}");
}
