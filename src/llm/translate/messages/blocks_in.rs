//! The content of messages, read: text or blocks.
//!
//! What the provider's own tools left in a history (`server_tool_use`, `web_search_tool_result` and
//! their like) means nothing elsewhere: it is left out, and the text around it stays.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use super::raw::parse;
use crate::llm::translate::Refused;
use crate::llm::translate::conversation::{CallKind, Part, Source, Thought, ToolCall};
use crate::llm::translate::document::{Kind, Node};

/// Whose content it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Speaker {
    System,
    User,
    Assistant,
    /// The result of a tool.
    Tool,
}

/// Text, which becomes one part unless it is empty, or blocks.
///
/// # Errors
/// [`Refused`], with the path of what cannot be.
pub(super) fn content(path: &str, told: Node<'_>, who: Speaker) -> Result<Vec<Part>, Refused> {
    if told.kind() == Kind::Text {
        let text: String = parse(path, told)?;
        return Ok(if text.is_empty() {
            Vec::new()
        } else {
            vec![Part::Text { text, cache: None }]
        });
    }
    if told.kind() != Kind::List {
        return Err(Refused::new(path, "it must be text or a list of blocks"));
    }
    let mut parts = Vec::new();
    for (at, told) in told.items().enumerate() {
        let path = format!("{path}[{at}]");
        parts.extend(parse::<Block<'_>>(&path, told)?.read(&path, told, who)?);
    }
    Ok(parts)
}

/// The members of all kinds of blocks, but for those that hold others.
#[derive(Deserialize)]
struct Block<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    text: Option<String>,
    thinking: Option<String>,
    signature: Option<String>,
    data: Option<String>,
    id: Option<String>,
    name: Option<String>,
    input: Option<Box<RawValue>>,
    tool_use_id: Option<String>,
    is_error: Option<bool>,
    /// Read where it stands; here, so that it is not given twice.
    #[serde(rename = "content")]
    _content: Option<IgnoredAny>,
    #[serde(rename = "source")]
    _source: Option<IgnoredAny>,
    title: Option<String>,
    tool_name: Option<String>,
    cache_control: Option<Box<RawValue>>,
}

/// The members of all kinds of sources of pictures and documents.
#[derive(Deserialize)]
struct Place<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    media_type: Option<String>,
    data: Option<String>,
    url: Option<String>,
    file_id: Option<String>,
    #[serde(rename = "content")]
    _content: Option<IgnoredAny>,
}

impl Block<'_> {
    fn read(self, path: &str, told: Node<'_>, who: Speaker) -> Result<Option<Part>, Refused> {
        match (&*self.kind, who) {
            ("text", _) => self.text(path).map(Some),
            ("image", Speaker::User | Speaker::Tool) => self.image(path, told).map(Some),
            ("document", Speaker::User | Speaker::Assistant | Speaker::Tool) => {
                self.document(path, told).map(Some)
            }
            ("search_result", Speaker::User | Speaker::Tool) => {
                self.search_result(path, told).map(Some)
            }
            ("tool_result", Speaker::User) => self.tool_result(path, told).map(Some),
            ("tool_use", Speaker::Assistant) => self.tool_use(path).map(Some),
            ("thinking", Speaker::Assistant) => Ok(self.thought()),
            ("redacted_thinking", Speaker::Assistant) => {
                let data = need(self.data, path, "data")?;
                Ok(Some(Part::Thinking(Thought::Redacted(data))))
            }
            // Somebody else's thoughts are no thoughts of the model.
            ("thinking" | "redacted_thinking", _) => Ok(None),
            ("compaction", Speaker::Assistant | Speaker::User) => self.summary(path, told),
            ("tool_reference", Speaker::Tool) => {
                let text = need(self.tool_name, path, "tool_name")?;
                Ok(Some(Part::Text { text, cache: self.cache_control }))
            }
            (kind, _) if is_the_providers(kind) => Ok(None),
            (kind, _) => Err(Refused::new(
                format!("{path}.type"),
                format!("`{kind}` has no counterpart here; send text, images, documents or tools"),
            )),
        }
    }

    fn text(self, path: &str) -> Result<Part, Refused> {
        let text = need(self.text, path, "text")?;
        Ok(Part::Text { text, cache: self.cache_control })
    }

    fn image(self, path: &str, told: Node<'_>) -> Result<Part, Refused> {
        let source = place(path, told)?;
        Ok(Part::Image { source, detail: None, cache: self.cache_control })
    }

    fn document(self, path: &str, told: Node<'_>) -> Result<Part, Refused> {
        let source = place(path, told)?;
        Ok(Part::Document { source, title: self.title, cache: self.cache_control })
    }

    /// What the caller's own search found: a document of text.
    fn search_result(self, path: &str, told: Node<'_>) -> Result<Part, Refused> {
        let content = need(member(told, "content"), path, "content")?;
        let parts = content_of_text(&format!("{path}.content"), content)?;
        let source = member(told, "source");
        let source = source.map(|told| parse(&format!("{path}.source"), told)).transpose()?;
        let title = self.title.or(source);
        Ok(Part::Document { source: Source::Text(parts), title, cache: self.cache_control })
    }

    fn tool_result(self, path: &str, told: Node<'_>) -> Result<Part, Refused> {
        let id = need(self.tool_use_id, path, "tool_use_id")?;
        let parts = match member(told, "content") {
            None => Vec::new(),
            Some(told) => result(&format!("{path}.content"), told)?,
        };
        let is_error = self.is_error.unwrap_or(false);
        Ok(Part::ToolResult { id, parts, is_error, cache: self.cache_control })
    }

    fn tool_use(self, path: &str) -> Result<Part, Refused> {
        Ok(Part::ToolCall(ToolCall {
            id: need(self.id, path, "id")?,
            name: need(self.name, path, "name")?,
            arguments: self.input.map_or_else(String::new, |raw| raw.get().to_owned()),
            kind: CallKind::Function,
        }))
    }

    /// An empty signature is one that was never given.
    fn thought(self) -> Option<Part> {
        let text = self.thinking.unwrap_or_default();
        match self.signature.filter(|signature| !signature.is_empty()) {
            Some(signature) => Some(Part::Thinking(Thought::Signed { text, signature })),
            None if text.trim().is_empty() => None,
            None => Some(Part::Thinking(Thought::Plain(text))),
        }
    }

    /// The summary of what was said before; without one, nothing was summed up.
    fn summary(self, path: &str, told: Node<'_>) -> Result<Option<Part>, Refused> {
        let path = format!("{path}.content");
        let text = member(told, "content").map(|told| parse(&path, told)).transpose()?;
        Ok(text.map(|text| Part::Text { text, cache: self.cache_control }))
    }
}

