//! What is written to a terminal or a pipe, and how it looks there.
//!
//! On a terminal: aligned, in colours. In a pipe: one line a thing, without colours. `NO_COLOR`
//! takes the colours away anywhere, `CLICOLOR_FORCE` puts them in anywhere, `CLICOLOR=0` and
//! `TERM=dumb` take them away on a terminal. Text of others (names, headers) goes through [`plain`]
//! first, so that no manifest can play with the terminal. Does not know what is written.

use std::borrow::Cow;
use std::fmt;
use std::io::{self, IsTerminal, Write};

/// How output looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// Is it laid out for eyes or for programs?
    pub layout: Layout,
    /// Are there colours?
    pub colour: Colour,
}

/// Who reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// People: aligned, grouped, several lines a thing.
    Terminal,
    /// Programs as well: one line a thing.
    Pipe,
}

/// Are there colours?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colour {
    /// Yes.
    On,
    /// No.
    Off,
}

/// The form of a command's output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For people
    Text,
    /// One JSON document, for programs
    Json,
}

/// What is set off, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paint {
    /// A heading, or the thing that matters.
    Strong,
    /// What may be skipped.
    Faint,
    /// Good, or added.
    Good,
    /// Odd, or changed.
    Odd,
    /// Bad, or taken away.
    Bad,
    /// A name to be picked out.
    Name,
}

/// A text in its paint.
#[derive(Debug, Clone, Copy)]
pub struct Painted<'a> {
    text: &'a str,
    codes: Option<&'static str>,
    width: usize,
}

/// The variables that decide on colours.
#[derive(Debug, Default)]
struct Wishes {
    no_color: Option<String>,
    force: Option<String>,
    colour: Option<String>,
    term: Option<String>,
}

/// Says why a command failed, on standard error.
pub(super) fn complain(text: &str) {
    // Nobody can be told that standard error is closed.
    let _ = writeln!(io::stderr(), "pillion: {text}");
}

/// Prints to standard output. A reader that has left (`| head`) has seen enough.
///
/// # Errors
/// When standard output cannot be written for another reason.
pub(super) fn print(text: &[u8]) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}

/// The text without control characters, which are shown escaped: `\u{1b}`.
pub fn plain(text: &str) -> Cow<'_, str> {
    if !text.chars().any(plays) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        match plays(character) {
            true => shown.extend(character.escape_default()),
            false => shown.push(character),
        }
    }
    Cow::Owned(shown)
}

/// Control characters, and those that turn the direction of what follows.
fn plays(character: char) -> bool {
    let turns = matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    character.is_control() || turns || matches!(character, '\u{200e}' | '\u{200f}')
}

// === impl Look ===

impl Look {
    /// For a pipe without colours; what tests compare.
    pub const PLAIN: Self = Self { layout: Layout::Pipe, colour: Colour::Off };

    /// As standard output and the environment want it.
    pub fn of_stdout() -> Self {
        Self::of(&io::stdout(), &Wishes::of_environment())
    }

    fn of(stream: &impl IsTerminal, wishes: &Wishes) -> Self {
        let layout = match stream.is_terminal() {
            true => Layout::Terminal,
            false => Layout::Pipe,
        };
        let colour = wishes.colour(layout);
        Self { layout, colour }
    }

    /// A text in its paint, if there are colours.
    pub fn paint<'a>(&self, paint: Paint, text: &'a str) -> Painted<'a> {
        let codes = match self.colour {
            Colour::On => Some(paint.codes()),
            Colour::Off => None,
        };
        Painted { text, codes, width: 0 }
    }
}

// === impl Painted ===

impl Painted<'_> {
    /// Fills up with spaces to this many characters; colours do not count.
    pub fn to_width(self, width: usize) -> Self {
        Self { width, ..self }
    }
}

