//! Reads the content of messages and of tools' outputs.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::value::RawValue;

use super::node::{Kind, Node, Object};
use crate::llm::translate::Refused;
use crate::llm::translate::conversation::{Part, Source};

/// Text, or a list of parts.
pub(super) fn read(node: &Node<'_>) -> Result<Vec<Part>, Refused> {
    match node.kind() {
        Kind::Text => Ok(vec![Part::Text { text: node.text()?, cache: None }]),
        Kind::List => node.list()?.iter().map(part).collect(),
        Kind::Object | Kind::Other => Err(node.refused("must be a string or an array of parts")),
    }
}

pub(super) fn part(node: &Node<'_>) -> Result<Part, Refused> {
    let part = node.object()?;
    let cache = cache(&part);
    match part.need("type")?.text()?.as_str() {
        "input_text" | "output_text" | "text" => {
            Ok(Part::Text { text: part.need("text")?.text()?, cache })
        }
        "refusal" => Ok(Part::Refusal(part.need("refusal")?.text()?)),
        "input_image" => {
            Ok(Part::Image { source: image(&part)?, detail: part.text("detail")?, cache })
        }
        "input_file" => {
            Ok(Part::Document { source: file(&part)?, title: part.text("filename")?, cache })
        }
        "input_audio" => audio(&part.need("input_audio")?.object()?),
        _ => Err(part.refused(
            "type",
            "must be input_text, input_image, input_file, input_audio, output_text or refusal",
        )),
    }
}

/// A breakpoint of the prompt cache is the same thing as Anthropic's mark.
fn cache(part: &Object<'_>) -> Option<Box<RawValue>> {
    let breakpoint = part.get("prompt_cache_breakpoint")?.object().ok()?;
    let mark = match breakpoint.get("ttl") {
        Some(_) => r#"{"type":"ephemeral","ttl":"1h"}"#,
        None => r#"{"type":"ephemeral"}"#,
    };
    RawValue::from_string(mark.to_owned()).ok()
}

fn audio(audio: &Object<'_>) -> Result<Part, Refused> {
    let (data, format) = (audio.need("data")?.text()?, audio.need("format")?.text()?);
    Ok(Part::Audio { data, format })
}

fn image(part: &Object<'_>) -> Result<Source, Refused> {
    if let Some(url) = part.text("image_url")? {
        return source(part, "image_url", url);
    }
    if let Some(id) = part.text("file_id")? {
        return Ok(Source::File(id));
    }
    Err(part.refused("image_url", "is missing, and so is file_id"))
}

fn file(part: &Object<'_>) -> Result<Source, Refused> {
    let name = part.text("filename")?.unwrap_or_default();
    if let Some(data) = part.text("file_data")? {
        let source = if data.starts_with("data:") {
            source(part, "file_data", data)?
        } else {
            Source::Base64 { media_type: media_type(&name).to_owned(), data }
        };
        return as_text(part, &name, source);
    }
    if let Some(url) = part.text("file_url")? {
        return as_text(part, &name, source(part, "file_url", url)?);
    }
    if let Some(id) = part.text("file_id")? {
        return Ok(Source::File(id));
    }
    Err(part.refused("file_data", "is missing, and so are file_url and file_id"))
}

fn source(part: &Object<'_>, name: &str, url: String) -> Result<Source, Refused> {
    if let Some(data_url) = url.strip_prefix("data:") {
        let split = data_url.split_once(";base64,");
        let (media_type, data) =
            split.ok_or_else(|| part.refused(name, "must be a data URL in base64"))?;
        let media_type = media_type.split(';').next().unwrap_or_default().to_owned();
        return Ok(Source::Base64 { media_type, data: data.to_owned() });
    }
    if url.starts_with("https://") || url.starts_with("http://") {
        return Ok(Source::Url(url));
    }
    Err(part.refused(name, "must be a URL with http, https or data"))
}

/// Files that are text are told as text, which every dialect takes.
fn as_text(part: &Object<'_>, name: &str, source: Source) -> Result<Source, Refused> {
    let Source::Base64 { media_type, data } = source else { return Ok(source) };
    let media_type = match media_type.as_str() {
        "" | "application/octet-stream" => media_type_or_text(name).to_owned(),
        _ => media_type,
    };
    if !media_type.starts_with("text/") && media_type != "application/json" {
        return Ok(Source::Base64 { media_type, data });
    }
    let bytes = STANDARD.decode(&data).ok();
    let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    let text = text.ok_or_else(|| part.refused("file_data", "must be base64 of UTF-8 text"))?;
    Ok(Source::Text(text))
}

/// Bare base64 is a PDF unless its name says otherwise.
fn media_type(name: &str) -> &str {
    if name.is_empty() { "application/pdf" } else { media_type_or_text(name) }
}

fn media_type_or_text(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, extension)| extension) {
        Some("pdf") => "application/pdf",
        Some("png") => "image/png",
        Some("jpg" | "jpeg") => "image/jpeg",
        Some("docx" | "xlsx" | "pptx" | "doc" | "xls" | "ppt" | "zip") => {
            "application/octet-stream"
        }
        Some(_) | None => "text/plain",
    }
}
