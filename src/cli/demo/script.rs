//! The calls of the demo, as the SDKs write them.

use std::net::SocketAddr;

use serde_json::{Value, json};

/// The token that the application holds, and that no provider must ever see.
pub(super) const CALLERS_TOKEN: &str = "not-a-real-token-of-the-caller-5ae8";

/// A call.
#[derive(Debug, Clone)]
pub(super) struct Call {
    pub(super) title: &'static str,
    pub(super) target: &'static str,
    /// Every header that is sent.
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: String,
}

/// The calls that are shown one by one.
pub(super) fn calls() -> Vec<Call> {
    let chat = "/v1/chat/completions";
    vec![
        openai("OpenAI SDK: a chat, whole", chat, &question("gpt-4o-mini")),
        openai("OpenAI SDK: a chat, streamed", chat, &streamed("gpt-4o-mini")),
        openai("An alias of our own: `fast`", chat, &question("fast")),
        claude_code(),
        openai("A model that no route takes", chat, &question("llama-9-huge")),
        openai("A provider that is busy", chat, &question("gpt-4o-busy")),
    ]
}

/// Other APIs of the same providers, shown in a line each.
pub(super) fn others() -> Vec<Call> {
    let input = json!({"model": "gpt-4o-mini", "input": "Say hello.", "stream": true});
    let texts = json!({"model": "text-embedding-3-small", "input": "a sentence"});
    vec![
        openai("responses, streamed", "/v1/responses", &input),
        openai("embeddings", "/v1/embeddings", &texts),
        anthropic("messages, whole", &message("claude-haiku-4-5")),
    ]
}

/// A call that several targets share.
pub(super) fn shared() -> Call {
    anthropic("Anthropic SDK: targets by weight", &message("claude-sonnet-4-5"))
}

/// A stream of this many words from the alias.
pub(super) fn long(words: u32) -> Call {
    let mut body = streamed("fast");
    body["max_tokens"] = words.into();
    openai("A reload while a stream runs", "/v1/chat/completions", &body)
}

/// A short call to the alias.
pub(super) fn alias() -> Call {
    openai("alias", "/v1/chat/completions", &question("fast"))
}

// === impl Call ===

impl Call {
    /// The call with its `host`, ready to be sent there.
    pub(super) fn addressed(mut self, proxy: SocketAddr) -> Self {
        self.headers.insert(0, ("host", proxy.to_string()));
        self
    }
}

fn question(model: &str) -> Value {
    let messages = json!([{"role": "user", "content": "Say hello."}]);
    json!({"model": model, "messages": messages})
}

fn streamed(model: &str) -> Value {
    let mut body = question(model);
    body["stream"] = true.into();
    body
}

fn message(model: &str) -> Value {
    let mut body = question(model);
    body["max_tokens"] = 12.into();
    body
}

fn openai(title: &'static str, target: &'static str, body: &Value) -> Call {
    let headers = [
        ("accept-encoding", "gzip, deflate"),
        ("user-agent", "OpenAI/Python 2.8.1"),
        ("x-stainless-lang", "python"),
        ("x-stainless-retry-count", "0"),
    ];
    call(title, target, &headers, body)
}

fn anthropic(title: &'static str, body: &Value) -> Call {
    let headers = [
        ("user-agent", "Anthropic/Python 0.75.0"),
        ("anthropic-version", "2023-06-01"),
        ("x-stainless-lang", "python"),
    ];
    call(title, "/v1/messages", &headers, body)
}

fn claude_code() -> Call {
    let headers = [
        ("user-agent", "claude-cli/2.0.55 (external, cli)"),
        ("x-app", "cli"),
        ("anthropic-version", "2023-06-01"),
        ("anthropic-beta", "claude-code-20250219,interleaved-thinking-2025-05-14"),
        ("x-claude-code-session-id", "0a1b2c3d"),
    ];
    let system = "You are Claude Code, Anthropic's official CLI for Claude.";
    let cached = json!({"type": "ephemeral"});
    let body = json!({
        "model": "claude-haiku-4-5",
        "max_tokens": 12,
        "system": [{"type": "text", "text": system, "cache_control": cached}],
        "messages": [{"role": "user", "content": "Say hello."}],
        "stream": true,
    });
    call("Claude Code, streamed", "/v1/messages?beta=true", &headers, &body)
}

fn call(
    title: &'static str,
    target: &'static str,
    own: &[(&'static str, &str)],
    body: &Value,
) -> Call {
    let body = body.to_string();
    let mut headers = vec![
        ("accept", "application/json".to_owned()),
        ("content-type", "application/json".to_owned()),
        ("authorization", format!("Bearer {CALLERS_TOKEN}")),
    ];
    headers.extend(own.iter().map(|(name, value)| (*name, (*value).to_owned())));
    headers.push(("content-length", body.len().to_string()));
    Call { title, target, headers, body }
}
