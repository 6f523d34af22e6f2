//! The messages of a request, written.
//!
//! A tool's results stand directly behind the message that called it, whatever else was said in
//! between; turns of the assistant that follow each other are one message; pictures that a tool
//! shows move to the user's message behind the results, as a tool's message has text only.

use std::borrow::Cow;

use serde::Serialize;

use super::super::Refused;
use super::super::conversation::{CallKind, Part, Role, Thought, ToolCall, Turn};
use super::parts_out::{self, Content, WrittenPart};
use super::{custom, shorten};

/// A message.
#[derive(Debug, Serialize)]
pub(super) struct Message<'a> {
    role: &'static str,
    content: Option<Content<'a>>,
    #[serde(skip_serializing_if = "String::is_empty")]
    reasoning_content: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_calls: Vec<Call<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_call_id: Option<Cow<'a, str>>,
}

#[derive(Debug, Serialize)]
struct Call<'a> {
    id: Cow<'a, str>,
    r#type: &'static str,
    function: Called<'a>,
}

#[derive(Debug, Serialize)]
struct Called<'a> {
    name: &'a str,
    arguments: Cow<'a, str>,
}

/// All turns.
///
/// # Errors
/// [`Refused`]: what has no place here.
pub(super) fn write(turns: &[Turn]) -> Result<Vec<Message<'_>>, Refused> {
    let mut history = History::default();
    for turn in turns {
        match turn.role {
            Role::System | Role::Developer => history.system(&turn.parts)?,
            Role::User => history.user(&turn.parts)?,
            Role::Assistant => history.assistant(&turn.parts)?,
        }
    }
    Ok(history.messages)
}

/// What is written so far.
#[derive(Debug, Default)]
struct History<'a> {
    messages: Vec<Message<'a>>,
    /// Where the next result goes: behind the calls, and the results that are there.
    results: Option<usize>,
}

// === impl History ===

impl<'a> History<'a> {
    /// `developer` is known to OpenAI only, which reads `system` as the same. Those that follow
    /// each other are one, as some models take no more.
    fn system(&mut self, parts: &'a [Part]) -> Result<(), Refused> {
        let content = parts_out::content(written(parts)?);
        match (content, self.messages.last_mut()) {
            (content @ Some(Content::Text(_)), Some(last)) if last.role == "system" => {
                last.content = joined(last.content.take(), content);
            }
            (Some(content), _) => self.push("system", Some(content)),
            (None, _) => {}
        }
        Ok(())
    }

    fn user(&mut self, parts: &'a [Part]) -> Result<(), Refused> {
        let mut said = Vec::new();
        for part in parts {
            if let Part::ToolResult { id, parts, is_error, .. } = part {
                let (text, shown) = told(parts)?;
                let text = if *is_error { failed(text) } else { text };
                said.extend(self.result(id, text, shown));
            }
        }
        said.extend(written(parts)?);
        let only_empty =
            said.is_empty() && parts.iter().all(|part| matches!(part, Part::Text { .. }));
        if only_empty {
            self.push("user", Some(Content::Text("".into())));
        }
        self.say("user", said);
        Ok(())
    }

    fn assistant(&mut self, parts: &'a [Part]) -> Result<(), Refused> {
        let (mut said, mut thought, mut calls) = (Vec::new(), Vec::new(), Vec::new());
        for part in parts {
            match part {
                Part::ToolCall(tool_call) => calls.push(call(tool_call)),
                Part::Thinking(Thought::Plain(text)) => thought.push(text.as_str()),
                Part::Thinking(_) => {}
                Part::Text { .. } | Part::Refusal(_) => said.extend(parts_out::part(part)?),
                Part::Document { .. } | Part::Image { .. } | Part::Audio { .. } => {
                    return Err(only_text());
                }
                Part::ToolResult { .. } => return Err(only_text()),
            }
        }
        thought.retain(|text| !text.trim().is_empty());
        let content = parts_out::content(said);
        if content.is_some() || !thought.is_empty() || !calls.is_empty() {
            self.answered(content, &thought.join("\n"), calls);
        }
        Ok(())
    }

