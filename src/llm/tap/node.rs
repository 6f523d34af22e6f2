//! Which members of an answer the tap reads, in every dialect at once.
//!
//! Arrays are transparent: the elements of `choices` are read as `choices` itself. A name that
//! means something in one dialect is unknown at the same place in the others, or means the same,
//! so one tree serves all; what a finding means is decided by `tap`.

use crate::llm::usage::Count;

/// A place in an answer's JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Node {
    /// Nobody reads this value, nor anything in it.
    Ignored,
    /// The whole payload.
    Root,
    /// `type`: the event's name, in Anthropic's and OpenAI's responses streams.
    Type,
    /// `error`
    Error,
    /// `response` or `message`: an answer inside an event.
    Envelope,
    /// `choices`, `candidates`: the answer, once or several times.
    Choices,
    /// `finish_reason`, `finishReason`, `blockReason`
    Finish,
    /// `delta`: what the chunk adds.
    Delta,
    /// Generated content, at any depth.
    Content,
    /// Gemini's `content`, which holds `parts` beside a role.
    Parts,
    /// Gemini's `promptFeedback`
    Feedback,
    /// `usage`, `usageMetadata`
    Usage,
    /// `prompt_tokens_details` and its likes.
    Details,
    /// A count of a usage object.
    Tokens(Count),
}

// === impl Node ===

impl Node {
    /// The place of the member `name` of an object at `self`.
    pub(super) fn member(self, name: &[u8]) -> Self {
        match self {
            Self::Root => Self::of_root(name),
            Self::Envelope if name == b"usage" => Self::Usage,
            Self::Choices => Self::of_choice(name),
            Self::Delta if name != b"role" => Self::Content,
            Self::Content => Self::Content,
            Self::Parts if name == b"parts" => Self::Content,
            Self::Feedback if name == b"blockReason" => Self::Finish,
            Self::Usage => Self::of_usage(name),
            Self::Details => Count::named_in_details(name).map_or(Self::Ignored, Self::Tokens),
            _ => Self::Ignored,
        }
    }

    /// Is this a value without members that are read?
    pub(super) fn is_leaf(self) -> bool {
        match self {
            Self::Ignored | Self::Type | Self::Error | Self::Finish | Self::Tokens(_) => true,
            Self::Root | Self::Envelope | Self::Choices | Self::Delta | Self::Content => false,
            Self::Parts | Self::Feedback | Self::Usage | Self::Details => false,
        }
    }

    fn of_root(name: &[u8]) -> Self {
        match name {
            b"type" => Self::Type,
            b"error" => Self::Error,
            b"usage" | b"usageMetadata" => Self::Usage,
            b"choices" | b"candidates" => Self::Choices,
            b"response" | b"message" => Self::Envelope,
            b"promptFeedback" => Self::Feedback,
            _ => Self::Ignored,
        }
    }

    fn of_choice(name: &[u8]) -> Self {
        match name {
            b"finish_reason" | b"finishReason" => Self::Finish,
            b"delta" | b"message" => Self::Delta,
            b"text" => Self::Content,
            b"content" => Self::Parts,
            _ => Self::Ignored,
        }
    }

    fn of_usage(name: &[u8]) -> Self {
        match name {
            b"prompt_tokens_details" | b"input_tokens_details" => Self::Details,
            b"completion_tokens_details" | b"output_tokens_details" => Self::Details,
            name => Count::named(name).map_or(Self::Ignored, Self::Tokens),
        }
    }
}
