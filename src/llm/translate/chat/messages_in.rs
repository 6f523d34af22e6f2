//! The messages of a request, read: who speaks, calls tools and brings their results.

use std::collections::HashMap;

use serde_json::value::RawValue;

use super::super::Refused;
use super::super::conversation::{CallKind, Part, Role, Thought, ToolCall, Turn};
use super::members::Members;
use super::{parts_in, pieces};

/// One turn for each message.
///
/// # Errors
/// [`Refused`].
pub(super) fn read(body: &mut Members<'_>) -> Result<Vec<Turn>, Refused> {
    let messages = body.list("messages")?.unwrap_or_default();
    if messages.is_empty() {
        return Err(body.refuse("messages", "it is missing or empty; send at least one message"));
    }
    let mut legacy = Legacy::default();
    let numbered = messages.into_iter().enumerate();
    numbered
        .map(|(at, message)| turn(Members::of(message, format!("messages[{at}]"))?, &mut legacy))
        .collect()
}

/// Calls of the form that came before `tool_calls`: without an id, found again by name.
#[derive(Debug, Default)]
struct Legacy {
    count: usize,
    /// The last id by the tool's name.
    ids: HashMap<String, String>,
}

// === impl Legacy ===

impl Legacy {
    fn call(&mut self, name: &str) -> String {
        let id = format!("call_function_{}", self.count);
        self.count += 1;
        self.ids.insert(name.to_owned(), id.clone());
        id
    }

    fn result(&self, name: &str) -> Option<String> {
        self.ids.get(name).cloned()
    }
}

// === private parts ===

fn turn(mut message: Members<'_>, legacy: &mut Legacy) -> Result<Turn, Refused> {
    match message.required_text("role")?.as_str() {
        "system" => plain(Role::System, message),
        "developer" => plain(Role::Developer, message),
        "user" => plain(Role::User, message),
        "assistant" => assistant(message, legacy),
        "tool" => {
            let id = message.required_text("tool_call_id")?;
            result(id, message)
        }
        "function" => {
            let name = message.required_text("name")?;
            let id = legacy.result(&name).ok_or_else(|| {
                message.refuse("name", "no `function_call` of this name comes before it")
            })?;
            result(id, message)
        }
        _ => Err(message.refuse(
            "role",
            "it must be `system`, `developer`, `user`, `assistant`, `tool` or `function`",
        )),
    }
}

fn plain(role: Role, mut message: Members<'_>) -> Result<Turn, Refused> {
    let Some(mut parts) = parts_in::read(&mut message)? else {
        return Err(message.refuse("content", "it is missing; send a string or a list of parts"));
    };
    mark(&mut parts, message.raw("cache_control")?);
    Ok(Turn { role, parts })
}

/// What was thought comes first, as it was: then what was said, then the calls.
fn assistant(mut message: Members<'_>, legacy: &mut Legacy) -> Result<Turn, Refused> {
    let mut parts = Vec::new();
    if let Some(thought) = thought(&mut message)? {
        parts.push(Part::Thinking(Thought::Plain(thought)));
    }
    parts.extend(parts_in::read(&mut message)?.into_iter().flatten());
    parts.extend(message.text("refusal")?.map(Part::Refusal));
    mark(&mut parts, message.raw("cache_control")?);
    let calls = message.list("tool_calls")?.unwrap_or_default();
    for (at, call) in calls.into_iter().enumerate() {
        let path = message.path(&format!("tool_calls[{at}]"));
        parts.push(Part::ToolCall(tool_call(Members::of(call, path)?)?));
    }
    if let Some(call) = message.object("function_call")? {
        parts.push(Part::ToolCall(function_call(call, legacy)?));
    }
    Ok(Turn { role: Role::Assistant, parts })
}

/// Whatever an API of this kind called it when it gave it; only text is of use to others.
fn thought(message: &mut Members<'_>) -> Result<Option<String>, Refused> {
    for name in pieces::REASONING {
        if let Some(value) = message.take(name)? {
            let value = serde_json::from_str(value.get())
                .map_err(|_| message.refuse(name, "it is nested too deeply"))?;
            let thought = pieces::thought(&value);
            if !thought.is_empty() {
                return Ok(Some(thought));
            }
        }
    }
    Ok(None)
}

fn tool_call(mut call: Members<'_>) -> Result<ToolCall, Refused> {
    let id = call.required_text("id")?;
    match call.text("type")?.as_deref() {
        None | Some("function") => {
            let mut function = call.required_object("function")?;
            let name = function.required_text("name")?;
            let arguments = arguments(&mut function)?;
            Ok(ToolCall { id, name, arguments, kind: CallKind::Function })
        }
        Some("custom") => {
            let mut custom = call.required_object("custom")?;
            let name = custom.required_text("name")?;
            let arguments = custom.required_text("input")?;
            Ok(ToolCall { id, name, arguments, kind: CallKind::Custom })
        }
        Some(_) => Err(call.refuse("type", "it must be `function` or `custom`")),
    }
}

/// JSON as text; an object is what was meant, too.
fn arguments(function: &mut Members<'_>) -> Result<String, Refused> {
    let Some(arguments) = function.take("arguments")? else {
        return Ok(String::new());
    };
    match arguments.get().as_bytes().first() {
        Some(b'{') => Ok(arguments.get().to_owned()),
        _ => serde_json::from_str(arguments.get())
            .map_err(|_| function.refuse("arguments", "it must be a string with JSON in it")),
    }
}

fn function_call(mut call: Members<'_>, legacy: &mut Legacy) -> Result<ToolCall, Refused> {
    let name = call.required_text("name")?;
    let arguments = arguments(&mut call)?;
    Ok(ToolCall { id: legacy.call(&name), name, arguments, kind: CallKind::Function })
}

fn result(id: String, mut message: Members<'_>) -> Result<Turn, Refused> {
    let cache = message.raw("cache_control")?;
    let Some(parts) = parts_in::read(&mut message)? else {
        return Err(message.refuse("content", "it is missing; send what the tool said"));
    };
    let result = Part::ToolResult { id, parts, is_error: false, cache };
    Ok(Turn { role: Role::User, parts: vec![result] })
}

/// A mark on the message is one on its last part.
fn mark(parts: &mut [Part], mark: Option<Box<RawValue>>) {
    use Part::{Document, Image, Text};
    let last = parts.last_mut();
    if let Some(Text { cache, .. } | Image { cache, .. } | Document { cache, .. }) = last
        && cache.is_none()
    {
        *cache = mark;
    }
}
