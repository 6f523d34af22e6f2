//! Skips what need not be understood: strings at the speed of `memchr`, white space, and the bytes
//! between brackets by their class alone.

use memchr::memchr2;

/// Where in a string the last chunk ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum InString {
    Outside,
    Plain,
    /// Behind a backslash.
    Escape,
}

/// What a byte outside of strings does to the depth.
#[derive(Debug, Clone, Copy)]
pub(super) enum Class {
    Plain,
    Quote,
    Open,
    Close,
}

/// The class of each byte.
pub(super) static CLASS: [Class; 256] = {
    let mut table = [Class::Plain; 256];
    table[b'"' as usize] = Class::Quote;
    table[b'{' as usize] = Class::Open;
    table[b'[' as usize] = Class::Open;
    table[b'}' as usize] = Class::Close;
    table[b']' as usize] = Class::Close;
    table
};

/// How many bytes of white space come first.
pub(super) fn white_space(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r')).count()
}

// === impl InString ===

impl InString {
    /// How many bytes belong to the string, its closing quote included.
    pub(super) fn skip(&mut self, bytes: &[u8]) -> usize {
        let mut at = 0;
        if *self == Self::Escape && !bytes.is_empty() {
            *self = Self::Plain;
            at = 1;
        }
        while let Some(found) = memchr2(b'"', b'\\', &bytes[at..]) {
            at += found + 1;
            if bytes[at - 1] == b'"' {
                *self = Self::Outside;
                return at;
            }
            if at == bytes.len() {
                *self = Self::Escape;
                return at;
            }
            at += 1;
        }
        bytes.len()
    }
}
