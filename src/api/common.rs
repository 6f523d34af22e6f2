//! Types that both resources use.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The kind of API that a call speaks or an endpoint serves.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
pub enum ApiKind {
    /// OpenAI chat completions.
    OpenAiChat,
    /// OpenAI responses.
    OpenAiResponses,
    /// OpenAI embeddings.
    OpenAiEmbeddings,
    /// Every path of the OpenAI family that no endpoint of its own serves.
    OpenAi,
    /// Anthropic messages, token counts, batches and files.
    AnthropicMessages,
    /// Gemini `generateContent` and its siblings.
    Gemini,
}

/// One key of a Secret in the namespace of the object that refers to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SecretKeySelector {
    /// The Secret's name.
    pub name: String,
    /// The key within its data.
    pub key: String,
}
