//! The events of a stream, written.
//!
//! Tool calls are numbered from 0 in the order in which they begin. A custom tool's text stands
//! inside the arguments that the upstream gives piece by piece, so it goes out when they are whole.

use serde::Serialize;
use serde_json::json;

use super::super::answer::{Event, Failed, Spent, Stop};
use super::super::conversation::Thought;
use super::super::{Asked, Occasion};
use super::usage::{self, WrittenUsage};
use super::{answer_out, custom, finish};

/// Writes the events of a stream.
#[derive(Debug)]
pub(in crate::llm::translate) struct EventWriter {
    asked: Asked,
    occasion: Occasion,
    id: String,
    model: String,
    usage: Spent,
    calls: Vec<Call>,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Flowing,
    /// The reason is told.
    Stopped,
    Over,
}

/// A call that has begun; its index is its place.
#[derive(Debug)]
struct Call {
    slot: u32,
    arguments: Arguments,
}

#[derive(Debug)]
enum Arguments {
    /// None came yet.
    Awaited,
    /// They go on as they come.
    Flowing,
    /// They are collected.
    Held(String),
    Ended,
}

#[derive(Serialize)]
struct Chunk<'a> {
    id: &'a str,
    object: &'static str,
    created: u64,
    model: &'a str,
    choices: &'a [Choice<'a>],
    #[serde(skip_serializing_if = "Usage::is_untold")]
    usage: Usage,
}

#[derive(Serialize)]
struct Choice<'a> {
    index: u32,
    delta: Delta<'a>,
    logprobs: Option<()>,
    finish_reason: Option<&'static str>,
}

/// The usage of a chunk: all but the last say null, if it is wanted.
#[derive(Serialize)]
#[serde(untagged)]
enum Usage {
    Untold,
    Later,
    Now(WrittenUsage),
}

#[derive(Default, Serialize)]
struct Delta<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning_content: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refusal: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_calls: Option<[CallDelta<'a>; 1]>,
}

#[derive(Default, Serialize)]
struct CallDelta<'a> {
    index: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    r#type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    function: Option<FunctionDelta<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    custom: Option<CustomDelta<'a>>,
}

#[derive(Default, Serialize)]
struct FunctionDelta<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    arguments: &'a str,
}

#[derive(Default, Serialize)]
struct CustomDelta<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    input: &'a str,
}

// === impl EventWriter ===

impl EventWriter {
    pub(in crate::llm::translate) fn new(asked: Asked, occasion: Occasion) -> Self {
        Self {
            id: answer_out::id(None, &occasion),
            model: asked.model.clone(),
            asked,
            occasion,
            usage: Spent::default(),
            calls: Vec::new(),
            state: State::Flowing,
        }
    }

    /// Writes what an event is to this client; nothing follows the last one.
    pub(in crate::llm::translate) fn write(&mut self, event: Event, out: &mut Vec<u8>) {
        if self.state == State::Over {
            return;
        }
        match event {
            Event::Start { id, model, usage } => self.start(id, model, usage, out),
            Event::Text(text) => self.say(Delta { content: Some(&text), ..Delta::default() }, out),
            Event::Thinking(text) => {
                self.say(Delta { reasoning_content: Some(&text), ..Delta::default() }, out);
            }
            Event::Thought(Thought::Plain(text) | Thought::Signed { text, .. }) => {
                self.say(Delta { reasoning_content: Some(&text), ..Delta::default() }, out);
            }
            Event::Refusal(text) => {
                self.say(Delta { refusal: Some(&text), ..Delta::default() }, out);
            }
            Event::ToolStart { slot, id, name } => self.begin_call(slot, &id, &name, out),
            Event::ToolArguments { slot, more } => self.arguments(slot, &more, out),
            Event::ToolEnd { slot } => {
                if let Some(index) = self.index(slot) {
                    self.end_call(index, out);
                }
            }
            // A comment keeps the connection alive and is no event.
            Event::Ping => out.extend_from_slice(b": ping\n\n"),
            Event::Usage(usage) => self.usage = usage,
            Event::Stop(stop) => self.stop(&stop, out),
            Event::End => self.end(out),
            Event::Failed(failed) => self.fail(&failed, out),
            // Proofs are of use to their own provider only.
            Event::Signature(_) | Event::Thought(Thought::Redacted(_) | Thought::Item(_)) => {}
        }
    }

    fn start(
        &mut self,
        id: Option<String>,
        model: Option<String>,
        usage: Spent,
        out: &mut Vec<u8>,
    ) {
        self.id = answer_out::id(id.as_deref(), &self.occasion);
        self.model = model.unwrap_or_else(|| self.asked.model.clone());
        self.usage = usage;
        self.say(Delta { role: Some("assistant"), content: Some(""), ..Delta::default() }, out);
    }

