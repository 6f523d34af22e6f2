//! Colours on a terminal, plain text in a pipe; text that stays within 80 columns.

use std::io::IsTerminal;

/// What fits on every terminal.
const COLUMNS: usize = 80;

/// What a piece of text is, for the eye.
#[derive(Debug, Clone, Copy)]
pub(super) enum Tone {
    /// A heading.
    Title,
    /// What stands beside the thing.
    Label,
    /// It was so.
    Before,
    /// It is so now.
    After,
    /// What matters most in a line.
    Bright,
}

/// Colours, or none.
#[derive(Debug, Clone, Copy)]
pub(super) enum Paint {
    Colours,
    Plain,
}

impl Paint {
    /// Colours where standard output is a terminal and nobody asked for none (<https://no-color.org>).
    pub(super) fn of_stdout() -> Self {
        let unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|value| value == "dumb");
        match std::io::stdout().is_terminal() && !unwanted && !dumb {
            true => Self::Colours,
            false => Self::Plain,
        }
    }

    pub(super) fn paint(self, tone: Tone, text: &str) -> String {
        let code = match (self, tone) {
            (Self::Plain, _) => return text.to_owned(),
            (Self::Colours, Tone::Title) => "1;36",
            (Self::Colours, Tone::Label) => "2",
            (Self::Colours, Tone::Before) => "31",
            (Self::Colours, Tone::After) => "32",
            (Self::Colours, Tone::Bright) => "1",
        };
        format!("\x1b[{code}m{text}\x1b[0m")
    }
}

/// Text of others without what plays with a terminal.
pub(super) fn plain(text: &str) -> String {
    let shown = |character: char| match character.is_control() {
        true => character.escape_default().to_string(),
        false => character.to_string(),
    };
    text.chars().map(shown).collect()
}

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

    #[test]
    fn plain_is_plain() {
        assert_eq!(Paint::Plain.paint(Tone::Before, "x"), "x");
        assert_eq!(Paint::Colours.paint(Tone::Before, "x"), "\x1b[31mx\x1b[0m");
    }
}
