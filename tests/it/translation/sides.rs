//! The dialects that are translated, each as a caller and as an upstream speak it.

use serde_json::{Value, json};

use super::events;

/// A dialect. Its upstream says `hello` for 6 tokens that no cache served, and 5 of one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Side {
    pub(super) api: &'static str,
    pub(super) target: &'static str,
    /// What a caller says beside the model, and whether it wants a stream.
    pub(super) asked: &'static str,
    /// A whole answer.
    pub(super) answer: &'static str,
    /// A stream: what is said,
    pub(super) hello: &'static str,
    /// why it ends and what it cost,
    pub(super) cost: &'static str,
    /// the last event,
    pub(super) last: &'static str,
    /// of which a caller sees this.
    pub(super) end: &'static str,
}

pub(super) const CHAT: Side = Side {
    api: "OpenAiChat",
    target: "/v1/chat/completions",
    asked: r#""messages":[{"role":"user","content":"hi"}]"#,
    answer: super::CHAT_ANSWER,
    hello: "data: {\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"glm-4.6\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"hello\"},\"finish_reason\":null}]}\n\n",
    cost: "data: {\"id\":\"chatcmpl-1\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: {\"id\":\"chatcmpl-1\",\"choices\":[],\"usage\":{\"prompt_tokens\":11,\"completion_tokens\":3,\"total_tokens\":14,\"prompt_tokens_details\":{\"cached_tokens\":5}}}\n\n",
    last: "data: [DONE]\n\n",
    end: "data: [DONE]\n\n",
};

pub(super) const MESSAGES: Side = Side {
    api: "AnthropicMessages",
    target: "/v1/messages?beta=true",
    asked: r#""max_tokens":64,"messages":[{"role":"user","content":"hi"}]"#,
    answer: super::MESSAGES_ANSWER,
    hello: "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_1\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"claude-x\",\"content\":[],\"stop_reason\":null,\"usage\":{\"input_tokens\":6,\"cache_read_input_tokens\":5,\"output_tokens\":1}}}\n\nevent: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\nevent: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"hello\"}}\n\n",
    cost: "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\nevent: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\",\"stop_sequence\":null},\"usage\":{\"output_tokens\":3}}\n\n",
    last: "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
    end: "event: message_stop\n",
};

pub(super) const RESPONSES: Side = Side {
    api: "OpenAiResponses",
    target: "/v1/responses",
    asked: r#""input":"hi""#,
    answer: r#"{"id":"resp_1","object":"response","created_at":1,"status":"completed","model":"gpt-x","error":null,"output":[{"type":"message","id":"msg_1","status":"completed","role":"assistant","content":[{"type":"output_text","text":"hello","annotations":[]}]}],"usage":{"input_tokens":11,"input_tokens_details":{"cached_tokens":5},"output_tokens":3,"total_tokens":14}}"#,
    hello: "event: response.created\ndata: {\"type\":\"response.created\",\"response\":{\"id\":\"resp_1\",\"model\":\"gpt-x\",\"status\":\"in_progress\",\"output\":[]}}\n\nevent: response.output_item.added\ndata: {\"type\":\"response.output_item.added\",\"output_index\":0,\"item\":{\"type\":\"message\",\"id\":\"msg_1\",\"role\":\"assistant\",\"content\":[]}}\n\nevent: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\",\"output_index\":0,\"content_index\":0,\"delta\":\"hello\"}\n\n",
    cost: "event: response.output_text.done\ndata: {\"type\":\"response.output_text.done\",\"output_index\":0,\"content_index\":0,\"text\":\"hello\"}\n\n",
    last: "event: response.completed\ndata: {\"type\":\"response.completed\",\"response\":{\"id\":\"resp_1\",\"status\":\"completed\",\"output\":[{\"type\":\"message\",\"content\":[{\"type\":\"output_text\",\"text\":\"hello\"}]}],\"usage\":{\"input_tokens\":11,\"input_tokens_details\":{\"cached_tokens\":5},\"output_tokens\":3,\"total_tokens\":14}}}\n\n",
    end: "event: response.completed\n",
};

/// Each caller with each upstream of another dialect.
pub(super) const PAIRS: [(Side, Side); 6] = [
    (CHAT, MESSAGES),
    (MESSAGES, CHAT),
    (RESPONSES, CHAT),
    (RESPONSES, MESSAGES),
    (MESSAGES, RESPONSES),
    (CHAT, RESPONSES),
];

impl Side {
    /// A call.
    pub(super) fn call(&self, stream: bool) -> String {
        format!("{{\"model\":\"m\",\"stream\":{stream},{}}}", self.asked)
    }

    /// A call with this member, too.
    pub(super) fn call_with(&self, member: &str) -> String {
        format!("{{\"model\":\"m\",{member},{}}}", self.asked)
    }

    /// All of a stream.
    pub(super) fn stream(&self) -> String {
        [self.hello, self.cost, self.last].concat()
    }

    /// The text that a stream says.
    pub(super) fn said(&self, stream: &str) -> String {
        let text = |(_, data): (String, Value)| {
            let of = match self.api {
                "OpenAiChat" => &data["choices"][0]["delta"]["content"],
                "AnthropicMessages" => &data["delta"]["text"],
                _ if data["type"] == "response.output_text.delta" => &data["delta"],
                _ => &Value::Null,
            };
            of.as_str().map(str::to_owned)
        };
        events(stream).into_iter().filter_map(text).collect()
    }

    /// Is the last event an error, and no end before it?
    pub(super) fn tells_an_error(&self, stream: &str) -> bool {
        let all = events(stream);
        let Some((name, data)) = all.last() else { return false };
        let (is_error, message) = match self.api {
            "OpenAiChat" => (name.is_empty(), &data["error"]["message"]),
            "AnthropicMessages" => {
                (name == "error" && data["type"] == "error", &data["error"]["message"])
            }
            _ if name == "response.failed" => {
                (data["type"] == "response.failed", &data["response"]["error"]["message"])
            }
            _ => (name == "error" && data["type"] == "error", &data["message"]),
        };
        is_error && message.is_string() && !stream.contains(self.end)
    }

    /// Is it whole, and nothing behind its last event?
    pub(super) fn ends_well(&self, stream: &str) -> bool {
        let (_, last) = stream
            .rsplit_once("\n\n")
            .map_or(("", ""), |(rest, _)| rest.rsplit_once("\n\n").unwrap_or(("", rest)));
        stream.ends_with("\n\n") && format!("{last}\n\n").contains(self.end)
    }

    /// What an error in this dialect says; its form is checked.
    #[track_caller]
    pub(super) fn message(&self, error: &Value) -> String {
        if self.api == "AnthropicMessages" {
            assert_eq!(error["type"], json!("error"), "{error}");
        }
        assert!(error["error"]["type"].is_string(), "{error}");
        let message = error["error"]["message"].as_str().unwrap_or_default();
        assert!(!message.is_empty(), "{error}");
        message.to_owned()
    }

    /// What a refusal's line calls it.
    pub(super) fn family(&self) -> &'static str {
        match self.api {
            "AnthropicMessages" => "anthropic",
            _ => "openai",
        }
    }
}
