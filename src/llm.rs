//! What the LLM APIs look like on the wire: sans-io, bounded memory, no vendor names.
//!
//! Reading order: [`operation`] (what a method and path ask for), [`json`] (find and splice members
//! of a body without building a tree), [`multipart`], [`sse`], [`usage`] (what an answer cost),
//! [`tap`] (watches an answer pass), [`shapes`] (errors and model lists in each dialect),
//! [`translate`] (from one dialect to another).
//!
//! Deliberately knows neither routes nor connections.

pub mod decode;
pub mod json;
pub mod multipart;
pub mod operation;
pub mod shapes;
pub mod sse;
pub mod tap;
pub mod translate;
pub mod usage;
pub mod usage_chunk;

/// The kind of API that a call speaks or an endpoint serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Api {
    /// OpenAI chat completions: `/chat/completions`.
    OpenAiChat,
    /// OpenAI responses: `/responses` and what lies below.
    OpenAiResponses,
    /// OpenAI embeddings: `/embeddings`.
    OpenAiEmbeddings,
    /// Every other path of the OpenAI family (files, audio, images, legacy completions).
    OpenAi,
    /// Anthropic messages, and the batches, files and token counts beside it.
    AnthropicMessages,
    /// Gemini `generateContent` and its siblings.
    Gemini,
}

impl Api {
    /// Every kind, in declaration order; `api as usize` indexes arrays of this length.
    pub const ALL: [Self; 6] = [
        Self::OpenAiChat,
        Self::OpenAiResponses,
        Self::OpenAiEmbeddings,
        Self::OpenAi,
        Self::AnthropicMessages,
        Self::Gemini,
    ];

    /// The dialect that its errors are written in.
    pub const fn dialect(self) -> Dialect {
        match self {
            Self::OpenAiChat | Self::OpenAiResponses | Self::OpenAiEmbeddings | Self::OpenAi => {
                Dialect::OpenAi
            }
            Self::AnthropicMessages => Dialect::Anthropic,
            Self::Gemini => Dialect::Gemini,
        }
    }

    /// The name that manifests, metrics and logs use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OpenAiChat => "OpenAiChat",
            Self::OpenAiResponses => "OpenAiResponses",
            Self::OpenAiEmbeddings => "OpenAiEmbeddings",
            Self::OpenAi => "OpenAi",
            Self::AnthropicMessages => "AnthropicMessages",
            Self::Gemini => "Gemini",
        }
    }
}

/// The family of error and model-list shapes that a caller understands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// `{"error":{"message","type","param","code"}}`
    OpenAi,
    /// `{"type":"error","error":{"type","message"}}`
    Anthropic,
    /// `{"error":{"code","message","status"}}`
    Gemini,
}
