//! The events of a stream, written: one message whose blocks come one after the other.
//!
//! Other dialects let calls interleave, this one's clients do not. What comes while the arguments
//! of a call are incomplete waits until they are: until their object is closed, the upstream says
//! so, or the answer ends. All else is handed on at once.

use std::collections::VecDeque;

use serde_json::json;

use super::answer::message_id;
use super::held::{Call, Open, Tool, Waiting};
use super::sse_out::{BlockStart, Data, Delta, Ending, Nothing, Told};
use super::usage::{self, Contents};
use crate::llm::translate::answer::{Event, Spent, Stop};
use crate::llm::translate::conversation::Thought;
use crate::llm::translate::{Asked, Occasion};

/// Writes the events of a stream.
#[derive(Debug)]
pub(in crate::llm::translate) struct EventWriter {
    asked: Asked,
    occasion: Occasion,
    state: State,
    /// The block that the client is in.
    open: Option<Open>,
    /// The index of the next block.
    next: u32,
    waiting: VecDeque<Waiting>,
    has: Contents,
    stop: Stop,
    spent: Spent,
}

#[derive(Debug, PartialEq, Eq)]
enum State {
    Waiting,
    Started,
    Ended,
}

// === impl EventWriter ===

impl EventWriter {
    pub(in crate::llm::translate) fn new(asked: Asked, occasion: Occasion) -> Self {
        Self {
            asked,
            occasion,
            state: State::Waiting,
            open: None,
            next: 0,
            waiting: VecDeque::new(),
            has: Contents::default(),
            stop: Stop::default(),
            spent: Spent::default(),
        }
    }

    /// Writes what happens.
    pub(in crate::llm::translate) fn write(&mut self, event: Event, out: &mut Vec<u8>) {
        match (&self.state, event) {
            (State::Ended, _) | (State::Waiting, Event::Ping) => {}
            (State::Waiting, Event::Start { id, model, usage }) => {
                self.spent = usage;
                self.start(id.as_deref(), model.as_deref(), out);
            }
            (_, Event::Failed(failed)) => {
                self.state = State::Ended;
                let kind = failed.kind.as_deref().map_or("api_error", error_type);
                Data::Error { error: Told { kind, message: &failed.message } }.write(out);
            }
            (State::Waiting, event) => {
                self.start(None, None, out);
                self.take(event, out);
            }
            (State::Started, event) => self.take(event, out),
        }
    }

    fn start(&mut self, id: Option<&str>, model: Option<&str>, out: &mut Vec<u8>) {
        self.state = State::Started;
        let message = json!({
            "id": message_id(id, &self.occasion),
            "type": "message",
            "role": "assistant",
            "model": model.unwrap_or(&self.asked.model),
            "content": [],
            "stop_reason": null,
            "stop_sequence": null,
            "usage": usage::usage(&self.spent),
        });
        Data::MessageStart { message }.write(out);
    }

    fn take(&mut self, event: Event, out: &mut Vec<u8>) {
        match event {
            Event::Start { .. } | Event::Failed(_) => {}
            Event::Ping => Data::Ping.write(out),
            Event::Usage(spent) => self.spent = spent,
            Event::Stop(stop) => self.stop = stop,
            Event::Text(more) => self.text(more, out),
            Event::Refusal(more) => {
                self.has.refusal = true;
                self.text(more, out);
            }
            Event::Thinking(more) => self.thinking(more, out),
            Event::Signature(signature) => self.signature(signature, out),
            Event::Thought(thought) => self.thought(thought, out),
            Event::ToolStart { slot, id, name } => {
                self.has.tools = true;
                let call = Call { slot, id, name, arguments: String::new(), ended: false };
                self.add(Waiting::Tool(call), out);
            }
            Event::ToolArguments { slot, more } => self.arguments(slot, &more, out),
            Event::ToolEnd { slot } => self.tool_end(slot, out),
            Event::End => self.end(out),
        }
    }

    fn text(&mut self, more: String, out: &mut Vec<u8>) {
        if more.is_empty() {
            return;
        }
        match (&mut self.open, self.waiting.back_mut()) {
            (_, Some(Waiting::Text(text))) => text.push_str(&more),
            (Some(Open::Text), None) => self.delta(Delta::Text { text: &more }, out),
            _ => self.add(Waiting::Text(more), out),
        }
    }

    fn thinking(&mut self, more: String, out: &mut Vec<u8>) {
        if more.is_empty() {
            return;
        }
        match (&mut self.open, self.waiting.back_mut()) {
            (_, Some(Waiting::Thinking { text, signature })) if signature.is_empty() => {
                text.push_str(&more);
            }
            (Some(Open::Thinking), None) => self.delta(Delta::Thinking { thinking: &more }, out),
            _ => self.add(Waiting::Thinking { text: more, signature: String::new() }, out),
        }
    }

    /// Ends the thought that it proves; without one it is a thought that is not shown.
    fn signature(&mut self, proof: String, out: &mut Vec<u8>) {
        match (&mut self.open, self.waiting.back_mut()) {
            (_, Some(Waiting::Thinking { signature, .. })) if signature.is_empty() => {
                *signature = proof;
            }
            (Some(Open::Thinking), None) => {
                self.delta(Delta::Signature { signature: &proof }, out);
                self.close(out);
            }
            _ => self.add(Waiting::Thinking { text: String::new(), signature: proof }, out),
        }
    }

