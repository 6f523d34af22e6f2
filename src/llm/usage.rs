//! What a call cost in tokens, as its provider reported it: read, never estimated.

/// Tokens by type. The four are disjoint in every dialect: `input` excludes both cache counts
/// (OpenAI's `prompt_tokens` and Gemini's `promptTokenCount` include them; they are subtracted).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Prompt tokens that no cache served.
    pub input: Option<u64>,
    /// Generated tokens, reasoning included.
    pub output: Option<u64>,
    /// Prompt tokens read from the provider's cache.
    pub cache_read: Option<u64>,
    /// Prompt tokens written to the provider's cache.
    pub cache_creation: Option<u64>,
}
