//! A request, read: the members of the body, and the turns of its history.

use std::borrow::Cow;
use std::collections::HashSet;

use serde::de::IgnoredAny;

use super::blocks_in::{self, Speaker};
use super::raw::parse;
use super::settings_in;
use crate::llm::translate::Refused;
use crate::llm::translate::conversation::{Conversation, Delivery, Role, Turn, Usage};
use crate::llm::translate::document::{Marks, Node};

/// Reads a request.
///
/// # Errors
/// [`Refused`]: not JSON, or not a request of this dialect.
pub(in crate::llm::translate) fn read_request(body: &[u8]) -> Result<Conversation, Refused> {
    let mut marks = Marks::default();
    let body = object(body, &mut marks)?;
    let mut said = Conversation::default();
    let mut seen = HashSet::new();
    for (name, value) in body.members() {
        let name = name.text();
        if !seen.insert(name.clone()) {
            return Err(Refused::new(name, "it is there twice; send it once"));
        }
        if !value.is_null() {
            member(&mut said, &name, value)?;
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

fn object<'a>(body: &'a [u8], marks: &'a mut Marks) -> Result<Node<'a>, Refused> {
    let wrong = |why: &str| Refused::new("body", format!("it is no JSON object: {why}"));
    let text = std::str::from_utf8(body).map_err(|_| wrong("it is not UTF-8"))?;
    let body = marks.read(text).map_err(|why| wrong(&why))?;
    if body.is_object() { Ok(body) } else { Err(wrong("it is something else")) }
}

fn member(said: &mut Conversation, name: &str, told: Node<'_>) -> Result<(), Refused> {
    match name {
        "model" => said.model = parse(name, told)?,
        "system" => {
            let parts = blocks_in::content(name, told, Speaker::System)?;
            if !parts.is_empty() {
                said.turns.insert(0, Turn { role: Role::System, parts });
            }
        }
        "messages" => said.turns.extend(turns(told)?),
        "max_tokens" => said.max_tokens = Some(parse(name, told)?),
        "stop_sequences" => said.stop = parse(name, told)?,
        "temperature" => said.temperature = Some(parse(name, told)?),
        "top_p" => said.top_p = Some(parse(name, told)?),
        "top_k" => said.top_k = Some(parse(name, told)?),
        "stream" => {
            if parse(name, told)? {
                said.delivery = Delivery::Stream(Usage::Told);
            }
        }
        "service_tier" => said.service_tier = Some(parse(name, told)?),
        _ => return settings_in::member(said, name, told),
    }
    Ok(())
}

fn turns(told: Node<'_>) -> Result<Vec<Turn>, Refused> {
    let _: Vec<IgnoredAny> = parse("messages", told)?;
    let numbered = told.items().enumerate();
    numbered.map(|(at, message)| turn(&format!("messages[{at}]"), message)).collect()
}

fn turn(path: &str, told: Node<'_>) -> Result<Turn, Refused> {
    let message: Message<'_> = parse(path, told)?;
    let missing = || Refused::new(path, "missing field `content`");
    let content = told.get("content").ok_or_else(missing)?;
    let (role, speaker) = match &*message.role {
        "user" => (Role::User, Speaker::User),
        "assistant" => (Role::Assistant, Speaker::Assistant),
        "system" => (Role::System, Speaker::System),
        _ => {
            let why = "the roles are `user`, `assistant` and `system`";
            return Err(Refused::new(format!("{path}.role"), why));
        }
    };
    let parts = blocks_in::content(&format!("{path}.content"), content, speaker)?;
    Ok(Turn { role, parts })
}

#[derive(serde::Deserialize)]
struct Message<'a> {
    #[serde(borrow)]
    role: Cow<'a, str>,
    /// Read where it stands; here, so that it is not given twice.
    #[serde(rename = "content")]
    _content: IgnoredAny,
}