    fn thought(&mut self, thought: Thought, out: &mut Vec<u8>) {
        match thought {
            Thought::Plain(text) => self.thinking(text, out),
            Thought::Signed { text, signature } => {
                self.add(Waiting::Thinking { text, signature }, out);
            }
            Thought::Redacted(data) => self.add(Waiting::Redacted(data), out),
            // Only a responses API can read it.
            Thought::Item(_) => {}
        }
    }

    fn arguments(&mut self, slot: u32, more: &str, out: &mut Vec<u8>) {
        if let Some(Open::Tool(tool)) = &mut self.open
            && tool.slot == slot
        {
            if let Some(partial_json) = tool.read(more) {
                self.delta(Delta::InputJson { partial_json }, out);
            }
            self.advance(out);
        } else if let Some(call) = self.waiting_call(slot) {
            call.arguments.push_str(more);
        }
    }

    fn tool_end(&mut self, slot: u32, out: &mut Vec<u8>) {
        if let Some(Open::Tool(tool)) = &mut self.open
            && tool.slot == slot
        {
            self.close(out);
            self.advance(out);
        } else if let Some(call) = self.waiting_call(slot) {
            call.ended = true;
        }
    }

    fn waiting_call(&mut self, slot: u32) -> Option<&mut Call> {
        self.waiting.iter_mut().find_map(|waiting| match waiting {
            Waiting::Tool(call) if call.slot == slot => Some(call),
            Waiting::Text(_)
            | Waiting::Thinking { .. }
            | Waiting::Redacted(_)
            | Waiting::Tool(_) => None,
        })
    }

    fn add(&mut self, block: Waiting, out: &mut Vec<u8>) {
        self.waiting.push_back(block);
        self.advance(out);
    }

    /// Writes what has waited, up to a call whose arguments are incomplete.
    fn advance(&mut self, out: &mut Vec<u8>) {
        while !self.open.as_ref().is_some_and(Open::is_incomplete) {
            let Some(block) = self.waiting.pop_front() else { return };
            self.close(out);
            self.begin(block, out);
        }
    }

    /// Begins a block, with what it has already.
    fn begin(&mut self, block: Waiting, out: &mut Vec<u8>) {
        match block {
            Waiting::Text(text) => {
                self.open(Open::Text, BlockStart::Text { text: "" }, out);
                self.delta(Delta::Text { text: &text }, out);
            }
            Waiting::Thinking { text, signature } => {
                let block = BlockStart::Thinking { thinking: "", signature: "" };
                self.open(Open::Thinking, block, out);
                if !text.is_empty() {
                    self.delta(Delta::Thinking { thinking: &text }, out);
                }
                if !signature.is_empty() {
                    self.delta(Delta::Signature { signature: &signature }, out);
                    self.close(out);
                }
            }
            Waiting::Redacted(data) => {
                self.open(Open::Whole, BlockStart::RedactedThinking { data: &data }, out);
            }
            Waiting::Tool(call) => self.begin_call(&call, out),
        }
    }

    fn begin_call(&mut self, call: &Call, out: &mut Vec<u8>) {
        let Call { slot, id, name, arguments, ended } = call;
        let mut tool = Tool::new(*slot);
        let delta = tool.read(arguments);
        self.open(Open::Tool(tool), BlockStart::ToolUse { id, name, input: Nothing {} }, out);
        if let Some(partial_json) = delta {
            self.delta(Delta::InputJson { partial_json }, out);
        }
        if *ended {
            self.close(out);
        }
    }

    fn open(&mut self, open: Open, content_block: BlockStart<'_>, out: &mut Vec<u8>) {
        self.open = Some(open);
        Data::ContentBlockStart { index: self.next, content_block }.write(out);
    }

    fn delta(&self, delta: Delta<'_>, out: &mut Vec<u8>) {
        delta.write(self.next, out);
    }

    /// Ends the block that the client is in.
    fn close(&mut self, out: &mut Vec<u8>) {
        let Some(open) = self.open.take() else { return };
        if let Open::Tool(tool) = open
            && let Some(partial_json) = tool.rest()
        {
            self.delta(Delta::InputJson { partial_json: &partial_json }, out);
        }
        Data::ContentBlockStop { index: self.next }.write(out);
        self.next = self.next.saturating_add(1);
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        self.close(out);
        while let Some(block) = self.waiting.pop_front() {
            self.begin(block, out);
            self.close(out);
        }
        let (stop_reason, stop_sequence) = usage::stop_words(&self.stop, self.has);
        let delta = Ending { stop_reason, stop_sequence };
        Data::MessageDelta { delta, usage: usage::usage(&self.spent) }.write(out);
        Data::MessageStop.write(out);
        self.state = State::Ended;
    }
}

/// Clients retry by the word.
fn error_type(theirs: &str) -> &'static str {
    match theirs {
        "invalid_request_error" | "invalid_prompt" | "context_length_exceeded" => {
            "invalid_request_error"
        }
        "authentication_error" | "invalid_api_key" => "authentication_error",
        "billing_error" => "billing_error",
        "permission_error" => "permission_error",
        "not_found_error" | "model_not_found" => "not_found_error",
        "request_too_large" => "request_too_large",
        "rate_limit_error" | "rate_limit_exceeded" | "insufficient_quota" => "rate_limit_error",
        "timeout_error" => "timeout_error",
        "overloaded_error" | "server_is_overloaded" | "service_unavailable_error" | "slow_down" => {
            "overloaded_error"
        }
        _ => "api_error",
    }
}
