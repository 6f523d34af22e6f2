//! A stream on its way from one dialect to another.
//!
//! Bytes -> [`Assembler`] -> the upstream dialect's reader -> events -> the client dialect's writer
//! -> bytes. What a chunk brings is handed on with that chunk.

use bytes::Bytes;

use super::answer::{Answer, Event, Failed, Ids, says_something};
use super::assemble::Assembler;
use super::{Asked, Occasion, Pair, Speech, Unreadable, chat, messages, responses};

/// The most bytes that are kept to write in.
const KEPT: usize = 4096;

/// Translates one stream.
#[derive(Debug)]
pub struct StreamTranslator {
    assembler: Assembler,
    reader: Reader,
    writer: Writer,
    events: Vec<Event>,
    /// Where events are written, one push after the other.
    out: Vec<u8>,
    ids: Ids,
    state: State,
}

/// How far a stream has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// More is to come.
    Flowing,
    /// The client has its last event; nothing that follows is read.
    Whole,
    /// The upstream told an error, which the client has been told.
    Failed(Failed),
    /// What the upstream sends cannot be read; the client must be told so.
    Broken(Unreadable),
}

#[derive(Debug)]
enum Reader {
    Chat(chat::EventReader),
    Responses(responses::EventReader),
    Messages(messages::EventReader),
}

#[derive(Debug)]
enum Writer {
    Chat(chat::EventWriter),
    Responses(responses::EventWriter),
    Messages(messages::EventWriter),
}

/// A whole answer, told as a stream.
pub(super) fn told_at_once(
    client: Speech,
    answer: Answer,
    asked: Asked,
    occasion: Occasion,
) -> Vec<u8> {
    let mut writer = Writer::of(client, asked, occasion);
    let mut out = Vec::new();
    for event in answer.into_events() {
        writer.write(event, &mut out);
    }
    out
}

// === impl StreamTranslator ===

impl StreamTranslator {
    pub(super) fn new(pair: Pair, asked: Asked, occasion: Occasion) -> Self {
        Self {
            assembler: Assembler::default(),
            reader: Reader::of(pair.upstream),
            writer: Writer::of(pair.client, asked, occasion),
            events: Vec::new(),
            out: Vec::new(),
            ids: Ids::default(),
            state: State::Flowing,
        }
    }

    /// What the client gets for a chunk of the upstream's; may be empty. Whole events only, so that
    /// an error event may follow at any time.
    pub fn push(&mut self, chunk: &[u8]) -> Bytes {
        let Self { assembler, reader, events, state, .. } = self;
        if *state != State::Flowing {
            return Bytes::new();
        }
        let read = assembler.read(chunk, |data| reader.read(data, events));
        self.write(read)
    }

    /// The upstream has ended its body: what is left to say. Look at [`Self::state`] then: a stream
    /// that still flows was cut.
    pub fn finish(&mut self) -> Bytes {
        let Self { assembler, reader, events, state, .. } = self;
        if *state != State::Flowing {
            return Bytes::new();
        }
        let read = assembler.finish(|data| reader.read(data, events));
        if read.is_ok() {
            reader.finish(events);
        }
        self.write(read)
    }

    /// How far it has come.
    pub fn state(&self) -> &State {
        &self.state
    }

    fn write(&mut self, read: Result<(), Unreadable>) -> Bytes {
        for mut event in self.events.drain(..) {
            match &mut event {
                Event::Start { id, model, .. } => {
                    says_something(id);
                    says_something(model);
                }
                Event::ToolStart { id, .. } => self.ids.set_apart(id),
                Event::End => self.state = State::Whole,
                Event::Failed(failed) => self.state = State::Failed(failed.clone()),
                _ => {}
            }
            self.writer.write(event, &mut self.out);
            if self.state != State::Flowing {
                break;
            }
        }
        self.events.clear();
        if let (Err(unreadable), State::Flowing) = (read, &self.state) {
            self.state = State::Broken(unreadable);
        }
        self.written()
    }

    /// A large buffer is given away; a small one is copied out of, and serves again.
    fn written(&mut self) -> Bytes {
        if self.out.capacity() > KEPT {
            return Bytes::from(std::mem::take(&mut self.out));
        }
        let written = Bytes::copy_from_slice(&self.out);
        self.out.clear();
        written
    }
}

// === impl Reader ===

impl Reader {
    fn of(speech: Speech) -> Self {
        match speech {
            Speech::Chat => Self::Chat(chat::EventReader::default()),
            Speech::Responses => Self::Responses(responses::EventReader::default()),
            Speech::Messages => Self::Messages(messages::EventReader::default()),
        }
    }

    fn read(&mut self, data: &[u8], events: &mut Vec<Event>) -> Result<(), Unreadable> {
        match self {
            Self::Chat(reader) => reader.read(data, events),
            Self::Responses(reader) => reader.read(data, events),
            Self::Messages(reader) => reader.read(data, events),
        }
    }

    fn finish(&mut self, events: &mut Vec<Event>) {
        match self {
            Self::Chat(reader) => reader.finish(events),
            Self::Responses(reader) => reader.finish(events),
            Self::Messages(reader) => reader.finish(events),
        }
    }
}

// === impl Writer ===

impl Writer {
    fn of(speech: Speech, asked: Asked, occasion: Occasion) -> Self {
        match speech {
            Speech::Chat => Self::Chat(chat::EventWriter::new(asked, occasion)),
            Speech::Responses => Self::Responses(responses::EventWriter::new(asked, occasion)),
            Speech::Messages => Self::Messages(messages::EventWriter::new(asked, occasion)),
        }
    }

    fn write(&mut self, event: Event, out: &mut Vec<u8>) {
        match self {
            Self::Chat(writer) => writer.write(event, out),
            Self::Responses(writer) => writer.write(event, out),
            Self::Messages(writer) => writer.write(event, out),
        }
    }
}
