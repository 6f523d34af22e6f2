//! The input of a custom tool, taken out of the arguments of the function that stands for it.
//!
//! Upstreams without custom tools are offered a function with one text, `input`; what they call it
//! with is `{"input":"…"}`. The text is handed on as it comes. What has another form is held back
//! until it is whole; what is no such object at all is the input itself, as the model meant it.

use serde::Deserialize;

/// Takes the input out of arguments that come in pieces.
#[derive(Debug)]
pub(super) enum Unwrapper {
    /// Nothing but white space, or the beginning of an object.
    Opening(String),
    /// Within the text; the beginning of an escape may be left over.
    Inside(String),
    /// Behind the text.
    Behind,
    /// The arguments are the input.
    Bare,
}

/// The input in whole arguments.
pub(super) fn whole(arguments: &str) -> String {
    #[derive(Deserialize)]
    struct Wrapped {
        input: String,
    }
    match serde_json::from_str::<Wrapped>(arguments) {
        Ok(wrapped) => wrapped.input,
        Err(_) => arguments.to_owned(),
    }
}

// === impl Unwrapper ===

impl Default for Unwrapper {
    fn default() -> Self {
        Self::Opening(String::new())
    }
}

impl Unwrapper {
    /// What more of the arguments means more of the input.
    pub(super) fn more(&mut self, more: &str) -> String {
        match self {
            Self::Opening(held) => {
                held.push_str(more);
                let held = std::mem::take(held);
                self.open(held)
            }
            Self::Inside(held) => {
                held.push_str(more);
                let held = std::mem::take(held);
                self.inside(&held)
            }
            Self::Behind => String::new(),
            Self::Bare => more.to_owned(),
        }
    }

    /// What is left when no more arguments come.
    pub(super) fn finish(&mut self) -> String {
        match std::mem::replace(self, Self::Behind) {
            Self::Opening(held) if held.trim().is_empty() => String::new(),
            Self::Opening(held) => whole(&held),
            // A text that is cut: an escape cut in two means nothing.
            Self::Inside(_) | Self::Behind | Self::Bare => String::new(),
        }
    }

    fn open(&mut self, held: String) -> String {
        match text_of(&held) {
            Opened::At(text) => self.inside(text),
            Opened::NotYet => {
                *self = Self::Opening(held);
                String::new()
            }
            Opened::NoObject => {
                *self = Self::Bare;
                held
            }
        }
    }

    fn inside(&mut self, held: &str) -> String {
        let end = decodable(held);
        let (text, rest) = held.split_at(end);
        *self = if rest.starts_with('"') { Self::Behind } else { Self::Inside(rest.to_owned()) };
        // Raw line breaks, which some models write into their JSON, are what they stand for.
        let quoted = text.replace('\n', "\\n").replace('\r', "\\r").replace('\t', "\\t");
        serde_json::from_str(&format!("\"{quoted}\"")).unwrap_or_else(|_| text.to_owned())
    }
}

/// How an object with one text begins.
enum Opened<'a> {
    /// This is the text, and what follows it.
    At(&'a str),
    /// It may still become one, or is one of another form.
    NotYet,
    NoObject,
}

fn text_of(held: &str) -> Opened<'_> {
    let mut rest = held.trim_start();
    if !rest.is_empty() && !rest.starts_with('{') {
        return Opened::NoObject;
    }
    for token in ["{", "\"input\"", ":", "\""] {
        match rest.strip_prefix(token) {
            // Nothing may be trimmed off the text.
            Some(after) if token == "\"" => rest = after,
            Some(after) => rest = after.trim_start(),
            None => return Opened::NotYet,
        }
    }
    Opened::At(rest)
}

/// How many bytes can be decoded: up to the closing quote, or an escape that is not whole. Two
/// escapes that make one character stay together.
fn decodable(text: &str) -> usize {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let length = match byte {
            b'"' => return at,
            b'\\' => match escape(bytes.get(at..).unwrap_or_default()) {
                Some(length) => length,
                None => return at,
            },
            _ => 1,
        };
        at += length;
    }
    at
}

/// The length of the escape that begins here, if it is whole.
fn escape(bytes: &[u8]) -> Option<usize> {
    if *bytes.get(1)? != b'u' {
        return Some(2);
    }
    let high = bytes.get(2..6)?;
    let is_pair = matches!(high, [b'd' | b'D', b'8' | b'9' | b'a' | b'b' | b'A' | b'B', ..]);
    if is_pair { bytes.get(..12).map(|_| 12) } else { Some(6) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// In one piece, and cut everywhere.
    fn check(arguments: &str, input: &str) {
        for cut in (0..=arguments.len()).filter(|cut| arguments.is_char_boundary(*cut)) {
            let (first, second) = arguments.split_at(cut);
            let mut unwrapper = Unwrapper::default();
            let said = [unwrapper.more(first), unwrapper.more(second), unwrapper.finish()];
            assert_eq!(said.concat(), input, "cut at {cut}");
        }
        let mut unwrapper = Unwrapper::default();
        let mut said: String =
            arguments.chars().map(|char| unwrapper.more(&char.to_string())).collect();
        said.push_str(&unwrapper.finish());
        assert_eq!(said, input, "char by char");
    }

    #[test]
    fn the_text_is_unwrapped() {
        check(
            r#"{"input":"*** Begin\n+ \"a\" \u00e9 \ud83d\ude00 \\ é"}"#,
            "*** Begin\n+ \"a\" é 😀 \\ é",
        );
        check(r#" { "input" : "" } "#, "");
        check("{\"input\":\"a\nb\"}", "a\nb");
        assert_eq!(whole(r#"{"input":"a"}"#), "a");
    }

    #[test]
    fn other_forms_wait_until_they_are_whole() {
        check(r#"{"why":"x","input":"a"}"#, "a");
        check(r#"{"patch":"a"}"#, r#"{"patch":"a"}"#);
        check("{}", "{}");
    }

    #[test]
    fn what_is_no_object_is_the_input() {
        check("*** Begin Patch", "*** Begin Patch");
        check("", "");
        assert_eq!(whole("ls -l"), "ls -l");
    }

    #[test]
    fn text_is_handed_on_at_once() {
        let mut unwrapper = Unwrapper::default();
        assert_eq!(unwrapper.more(r#"{"input":"ab"#), "ab");
        assert_eq!(unwrapper.more(r#"c\"#), "c");
        assert_eq!(unwrapper.more("n"), "\n");
    }
}
