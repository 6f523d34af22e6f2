//! From one dialect to another: requests one way, answers, streams and errors the other way.
//!
//! Three are spoken: OpenAI's chat completions ([`chat`]) and responses ([`responses`]), and
//! Anthropic's messages ([`messages`]). Each is read into, and written from, one neutral form: a
//! [`conversation`], an [`answer`] or the [`Event`](answer::Event)s of one. So there is one reader
//! and one writer of each dialect, not one of each pair; what differs from pair to pair is a table
//! of what becomes of each field, in a file of its own (`chat_to_messages` and so on), by which
//! requests are refused and from which docs/translation.md is written.
//!
//! Invariants: sans-io and without a clock; memory is bounded by [`MAX_EVENT`] and by what is held
//! already; no input panics. What the target cannot do is dropped where that is harmless, and
//! refused by the name of its field where it would change the answer. A signature is never made up.
//! Does not know vendors, routes or connections.

pub mod answer;
mod assemble;
mod chat;
mod chat_to_messages;
mod chat_to_responses;
pub mod conversation;
mod depth;
mod estimate;
mod failures;
pub mod fate;
mod fingerprint;
mod messages;
mod messages_to_chat;
mod messages_to_responses;
mod responses;
mod responses_to_chat;
mod responses_to_messages;
mod stream;
#[cfg(test)]
mod tests;

use bytes::Bytes;
use thiserror::Error;

use super::Api;
use answer::Answer;
use conversation::{Conversation, Delivery};
use fate::Row;

pub use assemble::MAX_EVENT;
pub use messages::MAX_TOKENS;
pub use stream::{State as StreamState, StreamTranslator};

/// A dialect that can be translated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Speech {
    /// OpenAI chat completions.
    Chat,
    /// OpenAI responses.
    Responses,
    /// Anthropic messages.
    Messages,
}

/// The header by which the messages API is told its version, and the one that is written here:
/// later ones forbid sampling parameters, which callers of the other dialects send.
pub const ANTHROPIC_VERSION: (&str, &str) = ("anthropic-version", "2023-06-01");

/// Who speaks what: never the same on both sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Pair {
    client: Speech,
    upstream: Speech,
}

/// What the target is like.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wishes {
    /// The model name to send instead of the caller's.
    pub model: Option<String>,
    /// `max_tokens` where the caller sets none and the target insists on one.
    pub max_tokens: Option<u64>,
    /// Is the final usage of a chat stream asked for (`stream_options.include_usage`), whether or
    /// not the caller does?
    pub stream_usage: StreamUsage,
    /// What a chat upstream calls the limit of an answer's length.
    pub limit_name: LimitName,
    /// In which form a target that speaks messages is told how much to think.
    pub thinking: ThinkingForm,
}

/// What a chat upstream calls the limit of an answer's length. No name suits all: OpenAI's newer
/// models refuse the old one, most other makers' APIs refuse or overlook the new one, and both
/// together are refused by OpenAI.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LimitName {
    /// `max_tokens`: what everybody but OpenAI, Azure and Alibaba Cloud asks for.
    #[default]
    MaxTokens,
    /// `max_completion_tokens`.
    MaxCompletionTokens,
}

/// Is the final usage of a chat stream asked for?
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum StreamUsage {
    /// Always: what a call cost is to be seen.
    #[default]
    Ask,
    /// Only if the caller asks: the target does not know the option.
    AsSent,
}

/// How a target that speaks messages is told how much to think.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ThinkingForm {
    /// `thinking: adaptive` and `output_config.effort`: Claude since 4.6.
    #[default]
    Adaptive,
    /// `thinking: enabled` with `budget_tokens`: older models, and others that speak the dialect.
    Budget,
}

/// A request for the upstream, and what its answer must be given back with.
#[derive(Debug)]
pub struct Translated {
    /// JSON.
    pub body: Vec<u8>,
    /// For [`Pair::answer`] and [`Pair::stream`].
    pub asked: Asked,
}