    fn begin_call(&mut self, slot: u32, id: &str, name: &str, out: &mut Vec<u8>) {
        let is_custom = self.asked.custom_tools.iter().any(|tool| tool == name);
        let arguments = if is_custom { Arguments::Held(String::new()) } else { Arguments::Awaited };
        let mut delta = CallDelta { index: self.calls.len(), id: Some(id), ..CallDelta::default() };
        if is_custom {
            delta.r#type = Some("custom");
            delta.custom = Some(CustomDelta { name: Some(name), input: "" });
        } else {
            delta.r#type = Some("function");
            delta.function = Some(FunctionDelta { name: Some(name), arguments: "" });
        }
        self.calls.push(Call { slot, arguments });
        self.call(delta, out);
    }

    fn arguments(&mut self, slot: u32, more: &str, out: &mut Vec<u8>) {
        let Some(index) = self.index(slot) else {
            return;
        };
        let Some(call) = self.calls.get_mut(index) else {
            return;
        };
        match &mut call.arguments {
            Arguments::Held(held) => held.push_str(more),
            Arguments::Ended => {}
            Arguments::Awaited if more.is_empty() => {}
            flowing @ (Arguments::Awaited | Arguments::Flowing) => {
                *flowing = Arguments::Flowing;
                self.call(function(index, more), out);
            }
        }
    }

    /// It is one of the last, as a rule.
    fn index(&self, slot: u32) -> Option<usize> {
        self.calls.iter().rposition(|call| call.slot == slot)
    }

    /// Arguments that never came are an empty object.
    fn end_call(&mut self, index: usize, out: &mut Vec<u8>) {
        let Some(call) = self.calls.get_mut(index) else {
            return;
        };
        match std::mem::replace(&mut call.arguments, Arguments::Ended) {
            Arguments::Awaited => self.call(function(index, "{}"), out),
            Arguments::Held(held) => {
                let input = custom::input(&held);
                let custom = Some(CustomDelta { name: None, input: &input });
                self.call(CallDelta { index, custom, ..CallDelta::default() }, out);
            }
            Arguments::Flowing | Arguments::Ended => {}
        }
    }

    fn stop(&mut self, stop: &Stop, out: &mut Vec<u8>) {
        if self.state == State::Stopped {
            return;
        }
        for index in 0..self.calls.len() {
            self.end_call(index, out);
        }
        self.chunk(Delta::default(), Some(finish::write(stop)), out);
        self.state = State::Stopped;
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        self.stop(&Stop::EndTurn, out);
        if let Some(usage) = usage::write(&self.usage).filter(|_| self.asked.include_usage) {
            self.put(&[], Usage::Now(usage), out);
        }
        out.extend_from_slice(b"data: [DONE]\n\n");
        self.state = State::Over;
    }

    fn fail(&mut self, failed: &Failed, out: &mut Vec<u8>) {
        let kind = failed.kind.as_deref().unwrap_or("server_error");
        let error = json!({
            "error": { "message": failed.message, "type": kind, "param": null, "code": null },
        });
        event(&error, out);
        self.state = State::Over;
    }

    fn call(&self, delta: CallDelta<'_>, out: &mut Vec<u8>) {
        self.say(Delta { tool_calls: Some([delta]), ..Delta::default() }, out);
    }

    fn say(&self, delta: Delta<'_>, out: &mut Vec<u8>) {
        self.chunk(delta, None, out);
    }

    fn chunk(&self, delta: Delta<'_>, finish_reason: Option<&'static str>, out: &mut Vec<u8>) {
        let usage = if self.asked.include_usage { Usage::Later } else { Usage::Untold };
        self.put(&[Choice { index: 0, delta, logprobs: None, finish_reason }], usage, out);
    }

    fn put(&self, choices: &[Choice<'_>], usage: Usage, out: &mut Vec<u8>) {
        let chunk = Chunk {
            id: &self.id,
            object: "chat.completion.chunk",
            created: self.occasion.created,
            model: &self.model,
            choices,
            usage,
        };
        event(&chunk, out);
    }
}

// === impl Usage ===

impl Usage {
    const fn is_untold(&self) -> bool {
        matches!(self, Self::Untold)
    }
}

// === private parts ===

fn function(index: usize, arguments: &str) -> CallDelta<'_> {
    let function = Some(FunctionDelta { name: None, arguments });
    CallDelta { index, function, ..CallDelta::default() }
}

fn event(data: &impl Serialize, out: &mut Vec<u8>) {
    out.extend_from_slice(b"data: ");
    // Strings and numbers: nothing in it can fail to be written, and a vector takes all of it.
    let _written = serde_json::to_writer(&mut *out, data);
    out.extend_from_slice(b"\n\n");
}
