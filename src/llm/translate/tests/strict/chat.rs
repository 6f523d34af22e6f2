//! OpenAI chat completions: one id through all chunks, calls counted from 0, one `finish_reason`,
//! usage in a chunk of its own if asked for, `[DONE]`; tool messages right behind their calls.

use std::collections::BTreeSet;

use serde_json::Value;

use super::super::wire::strict;
use super::super::{list, text};
use super::{Ending, Usage, are_counts, arguments, is_blank, parse, rule};

const STOPS: [&str; 4] = ["stop", "length", "tool_calls", "content_filter"];
const COUNTS: [&str; 3] = ["prompt_tokens", "completion_tokens", "total_tokens"];

#[derive(Debug, Default)]
struct Stream {
    envelope: Option<[Value; 3]>,
    roles: u32,
    calls: Vec<String>,
    finished: Option<String>,
    usages: u32,
    done: u32,
    failed: u32,
}

pub(crate) fn stream(stream: &[u8], ending: Ending, usage: Usage) -> Result<(), String> {
    let mut told = Stream::default();
    for event in strict(stream)? {
        rule!(event.name.is_none(), "an event line: {:?}", event.name);
        told.take(&event.data).map_err(|why| format!("{why}: {}", event.data))?;
    }
    let last = match (told.done, told.failed) {
        (1, 0) => Ending::Whole,
        (0, 1) => Ending::Failed,
        (0, 0) => Ending::Cut,
        other => return Err(format!("ends, errors: {other:?}")),
    };
    rule!(last == ending, "{ending:?}, but {last:?}");
    if ending == Ending::Whole {
        rule!(told.finished.is_some(), "no finish_reason");
        rule!(told.roles == 1, "{} roles", told.roles);
        let calls = told.finished.as_deref() == Some("tool_calls");
        rule!(!calls || !told.calls.is_empty(), "tool_calls without a call");
        // None, where the upstream told none.
        rule!(told.usages <= 1, "{} chunks of usage", told.usages);
    }
    rule!(usage == Usage::Asked || told.usages == 0, "usage that was not asked for");
    Ok(())
}

impl Stream {
    fn take(&mut self, data: &str) -> Result<(), String> {
        rule!(self.done + self.failed == 0, "after the last event");
        if data == "[DONE]" {
            self.done += 1;
            return Ok(());
        }
        let chunk = parse(data)?;
        if chunk["error"].is_object() {
            self.failed += 1;
            return error(&chunk);
        }
        self.envelope(&chunk)?;
        self.usage(&chunk)?;
        match list(&chunk["choices"]) {
            [] => Ok(()),
            [choice] => self.choice(choice),
            _ => Err("several choices".to_owned()),
        }
    }

    fn envelope(&mut self, chunk: &Value) -> Result<(), String> {
        rule!(chunk["object"] == "chat.completion.chunk", "object {}", chunk["object"]);
        rule!(!is_blank(&chunk["id"]) && !is_blank(&chunk["model"]), "no id or model");
        rule!(chunk["created"].is_u64() && chunk["choices"].is_array(), "no created or choices");
        let now = ["id", "model", "created"].map(|name| chunk[name].clone());
        let first = self.envelope.get_or_insert_with(|| now.clone());
        rule!(*first == now, "not of the same answer as {first:?}");
        Ok(())
    }

    fn usage(&mut self, chunk: &Value) -> Result<(), String> {
        if chunk["usage"].is_null() {
            rule!(!list(&chunk["choices"]).is_empty(), "a chunk of nothing");
            return Ok(());
        }
        rule!(list(&chunk["choices"]).is_empty(), "usage beside a choice");
        rule!(self.finished.is_some(), "usage before the end");
        self.usages += 1;
        usage(&chunk["usage"])
    }

    fn choice(&mut self, choice: &Value) -> Result<(), String> {
        rule!(choice["index"] == 0 && choice["delta"].is_object(), "not a choice");
        rule!(self.finished.is_none(), "a choice after its end");
        rule!(self.usages == 0, "a choice after usage");
        let delta = &choice["delta"];
        if !delta["role"].is_null() {
            rule!(delta["role"] == "assistant", "role {}", delta["role"]);
            self.roles += 1;
        }
        rule!(self.roles == 1, "{} roles", self.roles);
        for name in ["content", "refusal", "reasoning_content"] {
            rule!(delta[name].is_null() || delta[name].is_string(), "{name} is no text");
        }
        for call in list(&delta["tool_calls"]) {
            self.call(call)?;
        }
        if let Some(reason) = choice["finish_reason"].as_str() {
            rule!(STOPS.contains(&reason), "no such finish_reason");
            self.finished = Some(reason.to_owned());
        }
        rule!(choice.get("finish_reason").is_some(), "no finish_reason member");
        Ok(())
    }

