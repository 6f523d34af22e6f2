//! Reads a few members out of a JSON text that arrives in pieces, without building or keeping it.
//!
//! Invariants: no allocation, constant memory whatever the text; the same findings for any split
//! of the same bytes; no input is an error. It is no validator: of a broken text it finds what it
//! finds. What ends in the bytes at hand is read where it stands; only what is cut is kept. A
//! member name written with escapes is not recognised (no provider does so).

use super::node::Node;
use super::subtree::{Brackets, Subtree};
use super::text::Text;
use crate::llm::json::skip::{InString, end_of_string};
use crate::llm::usage::Report;

/// What the text said.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Findings {
    /// The kind of event that its `type` names.
    pub(super) event: Event,
    /// Generated content that is not empty.
    pub(super) content: bool,
    /// A reason to finish.
    pub(super) finished: bool,
    /// An error that is not `null`.
    pub(super) failed: bool,
    /// The text was `[DONE]`.
    pub(super) done: bool,
    /// The counts of its usage objects.
    pub(super) report: Report,
}

/// The kinds of `type` that matter.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Event {
    /// No `type`.
    #[default]
    Unnamed,
    /// It adds generated content.
    Delta,
    /// It is the last of its stream.
    Terminal,
    /// Any other.
    Other,
}

/// The reader of one text.
#[derive(Debug)]
pub(super) struct Skimmer {
    state: State,
    frames: [Frame; DEPTH],
    depth: u8,
    /// The place of the value that comes next, or is being read.
    node: Node,
    /// Is the next string a member's name? If so, `node` is the place of the object.
    names: bool,
    /// What came of a string or scalar that was cut; else empty.
    text: Text,
    findings: Findings,
}

// === impl Event ===

impl Event {
    /// The kind of the event that Anthropic or OpenAI (responses) call `name`.
    pub(super) fn named(name: &[u8]) -> Self {
        match name {
            b"content_block_delta" => Self::Delta,
            name if name.ends_with(b".delta") => Self::Delta,
            b"message_stop" | b"error" => Self::Terminal,
            b"response.completed" | b"response.failed" => Self::Terminal,
            b"response.incomplete" | b"response.cancelled" => Self::Terminal,
            _ => Self::Other,
        }
    }
}

// === impl Skimmer ===

impl Default for Skimmer {
    fn default() -> Self {
        Self {
            state: State::Idle,
            frames: [Frame { node: Node::Root, brackets: Brackets::Square }; DEPTH],
            depth: 0,
            node: Node::Root,
            names: false,
            text: Text::default(),
            findings: Findings::default(),
        }
    }
}

impl Skimmer {
    /// Reads the next bytes of the text.
    pub(super) fn feed(&mut self, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        let used = match std::mem::replace(&mut self.state, State::Between) {
            State::Idle | State::Between => 0,
            State::String(string) => self.part_of_string(bytes, string),
            State::Scalar => self.part_of_scalar(bytes),
            State::Ignored(subtree) => self.ignore(bytes, subtree),
            State::Closed => self.end(bytes),
        };
        self.between(&bytes[used..]);
    }

    /// Has no byte been read (since `reset`)?
    pub(super) fn is_idle(&self) -> bool {
        matches!(self.state, State::Idle)
    }

    /// What has been found so far.
    pub(super) fn findings(&self) -> &Findings {
        &self.findings
    }

    /// What the text said, if its outermost object or array is complete.
    pub(super) fn complete(&self) -> Option<&Findings> {
        matches!(self.state, State::Closed).then_some(&self.findings)
    }

    /// Makes ready for the next text.
    pub(super) fn reset(&mut self) {
        self.state = State::Idle;
        self.depth = 0;
        self.node = Node::Root;
        self.names = false;
        self.text = Text::default();
        self.findings = Findings::default();
    }

    /// Reads on from what stands between two values or names. Each part returns how many bytes
    /// belong to it: all, if it is cut.
    fn between(&mut self, bytes: &[u8]) {
        let mut at = 0;
        while let Some(byte) = bytes.get(at) {
            at += match CLASS[usize::from(*byte)] {
                Class::Space => 1,
                Class::Comma => self.expect_next(),
                Class::Quote => 1 + self.string(&bytes[at + 1..]),
                Class::Curly => 1 + self.open(&bytes[at + 1..], Brackets::Curly),
                Class::Square => 1 + self.open(&bytes[at + 1..], Brackets::Square),
                Class::Close => self.close(&bytes[at..]),
                Class::Scalar => self.scalar(&bytes[at..]),
            };
        }
    }

    fn open(&mut self, inside: &[u8], brackets: Brackets) -> usize {
        if self.node == Node::Error {
            self.findings.failed = true;
        }
        match self.frames.get_mut(usize::from(self.depth)) {
            Some(frame) if !self.node.is_leaf() => {
                *frame = Frame { node: self.node, brackets };
                self.depth += 1;
                self.names = brackets == Brackets::Curly;
                0
            }
            _ => self.ignore(inside, Subtree::opened_by(brackets)),
        }
    }

    fn close(&mut self, rest: &[u8]) -> usize {
        self.depth = self.depth.saturating_sub(1);
        self.node = Node::Ignored;
        self.names = false;
        if self.depth == 0 { self.end(rest) } else { 1 }
    }

