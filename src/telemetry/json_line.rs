//! One line of JSON, member by member: an access log line costs a call a microsecond less this way
//! than through a serialiser, which looks at every character twice.

use std::fmt::Display;
use std::io::Write;
use std::time::Duration;

/// A line that is being written. [`JsonLine::end`] closes it.
#[derive(Debug)]
pub struct JsonLine<'b> {
    buffer: &'b mut Vec<u8>,
    separator: u8,
}

impl<'b> JsonLine<'b> {
    /// Begins a line at the end of `buffer`.
    pub fn begin(buffer: &'b mut Vec<u8>) -> Self {
        Self { buffer, separator: b'{' }
    }

    /// A text, if there is one; escaped as JSON wants it.
    pub fn text<'t>(&mut self, key: &'static str, text: impl Into<Option<&'t str>>) -> &mut Self {
        let Some(text) = text.into() else { return self };
        self.key(key);
        if text.bytes().all(is_plain) {
            self.buffer.push(b'"');
            self.buffer.extend_from_slice(text.as_bytes());
            self.buffer.push(b'"');
        } else {
            // Writing JSON to memory cannot fail.
            let _ = serde_json::to_writer(&mut *self.buffer, text);
        }
        self
    }

    /// A text of our own that needs no escaping, such as a time.
    pub fn shown(&mut self, key: &'static str, text: impl Display) -> &mut Self {
        self.key(key);
        let _ = write!(self.buffer, "\"{text}\"");
        self
    }

    /// A number, if there is one.
    pub fn number(&mut self, key: &'static str, number: impl Into<Option<u64>>) -> &mut Self {
        if let Some(number) = number.into() {
            self.key(key);
            let _ = write!(self.buffer, "{number}");
        }
        self
    }

    /// A time in milliseconds with three decimals, if there is one.
    pub fn millis(&mut self, key: &'static str, time: impl Into<Option<Duration>>) -> &mut Self {
        if let Some(time) = time.into() {
            self.key(key);
            let micros = time.as_micros();
            let _ = write!(self.buffer, "{}.{:03}", micros / 1000, micros % 1000);
        }
        self
    }

    /// Closes the line, without a line break.
    pub fn end(&mut self) {
        self.buffer.push(b'}');
    }

    fn key(&mut self, key: &'static str) {
        self.buffer.push(self.separator);
        self.buffer.push(b'"');
        self.buffer.extend_from_slice(key.as_bytes());
        self.buffer.extend_from_slice(b"\":");
        self.separator = b',';
    }
}

/// Does this byte stand for itself in a JSON string, and for nothing on a terminal?
fn is_plain(byte: u8) -> bool {
    matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_back_as_what_was_written() {
        let mut buffer = Vec::new();
        let hostile = "a\"b\\c\n\u{1b}[31m \u{7f} ü 🦀";
        JsonLine::begin(&mut buffer)
            .text("plain", "x y")
            .text("hostile", hostile)
            .text("absent", None)
            .number("number", 7)
            .number("none", None)
            .millis("ms", Duration::from_micros(1_002_030))
            .shown("time", "12:00")
            .end();
        let read: serde_json::Value = serde_json::from_slice(&buffer).unwrap();
        let wanted = serde_json::json!({
            "plain": "x y", "hostile": hostile, "number": 7, "ms": 1002.03, "time": "12:00",
        });
        assert_eq!(read, wanted);
        assert!(!buffer.contains(&b'\n') && !buffer.contains(&0x1b));
    }
}
