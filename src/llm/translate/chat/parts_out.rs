//! The content of a message, written: a string wherever text is all there is, as some APIs of this
//! kind take nothing else; else parts.

use std::borrow::Cow;

use serde::Serialize;

use super::super::Refused;
use super::super::conversation::{Part, Source};

/// A message's content.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Content<'a> {
    /// Text.
    Text(Cow<'a, str>),
    /// Text and other things.
    Parts(Vec<WrittenPart<'a>>),
}

/// A part of a message's content.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum WrittenPart<'a> {
    /// Text.
    Text {
        /// Not empty.
        text: Cow<'a, str>,
    },
    /// A picture.
    ImageUrl {
        /// Where it is.
        image_url: ImageUrl<'a>,
    },
    /// A document.
    File {
        /// What it is.
        file: File<'a>,
    },
    /// Sound.
    InputAudio {
        /// What it is.
        input_audio: Audio<'a>,
    },
}

/// Where a picture is.
#[derive(Debug, Serialize)]
pub(super) struct ImageUrl<'a> {
    url: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
}

/// A document.
#[derive(Debug, Default, Serialize)]
pub(super) struct File<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    file_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    filename: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    file_data: Option<String>,
}

/// Sound.
#[derive(Debug, Serialize)]
pub(super) struct Audio<'a> {
    data: &'a str,
    format: &'a str,
}

/// One part. `None`: nothing that is said in this dialect.
///
/// # Errors
/// [`Refused`]: what would be lost.
pub(super) fn part(part: &Part) -> Result<Option<WrittenPart<'_>>, Refused> {
    Ok(match part {
        Part::Text { text, .. } | Part::Refusal(text) => text_part(text.as_str()),
        Part::Image { source, detail, .. } => {
            Some(WrittenPart::ImageUrl { image_url: image(source, detail.as_deref())? })
        }
        Part::Document { source, title, .. } => document(source, title.as_deref())?,
        Part::Audio { data, format } => {
            Some(WrittenPart::InputAudio { input_audio: Audio { data, format } })
        }
        // Thoughts and calls are no content; whose turn it is writes them or leaves them out.
        Part::Thinking(_) | Part::ToolCall(_) | Part::ToolResult { .. } => None,
    })
}

/// Text, if there is any.
pub(super) fn text_part<'a>(text: impl Into<Cow<'a, str>>) -> Option<WrittenPart<'a>> {
    let text = text.into();
    (!text.is_empty()).then_some(WrittenPart::Text { text })
}

/// All of it; `None` if there is nothing.
pub(super) fn content(parts: Vec<WrittenPart<'_>>) -> Option<Content<'_>> {
    let is_text = |part: &WrittenPart<'_>| matches!(part, WrittenPart::Text { .. });
    if parts.is_empty() {
        return None;
    }
    if !parts.iter().all(is_text) {
        return Some(Content::Parts(parts));
    }
    let mut texts = parts.into_iter().filter_map(|part| match part {
        WrittenPart::Text { text } => Some(text),
        WrittenPart::ImageUrl { .. }
        | WrittenPart::File { .. }
        | WrittenPart::InputAudio { .. } => None,
    });
    let first = texts.next()?;
    Some(Content::Text(texts.fold(first, |all, text| Cow::Owned(format!("{all}\n{text}")))))
}

// === private parts ===

fn image<'a>(source: &'a Source, detail: Option<&'a str>) -> Result<ImageUrl<'a>, Refused> {
    let url = match source {
        Source::Base64 { media_type, data } => {
            Cow::Owned(format!("data:{media_type};base64,{data}"))
        }
        Source::Url(url) => Cow::Borrowed(url.as_str()),
        Source::File(_) | Source::Text(_) => {
            return Err(Refused::new(
                "image",
                "a chat completions upstream takes pictures by URL or as base64 only; send it so",
            ));
        }
    };
    Ok(ImageUrl { url, detail })
}

fn document<'a>(
    source: &'a Source,
    title: Option<&'a str>,
) -> Result<Option<WrittenPart<'a>>, Refused> {
    let file = match source {
        Source::Text(text) => return Ok(text_part(titled(title, text))),
        Source::File(id) => File { file_id: Some(id), ..File::default() },
        Source::Base64 { media_type, data } => File {
            filename: Some(title.unwrap_or("document.pdf")),
            file_data: Some(format!("data:{media_type};base64,{data}")),
            ..File::default()
        },
        Source::Url(_) => {
            return Err(Refused::new(
                "document",
                "a chat completions upstream takes no documents by URL; send it as base64",
            ));
        }
    };
    Ok(Some(WrittenPart::File { file }))
}

fn titled<'a>(title: Option<&str>, text: &'a str) -> Cow<'a, str> {
    match title {
        Some(title) if !text.is_empty() => Cow::Owned(format!("{title}:\n{text}")),
        _ => Cow::Borrowed(text),
    }
}
