//! Reads an answer's decoded bytes: which framing, which dialect, what an event or a body means.

use super::End;
use super::quiet;
use super::skim::{Event, Findings, Skimmer};
use crate::llm::operation::Kind;
use crate::llm::sse::{Extent, Piece, Reader};
use crate::llm::usage::Usage;

/// The reader of one answer.
#[derive(Debug)]
pub(super) struct Watcher {
    framing: Framing,
    reading: Reading,
    skimmer: Skimmer,
    usage: Usage,
    token: bool,
    terminal: bool,
}

// === impl Watcher ===

impl Watcher {
    /// A reader for the answer to `kind`, framed as its content type says.
    pub(super) fn new(kind: Kind, content_type: &str) -> Self {
        Self {
            framing: Framing::of(content_type),
            reading: Reading::of(kind),
            skimmer: Skimmer::default(),
            usage: Usage::default(),
            token: false,
            terminal: false,
        }
    }

    pub(super) fn observe(&mut self, chunk: &[u8]) {
        match self.framing {
            Framing::Events(_) => self.observe_events(chunk),
            Framing::Json if self.reading != Reading::Nothing => self.skimmer.feed(chunk),
            Framing::Json | Framing::Opaque => {}
        }
        if !self.reads_events() {
            self.token |= !chunk.is_empty();
        }
    }

    /// The reports of whole events, and of as much of a JSON body as there is.
    pub(super) fn usage(&self) -> Usage {
        let mut usage = self.usage;
        let pending = match self.framing {
            Framing::Events(_) => self.skimmer.complete(),
            Framing::Json | Framing::Opaque => Some(self.skimmer.findings()),
        };
        if let Some(findings) = pending {
            self.reading.note_usage(findings, &mut usage);
        }
        usage
    }

    pub(super) fn has_token(&self) -> bool {
        self.token
    }

    pub(super) fn reads_events(&self) -> bool {
        matches!(self.framing, Framing::Events(_))
    }

    pub(super) fn between_events(&self) -> bool {
        matches!(&self.framing, Framing::Events(reader) if reader.between_events())
    }

    pub(super) fn end(&self) -> End {
        let pending = self.skimmer.complete();
        match self.reading {
            _ if !self.reads_events() => End::Unmarked,
            Reading::Nothing => End::Unmarked,
            _ if self.terminal => End::Terminal,
            reading if pending.is_some_and(|found| reading.is_terminal(found)) => End::Terminal,
            _ => End::Open,
        }
    }

    fn observe_events(&mut self, chunk: &[u8]) {
        let mut at = 0;
        while let Framing::Events(reader) = &mut self.framing {
            match reader.next(chunk, &mut at) {
                Some(Piece::Data { part, extent }) => self.data(part, extent),
                Some(Piece::EventEnd) => self.end_event(),
                None => return,
            }
        }
    }

    fn data(&mut self, part: &[u8], extent: Extent) {
        if self.skimmer.is_idle() && extent == Extent::LastLine && self.is_quiet(part) {
            return;
        }
        // Lines of one event are joined by a line feed, which ends a number at a line's end.
        if extent != Extent::More && !self.skimmer.is_idle() {
            self.skimmer.feed(b"\n");
        }
        self.skimmer.feed(part);
        if self.reading == Reading::Nothing {
            self.token |= !part.is_empty();
        }
    }

    fn is_quiet(&self, data: &[u8]) -> bool {
        self.token
            && match self.reading {
                Reading::Nothing => true,
                Reading::Chat => quiet::lacks(data, &quiet::CHAT),
                Reading::Messages | Reading::Responses => {
                    quiet::is_delta(data) && quiet::lacks(data, &quiet::NAMED)
                }
                // Each chunk has its `usageMetadata`.
                Reading::Gemini => false,
            }
    }

    fn end_event(&mut self) {
        if self.skimmer.is_idle() {
            return;
        }
        let findings = self.skimmer.findings();
        self.reading.note_usage(findings, &mut self.usage);
        self.terminal |= self.reading.is_terminal(findings);
        self.token |= self.reading.is_token(findings);
        self.skimmer.reset();
    }
}

// === private parts ===

#[derive(Debug)]
enum Framing {
    Events(Reader),
    /// One JSON text, which may be Gemini's array of chunks.
    Json,
    Opaque,
}

impl Framing {
    fn of(content_type: &str) -> Self {
        let essence = content_type.as_bytes().split(|byte| *byte == b';').next();
        let essence = essence.unwrap_or_default().trim_ascii();
        if essence.eq_ignore_ascii_case(b"text/event-stream") {
            Self::Events(Reader::default())
        } else if essence.eq_ignore_ascii_case(b"application/json") {
            Self::Json
        } else {
            Self::Opaque
        }
    }
}

/// The dialect in which an answer is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reading {
    /// OpenAI's chat, legacy completions and embeddings.
    Chat,
    Responses,
    Messages,
    Gemini,
    /// An answer of which only the framing is known.
    Nothing,
}

impl Reading {
    fn of(kind: Kind) -> Self {
        match kind {
            Kind::ChatCompletions | Kind::Completions | Kind::Embeddings => Self::Chat,
            Kind::Responses => Self::Responses,
            Kind::Messages => Self::Messages,
            Kind::GenerateContent | Kind::StreamGenerateContent => Self::Gemini,
            Kind::CountTokens | Kind::Other => Self::Nothing,
        }
    }

    fn note_usage(self, findings: &Findings, usage: &mut Usage) {
        match self {
            Self::Chat | Self::Responses => usage.replace(findings.report.openai()),
            Self::Messages => usage.accumulate(findings.report.anthropic()),
            Self::Gemini => usage.replace(findings.report.gemini()),
            Self::Nothing => {}
        }
    }

    /// Does nothing that matters follow this event? Some providers send no `[DONE]`, and some
    /// gateways write an `error` into streams of every dialect.
    fn is_terminal(self, findings: &Findings) -> bool {
        findings.failed
            || match self {
                Self::Chat => findings.done || findings.finished,
                Self::Responses => findings.done || findings.event == Event::Terminal,
                Self::Messages => findings.event == Event::Terminal,
                Self::Gemini => findings.finished,
                Self::Nothing => false,
            }
    }

    fn is_token(self, findings: &Findings) -> bool {
        match self {
            Self::Chat | Self::Gemini => findings.content,
            Self::Responses | Self::Messages => findings.event == Event::Delta,
            Self::Nothing => true,
        }
    }
}