/// What of a request its answer repeats or depends on.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    /// The model as the caller named it; answers repeat what the upstream says, and this where it
    /// says nothing.
    pub model: String,
    /// At once, or as it is made.
    pub delivery: Delivery,
    /// Does a chat client want usage in its stream?
    pub include_usage: bool,
    /// Tools whose calls carry text instead of JSON (`custom` tools), by name.
    pub custom_tools: Vec<String>,
    /// The members of a responses request that its answer repeats (`tools`, `instructions`,
    /// `metadata`, …), ready to be written: names and JSON.
    pub repeated: Vec<(&'static str, Box<serde_json::value::RawValue>)>,
}

/// What an answer is given from outside: no clock and no dice here.
#[derive(Debug, Clone, Default)]
pub struct Occasion {
    /// Unique to the call, of letters and digits: ids that the upstream did not give are made of
    /// it.
    pub id: String,
    /// Seconds since the epoch.
    pub created: u64,
}

/// A request that cannot be translated: 400, in words for the caller.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{field}: {why}")]
pub struct Refused {
    /// The field, as a path: `messages[3].content[0].type`.
    pub field: String,
    /// Why, and what to do instead.
    pub why: String,
}

/// An answer of the upstream that cannot be read: 502.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the upstream's answer cannot be translated: {0}")]
pub struct Unreadable(pub String);

// === impl Speech ===

impl Speech {
    /// The dialect of an API, if it is one of these.
    pub const fn of(api: Api) -> Option<Self> {
        match api {
            Api::OpenAiChat => Some(Self::Chat),
            Api::OpenAiResponses => Some(Self::Responses),
            Api::AnthropicMessages => Some(Self::Messages),
            Api::OpenAiEmbeddings | Api::OpenAi | Api::Gemini => None,
        }
    }

    /// The API that speaks it.
    pub const fn api(self) -> Api {
        match self {
            Self::Chat => Api::OpenAiChat,
            Self::Responses => Api::OpenAiResponses,
            Self::Messages => Api::AnthropicMessages,
        }
    }

    /// A guess at the tokens of a request's prompt; `estimate.rs` says how good it is.
    ///
    /// # Errors
    /// [`Refused`]: what is no request of this dialect.
    pub fn estimate(self, body: &[u8]) -> Result<u64, Refused> {
        self.read_request(body).map(|said| estimate::tokens(&said))
    }

    fn read_request(self, body: &[u8]) -> Result<Conversation, Refused> {
        if depth::is_too_deep(body) {
            let most = depth::DEEPEST;
            let why = format!("arrays and objects stand in one another more than {most} deep");
            return Err(Refused::new("body", why));
        }
        match self {
            Self::Chat => chat::read_request(body),
            Self::Responses => responses::read_request(body),
            Self::Messages => messages::read_request(body),
        }
    }

    fn write_request(self, said: &Conversation, wishes: &Wishes) -> Result<Vec<u8>, Refused> {
        match self {
            Self::Chat => chat::write_request(said, wishes),
            Self::Responses => responses::write_request(said, wishes),
            Self::Messages => messages::write_request(said, wishes),
        }
    }

    fn read_answer(self, body: &[u8]) -> Result<Answer, Unreadable> {
        let answer = match self {
            Self::Chat => chat::read_answer(body),
            Self::Responses => responses::read_answer(body),
            Self::Messages => messages::read_answer(body),
        };
        answer.map(Answer::well_named)
    }

    fn write_answer(self, answer: &Answer, asked: &Asked, occasion: &Occasion) -> Vec<u8> {
        match self {
            Self::Chat => chat::write_answer(answer, asked, occasion),
            Self::Responses => responses::write_answer(answer, asked, occasion),
            Self::Messages => messages::write_answer(answer, asked, occasion),
        }
    }
}

// === impl Pair ===

impl Pair {
    /// Every pair, in the order of the docs.
    pub const ALL: [Self; 6] = [
        Self { client: Speech::Chat, upstream: Speech::Messages },
        Self { client: Speech::Messages, upstream: Speech::Chat },
        Self { client: Speech::Responses, upstream: Speech::Chat },
        Self { client: Speech::Responses, upstream: Speech::Messages },
        Self { client: Speech::Messages, upstream: Speech::Responses },
        Self { client: Speech::Chat, upstream: Speech::Responses },
    ];

