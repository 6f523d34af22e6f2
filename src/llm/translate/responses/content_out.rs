//! Writes what messages and tools' outputs hold.

use std::borrow::Cow;

use serde::Serialize;

use crate::llm::translate::Refused;
use crate::llm::translate::conversation::{Part, Role, Source};

/// A part of a message.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Content<'a> {
    InputText {
        text: Cow<'a, str>,
    },
    OutputText {
        text: &'a str,
        annotations: [(); 0],
    },
    Refusal {
        refusal: &'a str,
    },
    InputImage {
        #[serde(skip_serializing_if = "Option::is_none")]
        image_url: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        file_id: Option<&'a str>,
        detail: &'a str,
    },
    InputFile {
        #[serde(skip_serializing_if = "Option::is_none")]
        filename: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        file_data: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        file_url: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        file_id: Option<&'a str>,
    },
}

/// `None`: nothing is said (empty text).
pub(super) fn content(role: Role, part: &Part) -> Result<Option<Content<'_>>, Refused> {
    Ok(Some(match part {
        Part::Text { text, .. } if text.is_empty() => return Ok(None),
        Part::Text { text, .. } => self::text(role, text),
        Part::Refusal(refusal) => Content::Refusal { refusal },
        Part::Image { source, detail, .. } => image(source, detail.as_deref())?,
        Part::Document { source, title, .. } => file(source, title.as_deref()),
        Part::Audio { .. } => {
            let why = "the responses API takes no sound: send what was said as text";
            return Err(Refused::new("messages[].content[].input_audio", why));
        }
        // They are items, and stand in no message and no output.
        Part::ToolCall(_) | Part::ToolResult { .. } | Part::Thinking(_) => return Ok(None),
    }))
}

fn text(role: Role, text: &str) -> Content<'_> {
    match role {
        Role::Assistant => Content::OutputText { text, annotations: [] },
        Role::System | Role::Developer | Role::User => Content::InputText { text: text.into() },
    }
}

fn image<'a>(source: &'a Source, detail: Option<&'a str>) -> Result<Content<'a>, Refused> {
    let detail = detail.unwrap_or("auto");
    let url = |url| Content::InputImage { image_url: Some(url), file_id: None, detail };
    match source {
        Source::Base64 { media_type, data } => Ok(url(data_url(media_type, data))),
        Source::Url(link) => Ok(url(link.clone())),
        Source::File(id) => Ok(Content::InputImage { image_url: None, file_id: Some(id), detail }),
        Source::Text(_) => {
            Err(Refused::new("messages[].content[].source", "text is no picture: send it as text"))
        }
    }
}

/// The service wants a name beside data.
fn file<'a>(source: &'a Source, title: Option<&'a str>) -> Content<'a> {
    let (mut file_data, mut file_url, mut file_id) = (None, None, None);
    match source {
        Source::Base64 { media_type, data } => file_data = Some(data_url(media_type, data)),
        Source::Url(url) => file_url = Some(url.as_str()),
        Source::File(id) => file_id = Some(id.as_str()),
        Source::Text(text) => {
            let text = title.map_or(text.into(), |title| format!("{title}:\n{text}").into());
            return Content::InputText { text };
        }
    }
    let filename = file_data.is_some().then(|| title.unwrap_or("document.pdf"));
    Content::InputFile { filename, file_data, file_url, file_id }
}

fn data_url(media_type: &str, data: &str) -> String {
    format!("data:{media_type};base64,{data}")
}
