//! The content of a message, read: a string, or parts of several types.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::value::RawValue;

use super::super::Refused;
use super::super::conversation::{Part, Source, Thought};
use super::super::document::Kind;
use super::members::Members;
use super::pieces;

/// The `content` of a message; `None` if it has none.
///
/// # Errors
/// [`Refused`]: no string and no list of parts, or a part that nobody else could read.
pub(super) fn read(message: &mut Members<'_>) -> Result<Option<Vec<Part>>, Refused> {
    let Some(content) = message.take("content")? else {
        return Ok(None);
    };
    if let Some(text) = content.text() {
        return Ok(Some(vec![Part::Text { text: text.into_owned(), cache: None }]));
    }
    if content.kind() != Kind::List {
        return Err(message.refuse("content", "it must be a string or a list of parts"));
    }
    let numbered = content.items().enumerate();
    let read = numbered
        .map(|(at, value)| part(Members::of(value, message.path(&format!("content[{at}]")))?));
    read.collect::<Result<_, _>>().map(Some)
}

fn part(mut part: Members<'_>) -> Result<Part, Refused> {
    let kind = part.required_text("type")?;
    let cache = cache(&mut part)?;
    match kind.as_str() {
        "text" => Ok(Part::Text { text: part.required_text("text")?, cache }),
        "refusal" => Ok(Part::Refusal(part.required_text("refusal")?)),
        "image_url" => image(part, cache),
        "file" => file(part.required_object("file")?, cache),
        "input_audio" => {
            let mut audio = part.required_object("input_audio")?;
            let data = audio.required_text("data")?;
            Ok(Part::Audio { data, format: audio.required_text("format")? })
        }
        "thinking" => thinking(part),
        _ => Err(part.refuse(
            "type",
            format!(
                "`{kind}` cannot be translated; `text`, `image_url`, `file`, `input_audio` and \
                 `refusal` can"
            ),
        )),
    }
}

/// Anthropic's mark, which many APIs of this kind take, or OpenAI's own.
fn cache(part: &mut Members<'_>) -> Result<Option<Box<RawValue>>, Refused> {
    let breakpoint = part.take("prompt_cache_breakpoint")?;
    let marked = breakpoint.map(|_| RawValue::from_string(r#"{"type":"ephemeral"}"#.to_owned()));
    Ok(part.raw("cache_control")?.or(marked.transpose().ok().flatten()))
}

fn thinking(mut part: Members<'_>) -> Result<Part, Refused> {
    let thought = part.take("thinking")?.map(pieces::thought);
    Ok(Part::Thinking(Thought::Plain(thought.unwrap_or_default())))
}

/// `image_url` is an object; a bare URL is what was meant, too.
fn image(mut part: Members<'_>, cache: Option<Box<RawValue>>) -> Result<Part, Refused> {
    let path = part.path("image_url");
    let Some(value) = part.take("image_url")? else {
        return Err(part.refuse("image_url", "it is missing; it must be an object with a `url`"));
    };
    let (url, detail) = match value.text() {
        Some(url) => (url.into_owned(), None),
        None => {
            let mut image = Members::of(value, path.clone())?;
            (image.required_text("url")?, image.text("detail")?)
        }
    };
    let source = source(url).map_err(|why| Refused::new(format!("{path}.url"), why))?;
    if let Source::Base64 { media_type, .. } = &source
        && !media_type.starts_with("image/")
    {
        let document = document(source, None, cache);
        return document.map_err(|why| Refused::new(format!("{path}.url"), why));
    }
    Ok(Part::Image { source, detail, cache })
}

fn file(mut file: Members<'_>, cache: Option<Box<RawValue>>) -> Result<Part, Refused> {
    let title = file.text("filename")?;
    if let Some(id) = file.text("file_id")? {
        return Ok(Part::Document { source: Source::File(id), title, cache });
    }
    let data = file.required_text("file_data")?;
    let source = match data.split_once(':') {
        Some(_) => source(data).map_err(|why| file.refuse("file_data", why))?,
        None => Source::Base64 { media_type: "application/pdf".to_owned(), data },
    };
    document(source, title, cache).map_err(|why| file.refuse("file_data", why))
}

/// Text is told as text.
fn document(
    source: Source,
    title: Option<String>,
    cache: Option<Box<RawValue>>,
) -> Result<Part, &'static str> {
    let source = match source {
        Source::Base64 { media_type, data } if media_type.starts_with("text/") => {
            let bytes = STANDARD.decode(data).map_err(|_| "it is not base64")?;
            Source::Text(String::from_utf8(bytes).map_err(|_| "its text is not UTF-8")?)
        }
        Source::Base64 { media_type, .. } if media_type != "application/pdf" => {
            return Err("only pictures, PDF and plain text can be translated");
        }
        other => other,
    };
    Ok(Part::Document { source, title, cache })
}

fn source(url: String) -> Result<Source, &'static str> {
    let Some(inline) = url.strip_prefix("data:") else {
        let far = url.starts_with("http://") || url.starts_with("https://");
        return if far {
            Ok(Source::Url(url))
        } else {
            Err("it must be an http, https or data URL")
        };
    };
    let Some((head, data)) = inline.split_once(',') else {
        return Err("it is no data URL: it has no comma");
    };
    let Some(head) = head.strip_suffix(";base64") else {
        return Err("a data URL must be base64 (`data:image/png;base64,…`)");
    };
    let media_type = head.split(';').next().unwrap_or_default().to_ascii_lowercase();
    Ok(Source::Base64 { media_type, data: data.to_owned() })
}
