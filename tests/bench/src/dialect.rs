//! What callers and the provider speak, and what that changes in a request.

/// An API for chats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    Chat,
    Messages,
}

/// The caller's dialect and the provider's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pair {
    /// Chat completions on both sides: what every proxy can forward.
    Same,
    ChatToMessages,
    MessagesToChat,
}

/// The model that callers ask for.
pub(crate) const ALIAS: &str = "bench-alias";
/// The model that Pillion makes of it.
pub(crate) const MODEL: &str = "vendor/bench-model";
/// The model whose provider speaks messages only. Pillion makes the same of it.
const ALIAS_OF_MESSAGES: &str = "bench-alias-of-messages";

// === impl Dialect ===

impl Dialect {
    pub(crate) fn path(self) -> &'static str {
        match self {
            Self::Chat => "/v1/chat/completions",
            Self::Messages => "/v1/messages",
        }
    }

    /// The headers by which an SDK of this dialect is known; its key follows.
    pub(super) fn headers(self) -> &'static str {
        match self {
            Self::Chat => "user-agent: OpenAI/Python 2.1.0\r\nauthorization: Bearer ",
            Self::Messages => {
                "user-agent: Anthropic/Python 0.70.0\r\nanthropic-version: 2023-06-01\r\n\
                 x-api-key: "
            }
        }
    }

    /// What a request says besides model and messages.
    pub(super) fn parameters(self) -> &'static str {
        match self {
            Self::Chat => "",
            Self::Messages => "\"max_tokens\":1024,",
        }
    }

    /// The same of a request for a stream.
    pub(super) fn stream_parameters(self) -> &'static str {
        match self {
            Self::Chat => "\"stream\":true,\"stream_options\":{\"include_usage\":true},",
            Self::Messages => "\"max_tokens\":1024,\"stream\":true,",
        }
    }
}

// === impl Pair ===

impl Pair {
    pub(crate) fn caller(self) -> Dialect {
        match self {
            Self::Same | Self::ChatToMessages => Dialect::Chat,
            Self::MessagesToChat => Dialect::Messages,
        }
    }

    pub(crate) fn provider(self) -> Dialect {
        match self {
            Self::Same | Self::MessagesToChat => Dialect::Chat,
            Self::ChatToMessages => Dialect::Messages,
        }
    }

    /// The model that its callers ask for.
    pub(crate) fn alias(self) -> &'static str {
        match self {
            Self::Same | Self::MessagesToChat => ALIAS,
            Self::ChatToMessages => ALIAS_OF_MESSAGES,
        }
    }

    /// How the tables call it; nothing is said of calls that are not translated.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Same => "",
            Self::ChatToMessages => ", chat to messages",
            Self::MessagesToChat => ", messages to chat",
        }
    }
}
