//! What is changed in a stream as it passes: nothing, a usage chunk, or all of it.

use bytes::Bytes;

use super::failure::Failure;
use crate::llm::decode::{Coding, Decoder};
use crate::llm::translate::{StreamState, StreamTranslator};
use crate::llm::usage_chunk::UsageChunkFilter;

/// What is changed in a stream.
#[derive(Debug)]
pub enum Rewrite {
    /// Nothing.
    Nothing,
    /// The usage chunk is taken out, because Pillion asked for it.
    UsageChunk(UsageChunkFilter),
    /// It is translated.
    Translated(Box<Translated>),
}

/// A stream in another dialect than the caller's.
#[derive(Debug)]
pub struct Translated {
    translator: StreamTranslator,
    decoder: Option<Decoder>,
    fault: Option<String>,
}

// === impl Rewrite ===

impl Rewrite {
    /// What goes on for what came.
    pub fn push(&mut self, data: Bytes) -> Bytes {
        match self {
            Self::Nothing => data,
            Self::UsageChunk(filter) => filter.push(data),
            Self::Translated(translated) => translated.push(&data),
        }
    }

    /// What goes on at the end.
    pub fn finish(&mut self) -> Bytes {
        match self {
            Self::Nothing => Bytes::new(),
            Self::UsageChunk(_) => match std::mem::replace(self, Self::Nothing) {
                Self::UsageChunk(mut filter) => filter.finish(),
                Self::Nothing | Self::Translated(_) => Bytes::new(),
            },
            Self::Translated(translated) => translated.translator.finish(),
        }
    }

    /// Does the client get the bytes as they come?
    pub fn is_nothing(&self) -> bool {
        matches!(self, Self::Nothing)
    }

    /// Why nothing more can be made of the stream, if that is so.
    pub fn failure(&self) -> Option<Failure> {
        let Self::Translated(translated) = self else {
            return None;
        };
        let why = match (translated.translator.state(), &translated.fault) {
            // Nothing may follow the last event, whatever comes behind it.
            (StreamState::Whole | StreamState::Failed(_), _) => return None,
            (StreamState::Flowing | StreamState::Broken(_), Some(fault)) => fault.clone(),
            (StreamState::Broken(unreadable), None) => unreadable.to_string(),
            (StreamState::Flowing, None) => return None,
        };
        Some(Failure::UpstreamBroken(why))
    }

    /// Has the client been told an end? `None`: it gets the upstream's own.
    pub fn has_ended(&self) -> Option<bool> {
        match self {
            Self::Nothing | Self::UsageChunk(_) => None,
            Self::Translated(translated) => Some(match translated.translator.state() {
                StreamState::Whole | StreamState::Failed(_) => true,
                StreamState::Flowing | StreamState::Broken(_) => false,
            }),
        }
    }
}

// === impl Translated ===

impl Translated {
    /// Translates what comes in this coding, although none was asked for.
    pub fn new(translator: StreamTranslator, coding: Coding) -> Box<Self> {
        let decoder = (coding != Coding::Identity).then(|| Decoder::new(coding));
        Box::new(Self { translator, decoder, fault: None })
    }

    fn push(&mut self, data: &[u8]) -> Bytes {
        let Self { translator, decoder, fault } = self;
        let Some(decoder) = decoder else {
            return translator.push(data);
        };
        let mut out = Vec::new();
        let decoded = decoder.decode(data, &mut |piece| {
            out.extend_from_slice(&translator.push(piece));
        });
        if let Err(why) = decoded {
            fault.get_or_insert(why.to_string());
        }
        Bytes::from(out)
    }
}