impl Place<'_> {
    fn read(self, path: &str, told: Node<'_>) -> Result<Source, Refused> {
        match &*self.kind {
            "base64" => Ok(Source::Base64 {
                media_type: need(self.media_type, path, "media_type")?,
                data: need(self.data, path, "data")?,
            }),
            "url" => Ok(Source::Url(need(self.url, path, "url")?)),
            "file" => Ok(Source::File(need(self.file_id, path, "file_id")?)),
            "text" => Ok(Source::Text(need(self.data, path, "data")?)),
            "content" => {
                let content = need(member(told, "content"), path, "content")?;
                Ok(Source::Text(content_of_text(&format!("{path}.content"), content)?))
            }
            _ => {
                let why = "the sources are `base64`, `url`, `file`, `text` and `content`";
                Err(Refused::new(format!("{path}.type"), why))
            }
        }
    }
}

/// What a tool said. What is neither text nor blocks is out of the dialect, but harmless: the model
/// can read JSON.
fn result(path: &str, told: Node<'_>) -> Result<Vec<Part>, Refused> {
    if let Kind::Text | Kind::List = told.kind() {
        return content(path, told, Speaker::Tool);
    }
    Ok(vec![Part::Text { text: told.written().to_owned(), cache: None }])
}

/// Content that must be all text.
fn content_of_text(path: &str, told: Node<'_>) -> Result<String, Refused> {
    let mut texts = Vec::new();
    for part in content(path, told, Speaker::Tool)? {
        let Part::Text { text, .. } = part else {
            return Err(Refused::new(
                path,
                "only text can be carried; send images as `image` blocks",
            ));
        };
        texts.push(text);
    }
    Ok(texts.join("\n"))
}

/// Where the picture or document of a block is.
fn place(path: &str, block: Node<'_>) -> Result<Source, Refused> {
    let path = format!("{path}.source");
    let told = need(member(block, "source"), &path, "type")?;
    parse::<Place<'_>>(&path, told)?.read(&path, told)
}

/// A member that is not null.
fn member<'a>(block: Node<'a>, name: &str) -> Option<Node<'a>> {
    block.get(name).filter(|value| !value.is_null())
}

fn need<T>(value: Option<T>, path: &str, name: &str) -> Result<T, Refused> {
    value.ok_or_else(|| Refused::new(format!("{path}.{name}"), "it is missing"))
}

/// What the provider's own tools leave in a history.
fn is_the_providers(kind: &str) -> bool {
    const USES: [&str; 5] =
        ["server_tool_use", "mcp_tool_use", "mcp_tool_result", "mcp_tool_listing", "fallback"];
    USES.contains(&kind) || kind.ends_with("_tool_result")
}
