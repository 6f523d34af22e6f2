//! A request, read: the members of the body, and the turns of its history.

use std::collections::HashSet;

use serde_json::value::RawValue;

use super::blocks_in::{self, Speaker};
use super::raw::{Members, parse};
use super::settings_in;
use crate::llm::translate::Refused;
use crate::llm::translate::conversation::{Conversation, Delivery, Role, Turn, Usage};

/// Reads a request.
///
/// # Errors
/// [`Refused`]: not JSON, or not a request of this dialect.
pub(in crate::llm::translate) fn read_request(body: &[u8]) -> Result<Conversation, Refused> {
    let Members(members) = serde_json::from_slice(body)
        .map_err(|error| Refused::new("body", format!("it is no JSON object: {error}")))?;
    let mut said = Conversation::default();
    let mut seen = HashSet::new();
    for (name, raw) in &members {
        if !seen.insert(name.as_str()) {
            return Err(Refused::new(name, "it is there twice; send it once"));
        }
        if raw.get() != "null" {
            member(&mut said, name, raw)?;
        }
    }
    if said.model.is_empty() {
        return Err(Refused::new("model", "it is missing; name a model"));
    }
    if !seen.contains("messages") {
        return Err(Refused::new("messages", "it is missing; send a list of messages"));
    }
    Ok(said)
}

fn member(said: &mut Conversation, name: &str, raw: &RawValue) -> Result<(), Refused> {
    match name {
        "model" => said.model = parse(name, raw)?,
        "system" => {
            let parts = blocks_in::content(name, raw, Speaker::System)?;
            if !parts.is_empty() {
                said.turns.insert(0, Turn { role: Role::System, parts });
            }
        }
        "messages" => said.turns.extend(turns(raw)?),
        "max_tokens" => said.max_tokens = Some(parse(name, raw)?),
        "stop_sequences" => said.stop = parse(name, raw)?,
        "temperature" => said.temperature = Some(parse(name, raw)?),
        "top_p" => said.top_p = Some(parse(name, raw)?),
        "top_k" => said.top_k = Some(parse(name, raw)?),
        "stream" => {
            if parse(name, raw)? {
                said.delivery = Delivery::Stream(Usage::Told);
            }
        }
        "service_tier" => said.service_tier = Some(parse(name, raw)?),
        _ => return settings_in::member(said, name, raw),
    }
    Ok(())
}

fn turns(raw: &RawValue) -> Result<Vec<Turn>, Refused> {
    let messages: Vec<Box<RawValue>> = parse("messages", raw)?;
    messages.iter().enumerate().map(|(at, raw)| turn(&format!("messages[{at}]"), raw)).collect()
}

fn turn(path: &str, raw: &RawValue) -> Result<Turn, Refused> {
    let message: Message = parse(path, raw)?;
    let (role, speaker) = match message.role.as_str() {
        "user" => (Role::User, Speaker::User),
        "assistant" => (Role::Assistant, Speaker::Assistant),
        "system" => (Role::System, Speaker::System),
        _ => {
            let why = "the roles are `user`, `assistant` and `system`";
            return Err(Refused::new(format!("{path}.role"), why));
        }
    };
    let parts = blocks_in::content(&format!("{path}.content"), &message.content, speaker)?;
    Ok(Turn { role, parts })
}

#[derive(serde::Deserialize)]
struct Message {
    role: String,
    content: Box<RawValue>,
}
