//! Writes the events of a stream.
//!
//! One message or thought is open at a time, and ends when something else begins; calls may be open
//! beside it and beside one another, told apart by `output_index`. The items are kept, because the
//! last event repeats them whole.

use serde_json::{Value, json};

use super::calls_out::Calls;
use super::envelope;
use super::output::{Body, Content, Output, Status, Voice, summary};
use super::response::{Ending, Head};
use super::sse::{Place, Sink};
use crate::llm::translate::answer::{Event, Failed, Spent, Stop};
use crate::llm::translate::conversation::Thought;
use crate::llm::translate::{Asked, Occasion};

/// Writes the events of a stream.
#[derive(Debug)]
pub(in crate::llm::translate) struct EventWriter {
    occasion: Occasion,
    asked: Asked,
    state: State,
    sink: Sink,
    output: Output,
    /// The message or thought that is open.
    open: Option<usize>,
    calls: Calls,
    usage: Spent,
    stop: Stop,
}

#[derive(Debug)]
enum State {
    Before,
    Open(Head),
    Over,
}

// === impl EventWriter ===

impl EventWriter {
    pub(in crate::llm::translate) fn new(asked: Asked, occasion: Occasion) -> Self {
        Self {
            output: Output::new(&occasion.id, &asked),
            occasion,
            asked,
            state: State::Before,
            sink: Sink::default(),
            open: None,
            calls: Calls::default(),
            usage: Spent::default(),
            stop: Stop::EndTurn,
        }
    }

    pub(in crate::llm::translate) fn write(&mut self, event: Event, out: &mut Vec<u8>) {
        match (&self.state, event) {
            (State::Over, _) => {}
            (_, Event::Ping) => out.extend_from_slice(b": ping\n\n"),
            (State::Before, Event::Start { id, model, usage }) => {
                self.usage = usage;
                self.start((id.as_deref(), model.as_deref()), out);
            }
            (State::Before, event) => {
                self.start((None, None), out);
                self.event(event, out);
            }
            (State::Open(_), event) => self.event(event, out),
        }
    }

    fn start(&mut self, names: (Option<&str>, Option<&str>), out: &mut Vec<u8>) {
        let asked = std::mem::take(&mut self.asked);
        let head = Head::new(names, None, asked, &self.occasion);
        let response = head.write(&self.output, &Ending::InProgress, &Spent::default(), None);
        self.sink.response("created", &response, out);
        self.sink.response("in_progress", &response, out);
        self.state = State::Open(head);
    }

    fn event(&mut self, event: Event, out: &mut Vec<u8>) {
        match event {
            Event::Text(more) => self.say(Voice::Text, &more, out),
            Event::Refusal(more) => self.say(Voice::Refusal, &more, out),
            Event::Thinking(more) => self.think(&more, out),
            Event::Signature(signature) => self.sign(&signature, out),
            Event::Thought(thought) => self.thought(&thought, out),
            Event::ToolStart { slot, id, name } => {
                self.close(Status::Completed, out);
                let body = self.output.call(id, name);
                self.calls.start(slot, body, &mut self.output, (&mut self.sink, out));
            }
            Event::ToolArguments { slot, more } => {
                self.calls.more(slot, &more, &mut self.output, (&mut self.sink, out));
            }
            Event::ToolEnd { slot } => {
                // Codex takes the end of any item for the end of the message that is open.
                self.close(Status::Completed, out);
                self.calls.end(slot, Status::Completed, &mut self.output, (&mut self.sink, out));
            }
            Event::Usage(usage) => self.usage = usage,
            Event::Stop(stop) => self.stop = stop,
            Event::End => self.end(out),
            Event::Failed(failed) => self.fail(&failed, out),
            Event::Start { .. } | Event::Ping => {}
        }
    }

    fn say(&mut self, voice: Voice, more: &str, out: &mut Vec<u8>) {
        if more.is_empty() {
            return;
        }
        let index = match self.opened(|body| matches!(body, Body::Message(_))) {
            Some(index) => index,
            None => self.begin(Body::Message(Vec::new()), out),
        };
        self.part(index, voice, out);
        let Some(item) = self.output.items.get_mut(index) else { return };
        let Body::Message(content) = &mut item.body else { return };
        let part = content.len().saturating_sub(1);
        if let Some(last) = content.last_mut() {
            last.text.push_str(more);
        }
        let place = Place::content(&item.id, index, part);
        match voice {
            Voice::Text => self.sink.text_delta(place, more, out),
            Voice::Refusal => self.sink.delta("refusal", place, more, out),
        }
    }

    /// Begins a part of a message, unless the last one has this voice.
    fn part(&mut self, index: usize, voice: Voice, out: &mut Vec<u8>) {
        let Some(item) = self.output.items.get_mut(index) else { return };
        let Body::Message(content) = &mut item.body else { return };
        if content.last().is_some_and(|last| last.voice == voice) {
            return;
        }
        if let Some(last) = content.last() {
            let place = Place::content(&item.id, index, content.len() - 1);
            part_done(&mut self.sink, place, last, out);
        }
        let part = Content { voice, text: String::new() };
        let place = Place::content(&item.id, index, content.len());
        self.sink.event("content_part.added", Some(place), &[("part", part.json())], out);
        content.push(part);
    }

