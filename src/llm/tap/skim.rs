//! Reads a few members out of a JSON text that arrives in pieces, without building or keeping it.
//!
//! Invariants: no allocation, constant memory whatever the text; the same findings for any split
//! of the same bytes; no input is an error. It is no validator: of a broken text it finds what it
//! finds. Strings and subtrees that nobody reads are skipped by `memchr`. A member name written
//! with escapes is not recognised (no provider does so).

use memchr::memchr3;

use super::node::Node;
use super::text::{Escaped, Skip, Text, skip_string};
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
            frames: [Frame { node: Node::Root, kind: Kind::Array }; DEPTH],
            depth: 0,
            node: Node::Root,
            text: Text::default(),
            findings: Findings::default(),
        }
    }
}

impl Skimmer {
    /// Reads the next bytes of the text.
    pub(super) fn feed(&mut self, bytes: &[u8]) {
        let mut at = 0;
        while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
            at += match self.state {
                State::Idle | State::Between => self.between(rest),
                State::Text { escaped } => self.string(rest, escaped),
                State::Skipped { escaped } => self.skipped_string(rest, escaped),
                State::Scalar => self.scalar(rest),
                State::Ignored { kind, depth } => self.ignored(rest, kind, depth),
                State::IgnoredString { kind, depth, escaped } => {
                    let closed = skip_string(rest, Escaped(escaped));
                    self.state = match closed {
                        Skip::Closed(_) => State::Ignored { kind, depth },
                        Skip::Open { escaped } => State::IgnoredString { kind, depth, escaped },
                    };
                    closed.length(rest)
                }
                State::Closed => return,
            };
        }
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
        self.findings = Findings::default();
    }

    /// One byte outside strings, scalars and ignored subtrees.
    fn between(&mut self, rest: &[u8]) -> usize {
        self.state = State::Between;
        match rest[0] {
            b'"' => self.open_string(),
            b'{' => self.open(Kind::Object { names: true }),
            b'[' => self.open(Kind::Array),
            b'}' | b']' => self.close(),
            b':' => self.expect_value(),
            b',' => self.expect_next(),
            b' ' | b'\t' | b'\n' | b'\r' => {}
            _ => return self.open_scalar(),
        }
        1
    }

    fn open(&mut self, kind: Kind) {
        if self.node == Node::Error {
            self.findings.failed = true;
        }
        match self.frames.get_mut(usize::from(self.depth)) {
            Some(frame) if !self.node.is_leaf() => {
                *frame = Frame { node: self.node, kind };
                self.depth += 1;
            }
            _ => self.state = State::Ignored { kind, depth: 1 },
        }
    }

    fn close(&mut self) {
        self.depth = self.depth.saturating_sub(1);
        self.node = Node::Ignored;
        if self.depth == 0 {
            self.state = State::Closed;
        }
    }

    fn expect_value(&mut self) {
        if let Some(Frame { node, kind: Kind::Object { names } }) = self.top() {
            *names = false;
            self.node = node.member(self.text.bytes());
        }
    }

    fn expect_next(&mut self) {
        if let Some(frame) = self.top() {
            if let Kind::Object { names } = &mut frame.kind {
                *names = true;
            }
            self.node = frame.node;
        }
    }

    fn open_string(&mut self) {
        let name = matches!(self.top(), Some(Frame { kind: Kind::Object { names: true }, .. }));
        self.state = match self.node {
            _ if name => State::Text { escaped: false },
            Node::Type | Node::Finish | Node::Content | Node::Error => {
                State::Text { escaped: false }
            }
            _ => State::Skipped { escaped: false },
        };
        self.text.clear();
    }

    fn string(&mut self, rest: &[u8], escaped: bool) -> usize {
        let skip = skip_string(rest, Escaped(escaped));
        match skip {
            Skip::Closed(end) => {
                self.text.push(&rest[..end - 1]);
                self.state = State::Between;
                self.close_string();
            }
            Skip::Open { escaped } => {
                self.text.push(rest);
                self.state = State::Text { escaped };
            }
        }
        skip.length(rest)
    }

    fn close_string(&mut self) {
        if matches!(self.top(), Some(Frame { kind: Kind::Object { names: true }, .. })) {
            return;
        }
        let written = !self.text.is_empty();
        match self.node {
            Node::Type if self.findings.event == Event::Unnamed => {
                self.findings.event = Event::named(self.text.bytes());
            }
            Node::Finish => self.findings.finished |= written,
            Node::Content => self.findings.content |= written,
            Node::Error => self.findings.failed |= written,
            _ => {}
        }
    }

    fn skipped_string(&mut self, rest: &[u8], escaped: bool) -> usize {
        let skip = skip_string(rest, Escaped(escaped));
        self.state = match skip {
            Skip::Closed(_) => State::Between,
            Skip::Open { escaped } => State::Skipped { escaped },
        };
        skip.length(rest)
    }

    fn open_scalar(&mut self) -> usize {
        self.text.clear();
        self.state = State::Scalar;
        0
    }

    fn scalar(&mut self, rest: &[u8]) -> usize {
        let end = rest.iter().position(|byte| ends_scalar(*byte));
        self.text.push(&rest[..end.unwrap_or(rest.len())]);
        if end.is_some() {
            self.state = State::Between;
            self.close_scalar();
        }
        end.unwrap_or(rest.len())
    }

    fn close_scalar(&mut self) {
        match self.node {
            Node::Tokens(count) => {
                if let Some(tokens) = self.text.unsigned() {
                    self.findings.report.set(count, tokens);
                }
            }
            Node::Root if self.is_root_array() => {
                self.findings.done |= self.text.bytes() == b"DONE";
            }
            _ => {}
        }
    }

    /// Only brackets of the subtree's own kind are counted: in valid JSON the others pair up
    /// between them.
    fn ignored(&mut self, rest: &[u8], kind: Kind, depth: u32) -> usize {
        let (open, close) = kind.brackets();
        let Some(end) = memchr3(b'"', open, close, rest) else {
            return rest.len();
        };
        self.state = match rest[end] {
            b'"' => State::IgnoredString { kind, depth, escaped: false },
            byte if byte == open => State::Ignored { kind, depth: depth.saturating_add(1) },
            _ if depth > 1 => State::Ignored { kind, depth: depth - 1 },
            _ => State::Between,
        };
        end + 1
    }

    fn is_root_array(&self) -> bool {
        self.depth == 1 && matches!(self.frames[0].kind, Kind::Array)
    }

    fn top(&mut self) -> Option<&mut Frame> {
        self.frames.get_mut(usize::from(self.depth).checked_sub(1)?)
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
    /// In a string that is kept: a member's name, or a value that is read.
    Text {
        escaped: bool,
    },
    /// In a string that is not.
    Skipped {
        escaped: bool,
    },
    /// In a number or a literal.
    Scalar,
    /// In a subtree that nobody reads, opened by this kind of bracket.
    Ignored {
        kind: Kind,
        depth: u32,
    },
    IgnoredString {
        kind: Kind,
        depth: u32,
        escaped: bool,
    },
    /// Behind the outermost value; what follows is not read.
    Closed,
}

#[derive(Debug, Clone, Copy)]
struct Frame {
    node: Node,
    kind: Kind,
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    /// `names`: is the next string a member's name?
    Object {
        names: bool,
    },
    Array,
}

impl Kind {
    fn brackets(self) -> (u8, u8) {
        match self {
            Self::Object { .. } => (b'{', b'}'),
            Self::Array => (b'[', b']'),
        }
    }
}

fn ends_scalar(byte: u8) -> bool {
    matches!(byte, b',' | b'}' | b']' | b' ' | b'\t' | b'\n' | b'\r' | b':' | b'"' | b'{' | b'[')
}
