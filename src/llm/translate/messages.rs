//! Anthropic's messages, read and written.

use super::answer::{Answer, Event};
use super::conversation::Conversation;
use super::{Asked, Occasion, Refused, Unreadable, Wishes};

/// Reads the events of a stream.
#[derive(Debug, Default)]
pub(super) struct EventReader {}

/// Writes the events of a stream.
#[derive(Debug)]
pub(super) struct EventWriter {}

pub(super) fn read_request(_body: &[u8]) -> Result<Conversation, Refused> {
    Err(Refused::new("messages", "not yet"))
}

pub(super) fn write_request(_said: &Conversation, _wishes: &Wishes) -> Result<Vec<u8>, Refused> {
    Err(Refused::new("messages", "not yet"))
}

pub(super) fn read_answer(_body: &[u8]) -> Result<Answer, Unreadable> {
    Err(Unreadable("not yet".to_owned()))
}

pub(super) fn write_answer(_answer: &Answer, _asked: &Asked, _occasion: &Occasion) -> Vec<u8> {
    Vec::new()
}

// === impl EventReader ===

impl EventReader {
    pub(super) fn read(&mut self, _data: &[u8], _out: &mut Vec<Event>) -> Result<(), Unreadable> {
        Err(Unreadable("not yet".to_owned()))
    }

    pub(super) fn finish(&mut self, _out: &mut Vec<Event>) {}
}

// === impl EventWriter ===

impl EventWriter {
    pub(super) fn new(_asked: Asked, _occasion: Occasion) -> Self {
        Self {}
    }

    pub(super) fn write(&mut self, _event: Event, _out: &mut Vec<u8>) {}
}
