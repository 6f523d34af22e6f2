//! The items of an answer, as they stand in it.

use serde_json::{Value, json};

use super::{custom_input, envelope, names};
use crate::llm::translate::Asked;
use crate::llm::translate::conversation::Thought;

/// The items of an answer that is being made.
#[derive(Debug)]
pub(super) struct Output {
    id: String,
    custom: Vec<String>,
    names: names::Names,
    pub(super) items: Vec<Item>,
}

/// An item.
#[derive(Debug)]
pub(super) struct Item {
    pub(super) id: String,
    pub(super) status: Status,
    pub(super) body: Body,
}

/// How far it has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    InProgress,
    Completed,
    Incomplete,
}

/// What it is.
#[derive(Debug)]
pub(super) enum Body {
    Message(Vec<Content>),
    Reasoning {
        text: String,
        encrypted: Option<String>,
    },
    Call {
        call_id: String,
        name: String,
        namespace: Option<String>,
        /// Or the text of a custom tool's call.
        arguments: String,
        kind: CallKind,
    },
}

/// What is said in a message.
#[derive(Debug)]
pub(super) struct Content {
    pub(super) voice: Voice,
    pub(super) text: String,
}

/// How it is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Voice {
    Text,
    Refusal,
}

pub(super) use crate::llm::translate::conversation::CallKind;

// === impl Output ===

impl Output {
    /// Items are named after the call that this answers.
    pub(super) fn new(id: &str, asked: &Asked) -> Self {
        Self {
            id: id.to_owned(),
            custom: asked.custom_tools.clone(),
            names: names::Names::of(asked),
            items: Vec::new(),
        }
    }

    /// Adds an item, and says where it is.
    pub(super) fn add(&mut self, body: Body) -> usize {
        let index = self.items.len();
        let prefix = match &body {
            Body::Message(_) => "msg",
            Body::Reasoning { .. } => "rs",
            Body::Call { kind: CallKind::Function, .. } => "fc",
            Body::Call { kind: CallKind::Custom, .. } => "ctc",
        };
        let id = format!("{prefix}_{}_{index}", self.id);
        self.items.push(Item { id, status: Status::InProgress, body });
        index
    }

    /// A call whose arguments are still to come.
    pub(super) fn call(&self, call_id: String, flat: String) -> Body {
        let is_custom = self.custom.contains(&flat);
        let kind = if is_custom { CallKind::Custom } else { CallKind::Function };
        let (namespace, name) = match self.names.get(&flat) {
            Some(known) => (Some(known.namespace.clone()), known.name.clone()),
            None => (None, flat),
        };
        Body::Call { call_id, name, namespace, arguments: String::new(), kind }
    }

    pub(super) fn json(&self) -> Value {
        self.items.iter().map(Item::json).collect()
    }
}

// === impl Item ===

impl Item {
    pub(super) fn json(&self) -> Value {
        let (id, status) = (&self.id, self.status.as_str());
        match &self.body {
            Body::Message(content) => json!({
                "id": id,
                "type": "message",
                "status": status,
                "role": "assistant",
                "content": content.iter().map(Content::json).collect::<Value>(),
            }),
            Body::Reasoning { text, encrypted } => json!({
                "id": id,
                "type": "reasoning",
                "summary": summary(text),
                "encrypted_content": encrypted,
            }),
            Body::Call { call_id, name, namespace, arguments, kind } => {
                let arguments_name = match kind {
                    CallKind::Function => "arguments",
                    CallKind::Custom => "input",
                };
                let mut item = json!({
                    "id": id,
                    "type": self.kind(),
                    "status": status,
                    "call_id": call_id,
                    "name": name,
                    arguments_name: arguments,
                });
                if let Some(namespace) = namespace {
                    item["namespace"] = Value::from(namespace.as_str());
                }
                item
            }
        }
    }

    fn kind(&self) -> &'static str {
        match &self.body {
            Body::Message(_) => "message",
            Body::Reasoning { .. } => "reasoning",
            Body::Call { kind: CallKind::Function, .. } => "function_call",
            Body::Call { kind: CallKind::Custom, .. } => "custom_tool_call",
        }
    }
}

// === impl Status ===

impl Status {
    const fn as_str(self) -> &'static str {
        match self {
            Self::InProgress => "in_progress",
            Self::Completed => "completed",
            Self::Incomplete => "incomplete",
        }
    }
}

// === impl Content ===

impl Content {
    pub(super) fn json(&self) -> Value {
        match self.voice {
            Voice::Text => json!({
                "type": "output_text",
                "annotations": [],
                "logprobs": [],
                "text": self.text,
            }),
            Voice::Refusal => json!({ "type": "refusal", "refusal": self.text }),
        }
    }
}

// === impl Body ===

impl Body {
    /// A thought as an item; the proof, if there is one, travels in an envelope.
    pub(super) fn of_thought(thought: &Thought) -> Option<Self> {
        match thought {
            Thought::Plain(text) if text.is_empty() => None,
            Thought::Plain(text) => Some(Self::Reasoning { text: text.clone(), encrypted: None }),
            Thought::Signed { text, signature } => {
                let encrypted = Some(envelope::signed(text, signature));
                Some(Self::Reasoning { text: text.clone(), encrypted })
            }
            Thought::Redacted(data) => {
                let encrypted = Some(envelope::redacted(data));
                Some(Self::Reasoning { text: String::new(), encrypted })
            }
            // No upstream of another dialect has these.
            Thought::Item(_) => None,
        }
    }
}

/// The one part of a summary, unless nothing is shown of the thought.
pub(super) fn summary(text: &str) -> Value {
    if text.is_empty() { json!([]) } else { json!([{ "type": "summary_text", "text": text }]) }
}

/// What the arguments of a whole call are for the client.
pub(super) fn arguments(kind: CallKind, told: &str, upstream: CallKind) -> String {
    match (kind, upstream) {
        (CallKind::Custom, CallKind::Function) => custom_input::whole(told),
        (CallKind::Custom, CallKind::Custom) => told.to_owned(),
        (CallKind::Function, _) if told.trim().is_empty() => "{}".to_owned(),
        (CallKind::Function, _) => told.to_owned(),
    }
}