    /// The pair of a client and an upstream of these APIs; `None` where they need none, or where
    /// there is none.
    pub fn of(client: Api, upstream: Api) -> Option<Self> {
        let (client, upstream) = (Speech::of(client)?, Speech::of(upstream)?);
        (client != upstream).then_some(Self { client, upstream })
    }

    /// What the client speaks.
    pub const fn client(self) -> Speech {
        self.client
    }

    /// What the upstream speaks.
    pub const fn upstream(self) -> Speech {
        self.upstream
    }

    /// What becomes of each field of a request.
    pub const fn fields(self) -> &'static [Row] {
        match (self.client, self.upstream) {
            (Speech::Chat, Speech::Messages | Speech::Chat) => chat_to_messages::FIELDS,
            (Speech::Chat, Speech::Responses) => chat_to_responses::FIELDS,
            (Speech::Messages, Speech::Chat | Speech::Messages) => messages_to_chat::FIELDS,
            (Speech::Messages, Speech::Responses) => messages_to_responses::FIELDS,
            (Speech::Responses, Speech::Chat | Speech::Responses) => responses_to_chat::FIELDS,
            (Speech::Responses, Speech::Messages) => responses_to_messages::FIELDS,
        }
    }

    /// The request in the upstream's dialect.
    ///
    /// # Errors
    /// [`Refused`]: what is not JSON, or breaks the caller's own dialect, or has no counterpart
    /// and would change the answer.
    pub fn request(self, body: &[u8], wishes: &Wishes) -> Result<Translated, Refused> {
        let mut said = self.client.read_request(body)?;
        fate::apply(self.fields(), &mut said)?;
        let body = self.upstream.write_request(&said, wishes);
        let body = body.map_err(|refused| refused.in_words_of(self.client))?;
        Ok(Translated { body, asked: said.into_asked() })
    }

    /// A whole answer (status 200) in the caller's dialect.
    ///
    /// # Errors
    /// [`Unreadable`]: no answer of the upstream's dialect.
    pub fn answer(
        self,
        body: &[u8],
        asked: &Asked,
        occasion: &Occasion,
    ) -> Result<Vec<u8>, Unreadable> {
        let answer = self.upstream.read_answer(body)?;
        Ok(self.client.write_answer(&answer, asked, occasion))
    }

    /// The same for a caller that asked for a stream, where the upstream answered at once.
    ///
    /// # Errors
    /// [`Unreadable`]: no answer of the upstream's dialect.
    pub fn answer_as_stream(
        self,
        body: &[u8],
        asked: &Asked,
        occasion: &Occasion,
    ) -> Result<Vec<u8>, Unreadable> {
        let answer = self.upstream.read_answer(body)?;
        Ok(stream::told_at_once(self.client, answer, asked.clone(), occasion.clone()))
    }

    /// An error answer in the caller's dialect; its status stays.
    pub fn error(self, status: u16, body: &[u8]) -> Bytes {
        failures::translate(self.client, status, body)
    }

    /// A stream in the caller's dialect.
    pub fn stream(self, asked: Asked, occasion: Occasion) -> StreamTranslator {
        StreamTranslator::new(self, asked, occasion)
    }
}

// === impl Refused ===

impl Refused {
    /// Says it of a field.
    pub fn new(field: impl Into<String>, why: impl Into<String>) -> Self {
        Self { field: field.into(), why: why.into() }
    }

    /// Writers do not know whose request it is: where their word for a field is not the caller's,
    /// it becomes so.
    fn in_words_of(self, client: Speech) -> Self {
        let field = match (client, self.field.as_str()) {
            (Speech::Messages, "stop") => "stop_sequences",
            (Speech::Messages, "reasoning_effort") => "output_config.effort",
            (Speech::Responses, "reasoning_effort") => "reasoning.effort",
            (Speech::Chat | Speech::Responses | Speech::Messages, _) => return self,
        };
        Self::new(field, self.why)
    }
}
