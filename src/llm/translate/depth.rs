//! How deep arrays and objects stand in one another.
//!
//! Values that nobody looks into are skipped without recursion, so that no parser here would
//! notice; whoever gets them next might fall over.

use memchr::memchr2;

/// As deep as anything is translated. Parsers of JSON usually allow 127 levels, and what is carried
/// may come to stand some levels deeper than it stood.
pub(super) const DEEPEST: usize = 100;

/// Is this text of JSON, or what should be one, deeper than [`DEEPEST`]?
pub(super) fn is_too_deep(json: &[u8]) -> bool {
    let (mut depth, mut at) = (0_usize, 0);
    while let Some(byte) = json.get(at) {
        at += 1;
        match byte {
            b'"' => at = behind_string(json, at),
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > DEEPEST {
            return true;
        }
    }
    false
}

/// What is a string's own, quotes and brackets too, is none of the text's.
fn behind_string(json: &[u8], mut at: usize) -> usize {
    while let Some(found) = json.get(at..).and_then(|rest| memchr2(b'"', b'\\', rest)) {
        at += found;
        match json.get(at) {
            Some(b'\\') => at += 2,
            _ => return at + 1,
        }
    }
    json.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(json: &str, expected: bool) {
        assert_eq!(is_too_deep(json.as_bytes()), expected, "{}", json.len());
    }

    #[test]
    fn fault_21_brackets_count_outside_of_strings_only() {
        let (open, close) = ("[{\"a\":".repeat(50), "}]".repeat(50));
        check(&format!("{open}1{close}"), false);
        check(&format!("{open}[]{close}"), true);
        check(&format!("[{open}{close},{open}{close}]"), true);
        check(&"[]{}".repeat(1000), false);
        check(&"[".repeat(1_000_000), true);
        for text in ["[", "\\\"[", "\\\\\\\"[", "\\u005b["] {
            check(&format!("\"{}\"", text.repeat(1000)), false);
        }
        check(&format!("\"\\\\\"{}", "[".repeat(101)), true);
        for cut in ["", "\"", "\"\\", "\"\\\\", "]]]"] {
            check(cut, false);
        }
    }
}