    fn call(&mut self, call: &Value) -> Result<(), String> {
        let Some(index) = call["index"].as_u64() else { return Err("no index".to_owned()) };
        let named = if call["custom"].is_object() { &call["custom"] } else { &call["function"] };
        if usize::try_from(index) == Ok(self.calls.len()) {
            let id = text(&call["id"]).to_owned();
            rule!(!id.is_empty() && !is_blank(&named["name"]), "a call without id or name");
            rule!(!is_blank(&call["type"]), "a call without a type");
            rule!(!self.calls.contains(&id), "the id {id} twice");
            self.calls.push(id);
        } else {
            rule!((index as usize) < self.calls.len(), "call {index} of {}", self.calls.len());
            rule!(call["id"].is_null() && named["name"].is_null(), "an id or name twice");
        }
        let more = if call["custom"].is_object() { &named["input"] } else { &named["arguments"] };
        rule!(more.is_null() || more.is_string(), "arguments that are no text");
        Ok(())
    }
}

pub(crate) fn answer(answer: &Value) -> Result<(), String> {
    rule!(answer["object"] == "chat.completion", "object {}", answer["object"]);
    rule!(!is_blank(&answer["id"]) && !is_blank(&answer["model"]), "no id or model");
    rule!(answer["created"].is_u64(), "no created");
    // The member is optional in the reference: an upstream that told none is not spoken for.
    if !answer["usage"].is_null() {
        usage(&answer["usage"])?;
    }
    let [choice] = list(&answer["choices"]) else { return Err("not one choice".to_owned()) };
    let message = &choice["message"];
    rule!(choice["index"] == 0 && message["role"] == "assistant", "not a choice");
    for name in ["content", "refusal"] {
        let member = message.get(name);
        rule!(member.is_some_and(|one| one.is_null() || one.is_string()), "{name} is no text");
    }
    let calls = list(&message["tool_calls"]);
    rule!(message["tool_calls"].is_null() || !calls.is_empty(), "an empty list of calls");
    let mut ids = BTreeSet::new();
    for call in calls {
        ids.insert(self::call(call)?);
    }
    rule!(ids.len() == calls.len(), "an id twice");
    let reason = text(&choice["finish_reason"]);
    rule!(STOPS.contains(&reason), "no such finish_reason: {reason}");
    rule!((reason != "tool_calls") || !calls.is_empty(), "tool_calls without a call");
    rule!((reason != "stop") || calls.is_empty(), "stop with a call");
    Ok(())
}

fn usage(usage: &Value) -> Result<(), String> {
    rule!(are_counts(usage, &COUNTS), "no usage: {usage}");
    let [prompt, answer, total] = COUNTS.map(|name| usage[name].as_u64().unwrap_or(0));
    rule!(prompt.saturating_add(answer) == total, "{prompt} and {answer} are not {total}");
    let cached = usage["prompt_tokens_details"]["cached_tokens"].as_u64().unwrap_or(0);
    rule!(cached <= prompt, "{cached} cached of {prompt}");
    Ok(())
}

fn error(chunk: &Value) -> Result<(), String> {
    let error = &chunk["error"];
    rule!(!is_blank(&error["message"]) && !is_blank(&error["type"]), "an error without words");
    Ok(())
}

/// A whole call; its id.
fn call(call: &Value) -> Result<&str, String> {
    rule!(!is_blank(&call["id"]), "a call without an id");
    match text(&call["type"]) {
        "function" => {
            rule!(!is_blank(&call["function"]["name"]), "a call of nothing");
            rule!(!is_blank(&call["function"]["arguments"]), "no arguments");
        }
        "custom" => {
            rule!(!is_blank(&call["custom"]["name"]), "a call of nothing");
            rule!(call["custom"]["input"].is_string(), "no input");
        }
        other => return Err(format!("a call of type {other}")),
    }
    Ok(text(&call["id"]))
}

pub(crate) fn request(request: &Value) -> Result<(), String> {
    for tool in list(&request["tools"]) {
        let kind = text(&tool["type"]);
        rule!(!is_blank(&tool[kind]["name"]), "a tool without a name: {tool}");
    }
    let named = |name: &str| request[name].is_null();
    rule!(named("tool_choice") || !list(&request["tools"]).is_empty(), "tool_choice without tools");
    rule!(request["stream"] == true || named("stream_options"), "stream_options without a stream");
    rule!(!list(&request["messages"]).is_empty(), "no messages");
    messages(list(&request["messages"]))
}

