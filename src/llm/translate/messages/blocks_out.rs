//! The blocks of requests and answers, written.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use serde_json::value::RawValue;

use super::arguments;
use super::tool_ids::ToolIds;
use crate::llm::translate::Refused;
use crate::llm::translate::conversation::{Part, Source, Thought};

type Cache<'a> = Option<&'a RawValue>;

/// A block of content.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Block<'a> {
    Text {
        text: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        cache_control: Cache<'a>,
    },
    Image {
        source: Place<'a>,
        #[serde(skip_serializing_if = "Option::is_none")]
        cache_control: Cache<'a>,
    },
    Document {
        source: Place<'a>,
        #[serde(skip_serializing_if = "Option::is_none")]
        title: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        cache_control: Cache<'a>,
    },
    ToolUse {
        id: Cow<'a, str>,
        name: &'a str,
        input: Box<RawValue>,
    },
    ToolResult {
        tool_use_id: String,
        #[serde(skip_serializing_if = "Content::is_empty")]
        content: Content<'a>,
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        is_error: bool,
        #[serde(skip_serializing_if = "Option::is_none")]
        cache_control: Cache<'a>,
    },
    Thinking {
        thinking: &'a str,
        signature: &'a str,
    },
    RedactedThinking {
        data: &'a str,
    },
}

/// Text where that is all there is, or blocks.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Content<'a> {
    Text(&'a str),
    Blocks(Vec<Block<'a>>),
}

/// Where a picture or document is.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Place<'a> {
    Base64 { media_type: &'a str, data: &'a str },
    Url { url: &'a str },
    Text { media_type: &'static str, data: Cow<'a, str> },
}

// === impl Content ===

impl<'a> Content<'a> {
    /// Text if there is nothing but one, and nothing to be said of it.
    pub(super) fn of(mut blocks: Vec<Block<'a>>) -> Self {
        match (blocks.pop(), blocks.is_empty()) {
            (Some(Block::Text { text, cache_control: None }), true) => Self::Text(text),
            (last, _) => {
                blocks.extend(last);
                Self::Blocks(blocks)
            }
        }
    }

    fn is_empty(&self) -> bool {
        matches!(self, Self::Blocks(blocks) if blocks.is_empty())
    }
}

// === impl Block ===

impl<'a> Block<'a> {
    /// A block of text, of an answer.
    pub(super) fn text(text: &'a str) -> Option<Self> {
        (!text.is_empty()).then_some(Self::Text { text, cache_control: None })
    }

    /// A thought, in an answer. The SDKs insist on a signature; an empty one says that there is
    /// none. What only a responses API can read is not shown.
    pub(super) fn answered(thought: &'a Thought) -> Option<Self> {
        match thought {
            Thought::Plain(text) if text.is_empty() => None,
            Thought::Plain(text) => Some(Self::Thinking { thinking: text, signature: "" }),
            Thought::Signed { text, signature } => {
                Some(Self::Thinking { thinking: text, signature })
            }
            Thought::Redacted(data) => Some(Self::RedactedThinking { data }),
            Thought::Item(_) => None,
        }
    }

    /// A part of a turn; `None` for what is left out: blank text, which the API refuses, and
    /// thoughts that it has not signed.
    ///
    /// # Errors
    /// [`Refused`]: what has no counterpart.
    pub(super) fn of(part: &'a Part, ids: &mut ToolIds) -> Result<Option<Self>, Refused> {
        Ok(match part {
            Part::Text { text, cache } => Self::said(text, cache.as_deref()),
            Part::Refusal(text) => Self::said(text, None),
            Part::Image { source, cache, .. } => Some(Self::image(source, cache.as_deref())?),
            Part::Document { source, title, cache } => Some(Self::Document {
                source: Place::of_document(source)?,
                title: title.as_deref().filter(|title| !title.is_empty()),
                cache_control: cache.as_deref(),
            }),
            Part::Audio { .. } => {
                return Err(Refused::new("input_audio", "the model cannot hear; send text"));
            }
            Part::ToolCall(call) => Some(Self::ToolUse {
                id: ids.spell(&call.id).into(),
                name: &call.name,
                input: arguments::input(call),
            }),
            Part::ToolResult { id, parts, is_error, cache } => Some(Self::ToolResult {
                tool_use_id: ids.spell(id),
                content: Content::of(all(parts, ids)?),
                is_error: *is_error,
                cache_control: cache.as_deref(),
            }),
            Part::Thinking(thought) => Self::thought(thought),
        })
    }

    fn said(text: &'a str, cache_control: Cache<'a>) -> Option<Self> {
        (!text.trim().is_empty()).then_some(Self::Text { text, cache_control })
    }

    /// A PDF sent as a picture is a document.
    fn image(source: &'a Source, cache_control: Cache<'a>) -> Result<Self, Refused> {
        let source = match source {
            Source::Base64 { media_type, .. } if media_type == PDF => {
                let source = Place::of_document(source)?;
                return Ok(Self::Document { source, title: None, cache_control });
            }
            // Not its name, but what many call it.
            Source::Base64 { media_type, data } if media_type == "image/jpg" => {
                Place::Base64 { media_type: "image/jpeg", data }
            }
            Source::Base64 { media_type, data } => Place::Base64 { media_type, data },
            Source::Url(url) => Place::Url { url },
            Source::File(_) => return Err(foreign_file("image file_id")),
            Source::Text(_) => return Err(Refused::new("image", "text is no image")),
        };
        Ok(Self::Image { source, cache_control })
    }

    fn thought(thought: &'a Thought) -> Option<Self> {
        match thought {
            Thought::Signed { text, signature } => {
                Some(Self::Thinking { thinking: text, signature })
            }
            Thought::Redacted(data) => Some(Self::RedactedThinking { data }),
            Thought::Plain(_) | Thought::Item(_) => None,
        }
    }
}

/// The blocks of parts.
///
/// # Errors
/// [`Refused`]: what has no counterpart.
pub(super) fn all<'a>(parts: &'a [Part], ids: &mut ToolIds) -> Result<Vec<Block<'a>>, Refused> {
    let mut blocks = Vec::with_capacity(parts.len());
    for part in parts {
        blocks.extend(Block::of(part, ids)?);
    }
    Ok(blocks)
}

const PDF: &str = "application/pdf";

// === impl Place ===

impl<'a> Place<'a> {
    /// Documents are PDF or plain text; text of any kind is plain enough.
    fn of_document(source: &'a Source) -> Result<Self, Refused> {
        match source {
            Source::Base64 { media_type, data } if media_type == PDF => {
                Ok(Self::Base64 { media_type, data })
            }
            Source::Base64 { media_type, data } if is_text(media_type) => {
                let bytes = STANDARD.decode(data).ok();
                let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
                let why = "it is no text in base64; send PDF or plain text";
                let text = text.ok_or_else(|| Refused::new("file_data", why))?;
                Ok(Self::Text { media_type: "text/plain", data: text.into() })
            }
            Source::Base64 { media_type, .. } => {
                let why = format!("the model cannot read `{media_type}`; send PDF or plain text");
                Err(Refused::new("file_data", why))
            }
            Source::Url(url) => Ok(Self::Url { url }),
            Source::File(_) => Err(foreign_file("file_id")),
            Source::Text(text) => {
                Ok(Self::Text { media_type: "text/plain", data: text.as_str().into() })
            }
        }
    }
}

fn is_text(media_type: &str) -> bool {
    media_type.starts_with("text/") || media_type.starts_with("application/json")
}

fn foreign_file(field: &str) -> Refused {
    Refused::new(field, "the file is with another provider; send its data or its URL")
}
