//! What the scripted provider says: which model was asked for and under which key, whole or as a
//! stream.

use serde_json::{Value, json};

/// A request as it arrived.
pub(super) struct Asked {
    pub(super) path: String,
    /// The last word of it.
    pub(super) key: String,
    pub(super) body: Value,
}

// === impl Asked ===

impl Asked {
    pub(super) fn model(&self) -> &str {
        self.body["model"].as_str().unwrap_or("none")
    }

    pub(super) fn wants_stream(&self) -> bool {
        self.body["stream"] == true
    }

    /// Whether its stream is to stop in the middle: the last message says `hold`.
    pub(super) fn wants_hold(&self) -> bool {
        let messages = self.body["messages"].as_array();
        messages.and_then(|all| all.last()).is_some_and(|last| last["content"] == "hold")
    }

    /// A whole answer.
    pub(super) fn answer(&self) -> Value {
        let (model, text) = (self.model(), self.text());
        match self.is_anthropic() {
            true => json!({
                "id": "msg_1", "type": "message", "role": "assistant", "model": model,
                "content": [{"type": "text", "text": text}], "stop_reason": "end_turn",
                "usage": {"input_tokens": 1, "output_tokens": 12},
            }),
            false => json!({
                "id": "chatcmpl-1", "object": "chat.completion", "created": 0, "model": model,
                "choices": [{
                    "index": 0, "message": {"role": "assistant", "content": text},
                    "finish_reason": "stop",
                }],
                "usage": {"prompt_tokens": 1, "completion_tokens": 12, "total_tokens": 13},
            }),
        }
    }

    /// The events of a stream; the words are in the first half.
    pub(super) fn events(&self) -> [String; 2] {
        match self.is_anthropic() {
            true => self.anthropic_events(),
            false => self.openai_events(),
        }
    }

    fn text(&self) -> String {
        format!("Hello, this is {}, under the key that ends in {}.", self.model(), self.key)
    }

    fn is_anthropic(&self) -> bool {
        self.path.contains("/messages")
    }

    fn openai_events(&self) -> [String; 2] {
        let chunk = |delta: Value, reason: Option<&str>| {
            json!({
                "id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 0,
                "model": self.model(),
                "choices": [{"index": 0, "delta": delta, "finish_reason": reason}],
            })
        };
        let words = chunk(json!({"role": "assistant", "content": self.text()}), None);
        let end = chunk(json!({}), Some("stop"));
        [format!("data: {words}\n\n"), format!("data: {end}\n\ndata: [DONE]\n\n")]
    }

    fn anthropic_events(&self) -> [String; 2] {
        let start = json!({
            "id": "msg_1", "type": "message", "role": "assistant", "model": self.model(),
            "content": [], "stop_reason": null, "usage": {"input_tokens": 1, "output_tokens": 1},
        });
        let words = [
            json!({"type": "message_start", "message": start}),
            json!({
                "type": "content_block_start", "index": 0,
                "content_block": {"type": "text", "text": ""},
            }),
            json!({
                "type": "content_block_delta", "index": 0,
                "delta": {"type": "text_delta", "text": self.text()},
            }),
        ];
        let end = [
            json!({"type": "content_block_stop", "index": 0}),
            json!({
                "type": "message_delta", "delta": {"stop_reason": "end_turn"},
                "usage": {"output_tokens": 12},
            }),
            json!({"type": "message_stop"}),
        ];
        [words, end].map(|events| events.iter().map(named).collect())
    }
}

/// An event with its name, as Anthropic has them.
fn named(event: &Value) -> String {
    format!("event: {}\ndata: {event}\n\n", event["type"].as_str().unwrap_or_default())
}