/// Each call is answered right behind its message, and no answer stands anywhere else.
fn messages(messages: &[Value]) -> Result<(), String> {
    let mut open: BTreeSet<&str> = BTreeSet::new();
    for (index, message) in messages.iter().enumerate() {
        let told = |why: String| format!("message {index}: {why}");
        let role = text(&message["role"]);
        if role == "tool" {
            let id = text(&message["tool_call_id"]);
            rule!(open.remove(id), "message {index} answers no call: {id}");
            rule!(is_content(&message["content"], &["text"]), "message {index} has no content");
            continue;
        }
        rule!(open.is_empty(), "message {index} stands before the answers of {open:?}");
        match role {
            "system" | "developer" => {
                rule!(is_content(&message["content"], &["text"]), "message {index}: no content");
            }
            "user" => {
                let kinds = ["text", "image_url", "input_audio", "file"];
                rule!(is_content(&message["content"], &kinds), "message {index}: no content");
            }
            "assistant" => open = assistant(message).map_err(told)?,
            other => return Err(told(format!("the role {other}"))),
        }
    }
    // A history may end with calls: whoever sent it knows why.
    Ok(())
}

fn assistant(message: &Value) -> Result<BTreeSet<&str>, String> {
    let calls = list(&message["tool_calls"]);
    let content = &message["content"];
    rule!(content.is_null() || is_content(content, &["text", "refusal"]), "{content}");
    rule!(message["tool_calls"].is_null() || !calls.is_empty(), "an empty list of calls");
    let says = !content.is_null() || !message["refusal"].is_null() || !calls.is_empty();
    rule!(says, "says nothing");
    let mut ids = BTreeSet::new();
    for one in calls {
        arguments(text(&one["function"]["arguments"]))?;
        rule!(ids.insert(call(one)?), "an id twice");
    }
    Ok(ids)
}

/// A text, or parts of these kinds.
fn is_content(content: &Value, kinds: &[&str]) -> bool {
    let fits = |part: &Value| kinds.contains(&text(&part["type"]));
    content.is_string() || !list(content).is_empty() && list(content).iter().all(fits)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn chunk(delta: &Value, finish: &Value) -> String {
        let chunk = json!({
            "id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m",
            "choices": [{ "index": 0, "delta": delta, "finish_reason": finish }],
        });
        format!("data: {chunk}\n\n")
    }

    fn last(name: &str) -> String {
        match name {
            "usage" => {
                let usage = json!({
                    "prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3,
                });
                let chunk = json!({
                    "id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m",
                    "choices": [], "usage": usage,
                });
                format!("data: {chunk}\n\n")
            }
            _ => "data: [DONE]\n\n".to_owned(),
        }
    }

    #[test]
    fn a_right_stream_passes_and_wrong_ones_do_not() {
        let call = json!({
            "index": 0, "id": "i", "type": "function",
            "function": { "name": "f", "arguments": "" },
        });
        let more = json!({ "index": 0, "function": { "arguments": "{}" } });
        let right = [
            chunk(&json!({ "role": "assistant", "content": "" }), &Value::Null),
            chunk(&json!({ "tool_calls": [call] }), &Value::Null),
            chunk(&json!({ "tool_calls": [more] }), &Value::Null),
            chunk(&json!({}), &json!("tool_calls")),
            last("usage"),
            last("done"),
        ];
        let check =
            |events: &[String], usage| stream(events.concat().as_bytes(), Ending::Whole, usage);
        check(&right, Usage::Asked).unwrap();
        assert!(check(&right, Usage::NotAsked).is_err());
        for missing in [0, 1, 3, 5] {
            let mut events = right.to_vec();
            events.remove(missing);
            assert!(check(&events, Usage::Asked).is_err(), "without {missing}");
        }
        for twice in [0, 1, 3, 4, 5] {
            let mut events = right.to_vec();
            events.insert(twice, right[twice].clone());
            assert!(check(&events, Usage::Asked).is_err(), "{twice} twice");
        }
    }

    #[test]
    fn answers_stand_behind_their_calls() {
        let user = json!({ "role": "user", "content": "x" });
        let call = json!({
            "id": "a", "type": "function", "function": { "name": "f", "arguments": "{}" },
        });
        let calls = json!({ "role": "assistant", "content": null, "tool_calls": [call] });
        let tool = json!({ "role": "tool", "tool_call_id": "a", "content": "x" });
        messages(&[user.clone(), calls.clone(), tool.clone(), user.clone()]).unwrap();
        for bad in [
            vec![user.clone(), calls.clone(), user.clone(), tool.clone()],
            vec![user, tool],
            vec![json!({ "role": "assistant", "content": null })],
        ] {
            assert!(messages(&bad).is_err(), "{bad:?}");
        }
    }
}