    fn think(&mut self, more: &str, out: &mut Vec<u8>) {
        if more.is_empty() {
            return;
        }
        let index = match self.opened(|body| matches!(body, Body::Reasoning { .. })) {
            Some(index) => index,
            None => self.begin(Body::Reasoning { text: String::new(), encrypted: None }, out),
        };
        let Some(item) = self.output.items.get_mut(index) else { return };
        let Body::Reasoning { text, .. } = &mut item.body else { return };
        let place = Place::summary(&item.id, index);
        if text.is_empty() {
            let part = ("part", json!({ "type": "summary_text", "text": "" }));
            self.sink.event("reasoning_summary_part.added", Some(place), &[part], out);
        }
        text.push_str(more);
        self.sink.delta("reasoning_summary_text", place, more, out);
    }

    /// Ends the thought; one of which nothing was shown has a proof all the same.
    fn sign(&mut self, signature: &str, out: &mut Vec<u8>) {
        if signature.is_empty() {
            return;
        }
        let index = match self.opened(|body| matches!(body, Body::Reasoning { .. })) {
            Some(index) => index,
            None => self.begin(Body::Reasoning { text: String::new(), encrypted: None }, out),
        };
        let body = self.output.items.get_mut(index).map(|item| &mut item.body);
        if let Some(Body::Reasoning { text, encrypted }) = body {
            *encrypted = Some(envelope::signed(text, signature));
        }
        self.close(Status::Completed, out);
    }

    fn thought(&mut self, thought: &Thought, out: &mut Vec<u8>) {
        let Some(Body::Reasoning { text, encrypted }) = Body::of_thought(thought) else { return };
        self.close(Status::Completed, out);
        self.think(&text, out);
        let index = match self.open {
            Some(index) => index,
            None => self.begin(Body::Reasoning { text, encrypted: None }, out),
        };
        let body = self.output.items.get_mut(index).map(|item| &mut item.body);
        if let Some(Body::Reasoning { encrypted: proof, .. }) = body {
            *proof = encrypted;
        }
        self.close(Status::Completed, out);
    }

    /// The open item, if it is such a one.
    fn opened(&self, is_such: impl Fn(&Body) -> bool) -> Option<usize> {
        let index = self.open?;
        self.output.items.get(index).filter(|item| is_such(&item.body)).map(|_| index)
    }

    fn begin(&mut self, body: Body, out: &mut Vec<u8>) -> usize {
        self.close(Status::Completed, out);
        let index = self.output.add(body);
        self.open = Some(index);
        self.sink.item("output_item.added", &self.output, index, out);
        index
    }

    /// Ends the open item.
    fn close(&mut self, status: Status, out: &mut Vec<u8>) {
        let Some(index) = self.open.take() else { return };
        let Some(item) = self.output.items.get_mut(index) else { return };
        item.status = status;
        match &item.body {
            Body::Message(content) => {
                if let Some(last) = content.last() {
                    let place = Place::content(&item.id, index, content.len() - 1);
                    part_done(&mut self.sink, place, last, out);
                }
            }
            Body::Reasoning { text, .. } => {
                let place = Place::summary(&item.id, index);
                summary_done(&mut self.sink, place, text, out);
            }
            Body::Call { .. } => {}
        }
        self.sink.item("output_item.done", &self.output, index, out);
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        let stop = std::mem::take(&mut self.stop);
        let ending = Ending::Stopped(&stop);
        let cut = ending.status() == "incomplete";
        self.settle(if cut { Status::Incomplete } else { Status::Completed }, out);
        self.last(&ending, out);
    }

    fn fail(&mut self, failed: &Failed, out: &mut Vec<u8>) {
        self.output
            .items
            .iter_mut()
            .filter(|item| item.status == Status::InProgress)
            .for_each(|item| item.status = Status::Incomplete);
        let code = code(failed.kind.as_deref().unwrap_or_default());
        self.last(&Ending::Failed { code, message: &failed.message }, out);
    }

    /// Ends every item that is open, in their order.
    fn settle(&mut self, status: Status, out: &mut Vec<u8>) {
        self.calls.end_all(status, &mut self.output, (&mut self.sink, out));
        self.close(status, out);
    }

    fn last(&mut self, ending: &Ending<'_>, out: &mut Vec<u8>) {
        if let State::Open(head) = std::mem::replace(&mut self.state, State::Over) {
            let response = head.write(&self.output, ending, &self.usage, None);
            self.sink.response(ending.status(), &response, out);
        }
        self.output.items.clear();
    }
}

fn part_done(sink: &mut Sink, place: Place<'_>, part: &Content, out: &mut Vec<u8>) {
    let text = Value::from(part.text.as_str());
    match part.voice {
        Voice::Text => {
            let members = [("text", text), ("logprobs", json!([]))];
            sink.event("output_text.done", Some(place), &members, out);
        }
        Voice::Refusal => sink.event("refusal.done", Some(place), &[("refusal", text)], out),
    }
    sink.event("content_part.done", Some(place), &[("part", part.json())], out);
}

fn summary_done(sink: &mut Sink, place: Place<'_>, text: &str, out: &mut Vec<u8>) {
    if let Some(part) = summary(text).get_mut(0).map(Value::take) {
        let whole = ("text", Value::from(text));
        sink.event("reasoning_summary_text.done", Some(place), &[whole], out);
        sink.event("reasoning_summary_part.done", Some(place), &[("part", part)], out);
    }
}

/// The words that clients of this API know; they retry, compact or give up by them.
fn code(kind: &str) -> &str {
    match kind {
        "overloaded_error" | "service_unavailable_error" => "server_is_overloaded",
        "rate_limit_error" => "rate_limit_exceeded",
        "invalid_request_error" => "invalid_prompt",
        "" | "api_error" | "timeout_error" => "server_error",
        kind => kind,
    }
}
