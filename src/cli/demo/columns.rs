//! Text that stays within 80 columns.

use crate::cli::terminal::plain;

/// What fits on every terminal.
pub(super) const COLUMNS: usize = 80;

/// Cuts `text` into lines that leave `indent` columns free: at spaces where there are some, else
/// anywhere. Control characters are shown escaped.
pub(super) fn wrap(text: &str, indent: usize) -> Vec<String> {
    let text = plain(text);
    let room = COLUMNS.saturating_sub(indent).max(1);
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split(' ').flat_map(|word| pieces(word, room)) {
        let needed = line.chars().count() + 1 + word.chars().count();
        if !line.is_empty() && needed > room {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(&word);
    }
    lines.push(line);
    lines
}

fn pieces(word: &str, room: usize) -> Vec<String> {
    let chars: Vec<char> = word.chars().collect();
    chars.chunks(room).map(|piece| piece.iter().collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_is_wider_than_the_terminal() {
        let text = format!("some words and {} then more words", "x".repeat(200));
        let lines = wrap(&text, 13);
        assert!(lines.iter().all(|line| line.len() + 13 <= COLUMNS), "{lines:?}");
        assert_eq!(lines[0], "some words and");
        let letters = |text: &str| text.replace(' ', "");
        assert_eq!(letters(&lines.concat()), letters(&text));
    }

    #[test]
    fn short_text_is_one_line() {
        assert_eq!(wrap("a b", 10), ["a b"]);
        assert_eq!(wrap("", 10), [""]);
    }

    #[test]
    fn nothing_plays_with_the_terminal() {
        assert_eq!(wrap("a\u{1b}[2Jb", 0), ["a\\u{1b}[2Jb"]);
    }
}
