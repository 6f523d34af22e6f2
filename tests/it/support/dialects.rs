//! The four dialects as a stream in each: what is asked, what is said, how it ends.

use super::upstream::{Connection, STREAM_HEAD, Upstream, chunk};
use std::io;

/// A stream in one dialect. What it reports by [`first`](Self::first) is 7 tokens of input and 3
/// of output, and as much again is not said later.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Dialect {
    pub(crate) api: &'static str,
    pub(crate) target: &'static str,
    pub(crate) body: &'static str,
    /// An event with content and usage.
    pub(crate) first: &'static str,
    /// The last event.
    pub(crate) last: &'static str,
    /// How an error event begins.
    pub(crate) error: &'static str,
}

/// Nothing in these is changed on the way: the chat asks for its usage itself.
pub(crate) const DIALECTS: [Dialect; 4] = [CHAT, RESPONSES, MESSAGES, GEMINI];

pub(crate) const CHAT: Dialect = Dialect {
    api: "OpenAiChat",
    target: "/v1/chat/completions",
    body: r#"{"model":"m","stream":true,"stream_options":{"include_usage":true},"messages":[]}"#,
    first: "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"h\u{e9}\"}}],\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":3,\"total_tokens\":10}}\n\n",
    last: "data: [DONE]\n\n",
    error: "data: {\"error\":{\"message\":",
};

pub(crate) const RESPONSES: Dialect = Dialect {
    api: "OpenAiResponses",
    target: "/v1/responses",
    body: r#"{"model":"m","stream":true,"input":"hi"}"#,
    first: "event: response.in_progress\ndata: {\"type\":\"response.in_progress\",\"response\":{\"usage\":{\"input_tokens\":7,\"output_tokens\":3,\"total_tokens\":10}}}\n\nevent: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\",\"delta\":\"h\"}\n\n",
    last: "event: response.completed\ndata: {\"type\":\"response.completed\",\"response\":{}}\n\n",
    error: "event: error\ndata: {\"type\":\"error\",",
};

pub(crate) const MESSAGES: Dialect = Dialect {
    api: "AnthropicMessages",
    target: "/v1/messages",
    body: r#"{"model":"m","max_tokens":9,"stream":true,"messages":[]}"#,
    first: "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"usage\":{\"input_tokens\":7,\"output_tokens\":3}}}\n\nevent: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"h\"}}\n\n",
    last: "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
    error: "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":",
};

pub(crate) const GEMINI: Dialect = Dialect {
    api: "Gemini",
    target: "/v1beta/models/m:streamGenerateContent?alt=sse",
    body: r#"{"contents":[]}"#,
    first: "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"h\"}]}}],\"usageMetadata\":{\"promptTokenCount\":7,\"candidatesTokenCount\":3,\"totalTokenCount\":10}}\r\n\r\n",
    last: "data: {\"candidates\":[{\"finishReason\":\"STOP\"}]}\r\n\r\n",
    error: "data: {\"error\":{\"code\":",
};

impl Dialect {
    /// All of the stream.
    pub(crate) fn whole(&self) -> String {
        [self.first, self.last].concat()
    }
}

/// An upstream that begins each stream with `first`, then does what `then` says.
pub(crate) fn streaming(
    first: &'static str,
    then: impl Fn(&mut Connection) -> io::Result<()> + Send + Sync + 'static,
) -> Upstream {
    Upstream::start(move |connection| {
        while connection.request()?.is_some() {
            connection.write(STREAM_HEAD)?;
            connection.write(chunk(first))?;
            then(connection)?;
        }
        Ok(())
    })
}