    fn answered(&mut self, content: Option<Content<'a>>, thought: &str, calls: Vec<Call<'a>>) {
        if self.messages.last().is_none_or(|last| last.role != "assistant") {
            self.push("assistant", None);
        }
        let Some(message) = self.messages.last_mut() else {
            return;
        };
        message.content = joined(message.content.take(), content);
        if !message.reasoning_content.is_empty() && !thought.is_empty() {
            message.reasoning_content.push('\n');
        }
        message.reasoning_content.push_str(thought);
        message.tool_calls.extend(calls);
        if message.tool_calls.is_empty() {
            // A message needs one or the other.
            message.content.get_or_insert(Content::Text("".into()));
        } else {
            self.results = Some(self.messages.len());
        }
    }

    /// A tool's message; what it cannot hold is handed back, for the user's.
    fn result(
        &mut self,
        id: &'a str,
        text: Cow<'a, str>,
        mut shown: Vec<WrittenPart<'a>>,
    ) -> Vec<WrittenPart<'a>> {
        let at = self.results.unwrap_or(self.messages.len());
        let content = Some(Content::Text(text));
        let tool_call_id = Some(shorten::id(id));
        self.messages.insert(at, Message { tool_call_id, ..message("tool", content) });
        self.results = Some(at + 1);
        if !shown.is_empty() {
            let of = format!("Shown by the tool call {}:", shorten::id(id));
            shown.splice(0..0, parts_out::text_part(of));
        }
        shown
    }

    fn say(&mut self, role: &'static str, said: Vec<WrittenPart<'a>>) {
        if let Some(content) = parts_out::content(said) {
            self.push(role, Some(content));
        }
    }

    fn push(&mut self, role: &'static str, content: Option<Content<'a>>) {
        self.messages.push(message(role, content));
    }
}

// === private parts ===

fn message<'a>(role: &'static str, content: Option<Content<'a>>) -> Message<'a> {
    Message {
        role,
        content,
        reasoning_content: String::new(),
        tool_calls: Vec::new(),
        tool_call_id: None,
    }
}

fn written(parts: &[Part]) -> Result<Vec<WrittenPart<'_>>, Refused> {
    parts.iter().filter_map(|part| parts_out::part(part).transpose()).collect()
}

/// What a tool said, and what it showed.
fn told(parts: &[Part]) -> Result<(Cow<'_, str>, Vec<WrittenPart<'_>>), Refused> {
    let is_text = |part: &WrittenPart<'_>| matches!(part, WrittenPart::Text { .. });
    let (texts, shown) = written(parts)?.into_iter().partition(is_text);
    let text = match parts_out::content(texts) {
        Some(Content::Text(text)) => text,
        Some(Content::Parts(_)) | None => Cow::Borrowed(""),
    };
    Ok((text, shown))
}

fn call(call: &ToolCall) -> Call<'_> {
    let arguments = match call.kind {
        CallKind::Custom => Cow::Owned(custom::arguments(&call.arguments)),
        CallKind::Function if call.arguments.trim().is_empty() => Cow::Borrowed("{}"),
        CallKind::Function => Cow::Borrowed(call.arguments.as_str()),
    };
    let function = Called { name: &call.name, arguments };
    Call { id: shorten::id(&call.id), r#type: "function", function }
}

fn joined<'a>(one: Option<Content<'a>>, other: Option<Content<'a>>) -> Option<Content<'a>> {
    match (one, other) {
        (Some(Content::Text(one)), Some(Content::Text(other))) if !one.is_empty() => {
            Some(Content::Text(Cow::Owned(format!("{one}\n{other}"))))
        }
        (Some(Content::Parts(mut parts)), Some(Content::Text(text))) => {
            parts.extend(parts_out::text_part(text));
            Some(Content::Parts(parts))
        }
        (one, other) => other.or(one),
    }
}

/// There is no flag for it here; the model reads it.
fn failed(text: Cow<'_, str>) -> Cow<'_, str> {
    let told = text.get(..5).is_some_and(|start| start.eq_ignore_ascii_case("error"));
    if told { text } else { Cow::Owned(format!("Error: {text}")) }
}

fn only_text() -> Refused {
    let why = "an assistant's message holds text, thoughts and tool calls only on a chat \
               completions upstream; move anything else to a user's message";
    Refused::new("messages", why)
}
