//! The texts of conditions: one line a fault, with its remedy, within bounds.
//!
//! The form `FIELD: MESSAGE. Remedy: REMEDY` is read again by `pillion status`, through
//! [`parse`].

use std::fmt::Write;

use crate::compile::Fault;

/// So many faults are told one by one.
const MOST_FAULTS: usize = 8;
/// The longest line; with [`MOST_FAULTS`] of them a message stays under the API's 32 KiB.
const LONGEST_LINE: usize = 3 << 10;
/// The longest summary, in characters.
pub(super) const SUMMARY: usize = 256;
/// What stands before the remedy.
pub(crate) const REMEDY: &str = ". Remedy: ";

/// One line each for the first few, then how many more there are.
pub(super) fn of_faults(faults: &[&Fault]) -> String {
    let mut text = String::new();
    for fault in faults.iter().take(MOST_FAULTS) {
        let path = match fault.path.is_empty() {
            true => String::new(),
            false => format!("{}: ", fault.path),
        };
        let room = LONGEST_LINE.saturating_sub(fault.remedy.len() + REMEDY.len());
        let what = cut(&format!("{path}{}", fault.message), room);
        let line = cut(&format!("{what}{REMEDY}{}", fault.remedy), LONGEST_LINE);
        push_line(&mut text, &line);
    }
    let more = faults.len().saturating_sub(MOST_FAULTS);
    if more > 0 {
        push_line(&mut text, &format!("and {more} more"));
    }
    text
}

/// What is wrong and the remedy, as one line.
pub(super) fn with_remedy(what: &str, remedy: &str) -> String {
    let what = cut(what, LONGEST_LINE - remedy.len() - REMEDY.len());
    format!("{what}{REMEDY}{remedy}")
}

/// A message's line, apart again.
pub(crate) fn parse(line: &str) -> (&str, Option<&str>) {
    match line.rsplit_once(REMEDY) {
        Some((what, remedy)) => (what, Some(remedy)),
        None => (line, None),
    }
}

/// At most so many bytes, without control characters, cut between characters.
pub(super) fn cut(text: &str, most: usize) -> String {
    const GONE: &str = "…";
    let mut kept = String::new();
    for character in text.chars() {
        let before = kept.len();
        match character.is_control() {
            true => kept.extend(character.escape_default()),
            false => kept.push(character),
        }
        if kept.len() > most {
            kept.truncate(before.min(floor(&kept, most.saturating_sub(GONE.len()))));
            kept.push_str(GONE);
            break;
        }
    }
    kept
}

/// The last border between characters that is not after `most`.
fn floor(text: &str, most: usize) -> usize {
    let borders = (0..=most.min(text.len())).rev();
    borders.into_iter().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

fn push_line(text: &mut String, line: &str) {
    let before = if text.is_empty() { "" } else { "\n" };
    // Writing to a String does not fail.
    let _ = write!(text, "{before}{line}");
}
