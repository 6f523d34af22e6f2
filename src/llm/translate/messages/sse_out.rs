//! Server-sent events, written: `event` and `data`, as the vendor's servers do and its SDKs insist.

use serde::Serialize;

use crate::llm::translate::written;

/// The data of an event. Its `type` is the event's name.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Data<'a> {
    MessageStart { message: serde_json::Value },
    ContentBlockStart { index: u32, content_block: BlockStart<'a> },
    ContentBlockStop { index: u32 },
    MessageDelta { delta: Ending<'a>, usage: serde_json::Value },
    MessageStop,
    Ping,
    Error { error: Told<'a> },
}

/// A block at its beginning: what is in it comes after.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum BlockStart<'a> {
    Text {
        text: &'static str,
    },
    /// The SDKs insist on a signature; an empty one says that there is none.
    Thinking {
        thinking: &'static str,
        signature: &'static str,
    },
    RedactedThinking {
        data: &'a str,
    },
    ToolUse {
        id: &'a str,
        name: &'a str,
        input: Nothing,
    },
}

/// More of a block.
#[derive(Debug, Clone, Copy)]
pub(super) enum Delta<'a> {
    Text { text: &'a str },
    Thinking { thinking: &'a str },
    Signature { signature: &'a str },
    InputJson { partial_json: &'a str },
}

/// Why a message ends.
#[derive(Debug, Serialize)]
pub(super) struct Ending<'a> {
    pub(super) stop_reason: &'static str,
    pub(super) stop_sequence: Option<&'a str>,
}

/// An error.
#[derive(Debug, Serialize)]
pub(super) struct Told<'a> {
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    pub(super) message: &'a str,
}

/// `{}`
#[derive(Debug, Serialize)]
pub(super) struct Nothing {}

// === impl Delta ===

impl Delta<'_> {
    /// Appends the event. Nearly all events of a stream are of this one form.
    pub(super) fn write(self, index: u32, out: &mut Vec<u8>) {
        let (kind, more) = match self {
            Self::Text { text } => (r#""text_delta","text":"#, text),
            Self::Thinking { thinking } => (r#""thinking_delta","thinking":"#, thinking),
            Self::Signature { signature } => (r#""signature_delta","signature":"#, signature),
            Self::InputJson { partial_json } => {
                (r#""input_json_delta","partial_json":"#, partial_json)
            }
        };
        out.extend_from_slice(b"event: content_block_delta\ndata: ");
        out.extend_from_slice(br#"{"type":"content_block_delta","index":"#);
        out.extend_from_slice(itoa::Buffer::new().format(index).as_bytes());
        out.extend_from_slice(br#","delta":{"type":"#);
        out.extend_from_slice(kind.as_bytes());
        written::quote(more, out);
        out.extend_from_slice(b"}}\n\n");
    }
}

// === impl Data ===

impl Data<'_> {
    /// Appends the event.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"event: ");
        out.extend_from_slice(self.name().as_bytes());
        out.extend_from_slice(b"\ndata: ");
        written::append(self, out);
        out.extend_from_slice(b"\n\n");
    }

    const fn name(&self) -> &'static str {
        match self {
            Self::MessageStart { .. } => "message_start",
            Self::ContentBlockStart { .. } => "content_block_start",
            Self::ContentBlockStop { .. } => "content_block_stop",
            Self::MessageDelta { .. } => "message_delta",
            Self::MessageStop => "message_stop",
            Self::Ping => "ping",
            Self::Error { .. } => "error",
        }
    }
}