    fn end(&mut self, rest: &[u8]) -> usize {
        self.state = State::Closed;
        rest.len()
    }

    fn expect_next(&mut self) -> usize {
        if let Some(frame) = self.top() {
            (self.node, self.names) = (frame.node, frame.brackets == Brackets::Curly);
        }
        1
    }

    fn string(&mut self, rest: &[u8]) -> usize {
        match end_of_string(rest) {
            Some(end) => {
                self.close_string(&rest[..end]);
                // Most are names: the colon behind them is passed over at once.
                end + 1 + usize::from(rest.get(end + 1) == Some(&b':'))
            }
            None => self.part_of_string(rest, InString::Plain),
        }
    }

    fn part_of_string(&mut self, bytes: &[u8], mut string: InString) -> usize {
        let used = string.skip(bytes);
        if string == InString::Outside {
            self.text.push(&bytes[..used - 1]);
            let text = std::mem::take(&mut self.text);
            self.close_string(text.bytes());
        } else {
            self.text.push(bytes);
            self.state = State::String(string);
        }
        used
    }

    fn close_string(&mut self, text: &[u8]) {
        if self.names {
            self.names = false;
            self.node = self.node.member(text);
            return;
        }
        let written = !text.is_empty();
        match self.node {
            Node::Type if self.findings.event == Event::Unnamed => {
                self.findings.event = Event::named(Text::kept(text));
            }
            Node::Finish => self.findings.finished |= written,
            Node::Content => self.findings.content |= written,
            Node::Error => self.findings.failed |= written,
            _ => {}
        }
    }

    fn scalar(&mut self, rest: &[u8]) -> usize {
        match end_of_scalar(rest) {
            Some(end) => {
                self.close_scalar(&rest[..end]);
                end
            }
            None => self.part_of_scalar(rest),
        }
    }

    fn part_of_scalar(&mut self, bytes: &[u8]) -> usize {
        let end = end_of_scalar(bytes);
        let used = end.unwrap_or(bytes.len());
        self.text.push(&bytes[..used]);
        if end.is_some() {
            let text = std::mem::take(&mut self.text);
            self.close_scalar(text.bytes());
        } else {
            self.state = State::Scalar;
        }
        used
    }

    fn close_scalar(&mut self, text: &[u8]) {
        match self.node {
            Node::Tokens(count) => {
                if let Some(tokens) = unsigned(Text::kept(text)) {
                    self.findings.report.set(count, tokens);
                }
            }
            Node::Root if self.is_root_array() => self.findings.done |= text == b"DONE",
            _ => {}
        }
    }

    fn ignore(&mut self, bytes: &[u8], mut subtree: Subtree) -> usize {
        let used = subtree.skip(bytes);
        if !subtree.is_closed() {
            self.state = State::Ignored(subtree);
        }
        used
    }

    fn is_root_array(&self) -> bool {
        self.depth == 1 && self.frames[0].brackets == Brackets::Square
    }

    fn top(&self) -> Option<Frame> {
        self.frames.get(usize::from(self.depth).checked_sub(1)?).copied()
    }
}

// === private parts ===

/// As deep as the deepest member that is read: the arguments of a Gemini function call in an
/// array of answers. What lies deeper is skipped.
const DEPTH: usize = 10;

#[derive(Debug, Clone, Copy)]
enum State {
    /// Before the first byte of a text.
    Idle,
    Between,
    /// In a string that was cut.
    String(InString),
    /// In a number or a literal that was cut.
    Scalar,
    /// In a subtree that nobody reads.
    Ignored(Subtree),
    /// Behind the outermost value; what follows is not read.
    Closed,
}

#[derive(Debug, Clone, Copy)]
struct Frame {
    node: Node,
    brackets: Brackets,
}

/// What a byte outside of strings is.
#[derive(Debug, Clone, Copy)]
enum Class {
    /// Of a number or a literal.
    Scalar,
    /// White space, or a colon, which says nothing that a name has not said.
    Space,
    Comma,
    Quote,
    Curly,
    Square,
    Close,
}

/// The class of each byte.
static CLASS: [Class; 256] = {
    let mut table = [Class::Scalar; 256];
    table[b' ' as usize] = Class::Space;
    table[b'\t' as usize] = Class::Space;
    table[b'\n' as usize] = Class::Space;
    table[b'\r' as usize] = Class::Space;
    table[b':' as usize] = Class::Space;
    table[b',' as usize] = Class::Comma;
    table[b'"' as usize] = Class::Quote;
    table[b'{' as usize] = Class::Curly;
    table[b'[' as usize] = Class::Square;
    table[b'}' as usize] = Class::Close;
    table[b']' as usize] = Class::Close;
    table
};

fn end_of_scalar(rest: &[u8]) -> Option<usize> {
    rest.iter().position(|byte| !matches!(CLASS[usize::from(*byte)], Class::Scalar))
}

/// The value of digits alone: no sign, fraction or exponent.
fn unsigned(text: &[u8]) -> Option<u64> {
    let digits = Some(text).filter(|text| !text.is_empty())?;
    digits.iter().try_fold(0_u64, |sum, byte| {
        let digit = char::from(*byte).to_digit(10)?;
        sum.checked_mul(10)?.checked_add(digit.into())
    })
}
