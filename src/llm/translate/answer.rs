//! An answer, in no dialect: whole, or event by event.

use std::collections::{HashMap, HashSet};

use super::conversation::{Thought, ToolCall};

/// A whole answer.
#[derive(Debug, Default)]
pub struct Answer {
    /// As the upstream gave it.
    pub id: Option<String>,
    /// As the upstream names it.
    pub model: Option<String>,
    /// Seconds since the epoch, if told.
    pub created: Option<u64>,
    /// In order.
    pub parts: Vec<AnswerPart>,
    /// Why it ended.
    pub stop: Stop,
    /// What it cost.
    pub usage: Spent,
    /// The tier that served it, in the upstream's words.
    pub service_tier: Option<String>,
}

/// A piece of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AnswerPart {
    /// Text.
    Text(String),
    /// What was thought.
    Thinking(Thought),
    /// A tool to call.
    ToolCall(ToolCall),
    /// Why it would not.
    Refusal(String),
}

/// Why an answer ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Stop {
    /// It was complete (also `pause_turn`).
    #[default]
    EndTurn,
    /// It was too long.
    MaxTokens,
    /// This was said.
    Sequence(Option<String>),
    /// Tools are to be called.
    ToolUse,
    /// It would not, or a filter would not.
    Refusal,
    /// The context window is full.
    ContextWindow,
}

/// What it cost, in tokens. `input`, `cache_read` and `cache_creation` are disjoint.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Spent {
    /// Was anything told?
    pub told: bool,
    /// Prompt tokens that no cache served.
    pub input: u64,
    /// Read from a cache.
    pub cache_read: u64,
    /// Written to a cache.
    pub cache_creation: u64,
    /// Generated, reasoning included.
    pub output: u64,
    /// The reasoning within `output`, if told.
    pub reasoning: Option<u64>,
}

/// What happens in a stream. Readers emit, writers take: [`Event::Start`] first, exactly one of
/// [`Event::End`] and [`Event::Failed`] last, nothing after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The answer begins.
    Start {
        /// As the upstream gave it.
        id: Option<String>,
        /// As the upstream names it.
        model: Option<String>,
        /// What is known of the cost already (Anthropic tells the prompt's).
        usage: Spent,
    },
    /// More text.
    Text(String),
    /// More of a thought, in plain text.
    Thinking(String),
    /// The proof of the thought so far, which ends it.
    Signature(String),
    /// A whole thought that is no text ([`Thought::Redacted`], [`Thought::Item`]).
    Thought(Thought),
    /// More of a refusal.
    Refusal(String),
    /// A call begins: `slot` counts calls from 0.
    ToolStart {
        /// Which call of this answer.
        slot: u32,
        /// Its id; never empty.
        id: String,
        /// The tool; never empty.
        name: String,
    },
    /// More arguments of a call that has begun. Calls may interleave.
    ToolArguments {
        /// Which call.
        slot: u32,
        /// More of the JSON text.
        more: String,
    },
    /// No more arguments of this call will come.
    ToolEnd {
        /// Which call.
        slot: u32,
    },
    /// A sign of life.
    Ping,
    /// The whole cost so far; later ones replace earlier ones.
    Usage(Spent),
    /// Why it ended; the stream may still tell its usage.
    Stop(Stop),
    /// All has been said.
    End,
    /// The upstream told an error instead of an end.
    Failed(Failed),
}

/// An error that an upstream told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failed {
    /// The upstream's word for it (`overloaded_error`, `server_error`), if it has one.
    pub kind: Option<String>,
    /// In its words.
    pub message: String,
}

/// The ids of an answer's calls, set apart where an upstream gives one id to two of them: a result
/// finds its call by it.
#[derive(Debug, Default)]
pub(super) struct Ids {
    taken: HashSet<String>,
    /// How often an id was given.
    times: HashMap<String, u32>,
}

/// An empty name is none: some upstreams send one for what they do not know.
pub(super) fn says_something(name: &mut Option<String>) {
    if name.as_deref() == Some("") {
        *name = None;
    }
}

// === impl Ids ===

impl Ids {
    /// Makes an id another one if it has been seen.
    pub(super) fn set_apart(&mut self, id: &mut String) {
        if self.taken.insert(id.clone()) {
            return;
        }
        let given = id.clone();
        let times = self.times.entry(given.clone()).or_insert(1);
        while !self.taken.insert(id.clone()) {
            *times = times.saturating_add(1);
            *id = format!("{given}_{times}");
        }
    }
}

// === impl Answer ===

impl Answer {
    /// The same, with an id of its own for each call, and without names that say nothing.
    pub(super) fn well_named(mut self) -> Self {
        says_something(&mut self.id);
        says_something(&mut self.model);
        let mut ids = Ids::default();
        for part in &mut self.parts {
            if let AnswerPart::ToolCall(call) = part {
                ids.set_apart(&mut call.id);
            }
        }
        self
    }

    /// The same, as a stream would have told it.
    pub(super) fn into_events(self) -> Vec<Event> {
        let Self { id, model, parts, stop, usage, .. } = self;
        let mut events = vec![Event::Start { id, model, usage }];
        let mut slot = 0;
        for part in parts {
            match part {
                AnswerPart::Text(text) => events.push(Event::Text(text)),
                AnswerPart::Refusal(text) => events.push(Event::Refusal(text)),
                AnswerPart::Thinking(thought) => events.extend(thought.into_events()),
                AnswerPart::ToolCall(call) => {
                    events.push(Event::ToolStart { slot, id: call.id, name: call.name });
                    events.push(Event::ToolArguments { slot, more: call.arguments });
                    events.push(Event::ToolEnd { slot });
                    slot += 1;
                }
            }
        }
        events.extend([Event::Stop(stop), Event::Usage(usage), Event::End]);
        events
    }
}

// === impl Thought ===

impl Thought {
    fn into_events(self) -> Vec<Event> {
        match self {
            Self::Plain(text) => vec![Event::Thinking(text)],
            Self::Signed { text, signature } => {
                vec![Event::Thinking(text), Event::Signature(signature)]
            }
            Self::Redacted(_) | Self::Item(_) => vec![Event::Thought(self)],
        }
    }
}

// === impl Spent ===

impl Spent {
    /// The whole prompt: OpenAI's `prompt_tokens`.
    pub fn prompt(&self) -> u64 {
        self.input.saturating_add(self.cache_read).saturating_add(self.cache_creation)
    }
}
