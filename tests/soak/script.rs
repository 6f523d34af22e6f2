//! The plan of each call: what is asked, what the upstream does, what must come of it.

use std::cell::Cell;
use std::time::Duration;

use fastrand::Rng;
use tokio::sync::Notify;

use crate::bodies::{self, Event};

/// Input, output, cache read, cache creation.
pub(crate) type Counts = [Option<u64>; 4];

pub(crate) const NOTHING: Counts = [None; 4];

/// One call.
pub(crate) struct Plan {
    pub(crate) id: u64,
    pub(crate) dialect: Dialect,
    pub(crate) shape: Shape,
    pub(crate) fate: Fate,
    /// What a whole JSON answer is.
    pub(crate) json: Event,
    /// What a whole stream is; empty for a call.
    pub(crate) events: Vec<Event>,
    /// Before the answer, or between events.
    pub(crate) pause: Duration,
    /// The fault comes after so many events.
    pub(crate) after: usize,
    /// How much is asked, in bytes.
    pub(crate) prompt: usize,
    /// How often the upstream was asked.
    pub(crate) tries: Cell<u32>,
    /// It was reset on a connection that had served before, and can be sent again.
    pub(crate) must_come_again: Cell<bool>,
    /// The request is with the upstream.
    pub(crate) arrived: Notify,
    /// The caller has all that comes before the fault.
    pub(crate) seen: Notify,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    Chat,
    Messages,
    Responses,
    Gemini,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    Call,
    Stream,
}

/// What becomes of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// Answered, after the pause.
    Whole,
    /// Answered whole; then the upstream closes the connection, unannounced.
    CloseAfter,
    /// This status, with a body.
    Status(u16),
    /// RST instead of an answer, the first time.
    ResetOnce,
    /// RST instead of an answer, each time.
    ResetAlways,
    /// FIN within the JSON body, or within an event.
    CutWithin,
    /// FIN between two events.
    CutBetween,
    /// RST between two events.
    ResetBetween,
    /// No answer, or no further event, until Pillion gives up.
    Silent,
    /// No answer, or no further event, until the caller leaves.
    Left,
    /// No upstream there.
    Refused,
    /// No rule for it.
    NoRoute,
}

/// What the access log must say of a call.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Told {
    pub(crate) status: u64,
    pub(crate) outcome: String,
    pub(crate) counts: Counts,
    pub(crate) bytes: u64,
}

// === impl Plan ===

impl Plan {
    pub(crate) fn draw(id: u64, shape: Shape, rng: &mut Rng) -> Self {
        let all = [Dialect::Chat, Dialect::Messages, Dialect::Responses, Dialect::Gemini];
        let dialect = all[rng.usize(..all.len())];
        let fate = match shape {
            Shape::Call => call_fate(rng),
            Shape::Stream => stream_fate(rng),
        };
        let events = match shape {
            Shape::Call => Vec::new(),
            Shape::Stream => bodies::stream(dialect, rng),
        };
        let pause = match (shape, rng.u8(..20)) {
            (Shape::Call, 0) => Duration::from_millis(rng.u64(50..400)),
            (Shape::Call, _) => Duration::ZERO,
            (Shape::Stream, _) => Duration::from_millis(rng.u64(20..150)),
        };
        Self {
            id,
            dialect,
            shape,
            fate,
            json: bodies::json(dialect, rng),
            // The last event may not be among those before a fault, for it ends the stream.
            after: rng.usize(1..events.len().max(4) - 2),
            events,
            pause,
            prompt: rng.usize(..4000),
            tries: Cell::new(0),
            must_come_again: Cell::new(false),
            arrived: Notify::new(),
            seen: Notify::new(),
        }
    }

    /// The model that is asked for, which decides the rule.
    pub(crate) fn model(&self) -> &'static str {
        match (self.fate, self.shape) {
            (Fate::Silent, Shape::Call) => "unanswered",
            (Fate::Silent, Shape::Stream) => "silent",
            (Fate::Refused, _) => "refused",
            (Fate::NoRoute, _) => "nowhere",
            _ => "steady",
        }
    }

    /// The events before the fault; all of them if there is none.
    pub(crate) fn before(&self) -> &[Event] {
        match self.fate {
            Fate::CutWithin | Fate::CutBetween | Fate::ResetBetween | Fate::Silent | Fate::Left => {
                self.events.get(..self.after).unwrap_or_default()
            }
            _ => &self.events,
        }
    }

    /// The same, as the caller sees them: a chat stream's usage was Pillion's own wish.
    pub(crate) fn visible(&self) -> Vec<u8> {
        let shown = self.before().iter().filter(|event| event.shown);
        shown.flat_map(|event| event.text.bytes()).collect()
    }

    /// Can Pillion send it twice? It does not hold a body that it need not look into, such as
    /// Gemini's, whose model stands in the path.
    pub(crate) fn is_held(&self) -> bool {
        self.dialect != Dialect::Gemini
    }

    /// What was counted when the fault came, or at the end.
    pub(crate) fn counts(&self) -> Counts {
        self.before().last().map_or(NOTHING, |event| event.counts)
    }
}

fn call_fate(rng: &mut Rng) -> Fate {
    match rng.u8(..100) {
        0..3 => Fate::CloseAfter,
        3..6 => Fate::Status(429),
        6..9 => Fate::Status(500),
        9..10 => Fate::Status(529),
        10..13 => Fate::ResetOnce,
        13..14 => Fate::ResetAlways,
        14..17 => Fate::CutWithin,
        17..18 => Fate::Silent,
        18..21 => Fate::Left,
        21..22 => Fate::Refused,
        22..23 => Fate::NoRoute,
        _ => Fate::Whole,
    }
}

fn stream_fate(rng: &mut Rng) -> Fate {
    match rng.u8(..100) {
        0..3 => Fate::CloseAfter,
        3..6 => Fate::Status(429),
        6..9 => Fate::Status(500),
        9..12 => Fate::ResetOnce,
        12..13 => Fate::ResetAlways,
        13..17 => Fate::CutWithin,
        17..22 => Fate::CutBetween,
        22..27 => Fate::ResetBetween,
        27..32 => Fate::Silent,
        32..42 => Fate::Left,
        _ => Fate::Whole,
    }
}