impl fmt::Display for Painted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.codes {
            Some(codes) if !self.text.is_empty() => write!(f, "\x1b[{codes}m{}\x1b[0m", self.text)?,
            Some(_) | None => f.write_str(self.text)?,
        }
        let missing = self.width.saturating_sub(self.text.chars().count());
        write!(f, "{:missing$}", "")
    }
}

// === impl Paint ===

impl Paint {
    const fn codes(self) -> &'static str {
        match self {
            Self::Strong => "1",
            Self::Faint => "2",
            Self::Good => "32",
            Self::Odd => "33",
            Self::Bad => "1;31",
            Self::Name => "36",
        }
    }
}

// === impl Wishes ===

impl Wishes {
    fn of_environment() -> Self {
        Self {
            no_color: variable("NO_COLOR"),
            force: variable("CLICOLOR_FORCE"),
            colour: variable("CLICOLOR"),
            term: variable("TERM"),
        }
    }

    fn colour(&self, layout: Layout) -> Colour {
        let is_set = |value: &Option<String>| value.as_deref().is_some_and(|v| !v.is_empty());
        let is = |value: &Option<String>, wanted| value.as_deref() == Some(wanted);
        if is_set(&self.no_color) {
            return Colour::Off;
        }
        if is_set(&self.force) && !is(&self.force, "0") {
            return Colour::On;
        }
        match layout {
            Layout::Terminal if !is(&self.colour, "0") && !is(&self.term, "dumb") => Colour::On,
            Layout::Terminal | Layout::Pipe => Colour::Off,
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "cli is where the environment is read")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(layout: Layout, variables: &str, expected: Colour) {
        let wish = |name: &str| {
            let mut pairs = variables.split(' ').filter_map(|pair| pair.split_once('='));
            let value = pairs.find(|(key, _)| *key == name)?.1;
            Some(value.to_owned())
        };
        let wishes = Wishes {
            no_color: wish("NO_COLOR"),
            force: wish("CLICOLOR_FORCE"),
            colour: wish("CLICOLOR"),
            term: wish("TERM"),
        };
        assert_eq!(wishes.colour(layout), expected, "{layout:?} {variables}");
    }

    #[test]
    fn colours_come_where_they_are_wanted() {
        check(Layout::Terminal, "TERM=xterm", Colour::On);
        check(Layout::Terminal, "", Colour::On);
        check(Layout::Terminal, "TERM=dumb", Colour::Off);
        check(Layout::Terminal, "CLICOLOR=0", Colour::Off);
        check(Layout::Terminal, "NO_COLOR=1", Colour::Off);
        check(Layout::Terminal, "NO_COLOR=", Colour::On);
        check(Layout::Terminal, "NO_COLOR=1 CLICOLOR_FORCE=1", Colour::Off);
        check(Layout::Pipe, "", Colour::Off);
        check(Layout::Pipe, "CLICOLOR=1", Colour::Off);
        check(Layout::Pipe, "CLICOLOR_FORCE=1", Colour::On);
        check(Layout::Pipe, "CLICOLOR_FORCE=0", Colour::Off);
        check(Layout::Pipe, "CLICOLOR_FORCE=1 TERM=dumb", Colour::On);
    }

    #[test]
    fn widths_are_of_characters_and_not_of_colours() {
        let coloured = Look { layout: Layout::Terminal, colour: Colour::On };
        let shown = coloured.paint(Paint::Good, "‹x›").to_width(5).to_string();
        assert_eq!(shown, "\u{1b}[32m‹x›\u{1b}[0m  ");
        let shown = Look::PLAIN.paint(Paint::Good, "ab").to_width(4).to_string();
        assert_eq!(shown, "ab  ");
    }

    #[test]
    fn nothing_plays_with_the_terminal() {
        assert_eq!(plain("a\u{1b}[2Jb\u{9b}\n"), "a\\u{1b}[2Jb\\u{9b}\\n");
        assert_eq!(plain("a\u{202e}b"), "a\\u{202e}b");
        assert_eq!(plain("‹ü›"), "‹ü›");
    }
}
