//! The events of a stream, read.
//!
//! Why an answer ended is told when the upstream has ended it: with `[DONE]`, or, where that never
//! comes, with the body. So the usage may come before, with or after the last words, once, twice or
//! never, and a call's id even later. A body that ends without either is no whole answer, and no
//! end is told.

use std::borrow::Cow;

use super::super::Unreadable;
use super::super::answer::{AnswerPart, Event, Failed, Spent, Stop};
use super::super::conversation::Thought;
use super::super::document::{Marks, Node};
use super::calls_in::{Calls, Delta};
use super::finish::{self, Ending};
use super::told::{Told, text};
use super::{answer_in, pieces, usage};

/// Reads the events of a stream.
#[derive(Debug, Default)]
pub(in crate::llm::translate) struct EventReader {
    state: State,
    id: Option<String>,
    calls: Calls,
    usage: Spent,
    stop: Option<Stop>,
    marks: Marks,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    #[default]
    Waiting,
    Begun,
    Over,
}

// === impl EventReader ===

impl EventReader {
    /// Reads the data of one event.
    ///
    /// # Errors
    /// [`Unreadable`]: no JSON, nothing of this dialect, or an end without a beginning.
    pub(in crate::llm::translate) fn read(
        &mut self,
        data: &[u8],
        out: &mut Vec<Event>,
    ) -> Result<(), Unreadable> {
        if self.state == State::Over {
            return Ok(());
        }
        if data.trim_ascii() == b"[DONE]" {
            return self.done(out);
        }
        let mut marks = std::mem::take(&mut self.marks);
        let read = match marks.read_unicode(data) {
            Ok(chunk) => self.told(chunk, out),
            Err(why) => Err(Unreadable(format!("an event is not JSON: {why}"))),
        };
        self.marks = marks;
        read
    }

    /// The body has ended. Some never send `[DONE]`; why the answer ended is enough, as it is for a
    /// stream that is not translated.
    pub(in crate::llm::translate) fn finish(&mut self, out: &mut Vec<Event>) {
        if self.state == State::Begun && self.stop.is_some() {
            self.end(out);
        }
    }

    fn done(&mut self, out: &mut Vec<Event>) -> Result<(), Unreadable> {
        if self.state == State::Waiting {
            return Err(Unreadable("it ends before it begins".to_owned()));
        }
        self.end(out);
        Ok(())
    }

    fn end(&mut self, out: &mut Vec<Event>) {
        self.calls.end(self.id.as_deref(), out);
        let stop = finish::settled(self.stop.take().unwrap_or_default(), self.calls.count());
        out.push(Event::Stop(stop));
        if self.usage.told {
            out.push(Event::Usage(self.usage));
        }
        out.push(Event::End);
        self.state = State::Over;
    }

    fn fail(&mut self, failed: Failed, out: &mut Vec<Event>) {
        out.push(Event::Failed(failed));
        self.state = State::Over;
    }

    fn told(&mut self, chunk: Node<'_>, out: &mut Vec<Event>) -> Result<(), Unreadable> {
        if !chunk.is_object() {
            return Err(Unreadable("an event is no object".to_owned()));
        }
        let told = Told::of(chunk);
        if let Some(failed) = told.failure(chunk) {
            self.fail(failed, out);
            return Ok(());
        }
        usage::replace(&mut self.usage, told.usage());
        // Azure's first chunk has none, and no model either: the answer begins with the next one.
        let Some(choice) = told.choices.and_then(|choices| choices.items().find(is_first)) else {
            return Ok(());
        };
        self.begin(&told, out);
        self.choice(choice, out)
    }

    fn begin(&mut self, told: &Told<'_>, out: &mut Vec<Event>) {
        if self.state == State::Waiting {
            self.state = State::Begun;
            self.id = text(told.id);
            let model = text(told.model);
            out.push(Event::Start { id: self.id.clone(), model, usage: Spent::default() });
        }
    }

    fn choice(&mut self, choice: Node<'_>, out: &mut Vec<Event>) -> Result<(), Unreadable> {
        if let Some(delta) = choice.get("delta").or_else(|| choice.get("message")) {
            self.delta(delta, out)?;
        }
        match text(choice.get("finish_reason")).map(|reason| finish::read(&reason)) {
            Some(Ending::Stopped(stop)) => self.stop = Some(answer_in::sequence(choice, stop)),
            Some(Ending::Failed(failed)) => self.fail(failed, out),
            None => {}
        }
        Ok(())
    }

    fn delta(&mut self, delta: Node<'_>, out: &mut Vec<Event>) -> Result<(), Unreadable> {
        let thought = pieces::reasoning(delta);
        if !thought.is_empty() {
            out.push(Event::Thinking(thought));
        }
        out.extend(pieces::content(delta.get("content")).filter_map(event));
        out.extend(text(delta.get("refusal")).map(Event::Refusal));
        for call in delta.get("tool_calls").into_iter().flat_map(Node::items) {
            self.call(call, out)?;
        }
        if let Some(function) = delta.get("function_call").filter(|call| call.is_object()) {
            self.function_call(function, out)?;
        }
        Ok(())
    }

    fn call(&mut self, call: Node<'_>, out: &mut Vec<Event>) -> Result<(), Unreadable> {
        let (function, input) = match call.get("custom") {
            Some(custom) => (Some(custom), "input"),
            None => (call.get("function"), "arguments"),
        };
        let of_function = |name| function.and_then(|function: Node<'_>| function.get(name));
        let delta = Delta {
            index: call.get("index").and_then(Node::count),
            id: &said(call.get("id")),
            name: &said(of_function("name")),
            arguments: answer_in::arguments(of_function(input)),
        };
        self.calls.add(delta, out)
    }

    /// The one call of the form that came before `tool_calls`, which never has an id.
    fn function_call(&mut self, call: Node<'_>, out: &mut Vec<Event>) -> Result<(), Unreadable> {
        let id = answer_in::made_up_id(self.id.as_deref(), 0);
        let arguments = answer_in::arguments(call.get("arguments"));
        let name = said(call.get("name"));
        self.calls.add(Delta { index: None, id: &id, name: &name, arguments }, out)
    }
}

// === private parts ===

fn is_first(choice: &Node<'_>) -> bool {
    choice.get("index").and_then(Node::count).unwrap_or(0) == 0
}

fn said(text: Option<Node<'_>>) -> Cow<'_, str> {
    text.and_then(Node::text).unwrap_or_default()
}

fn event(part: AnswerPart) -> Option<Event> {
    match part {
        AnswerPart::Text(text) => Some(Event::Text(text)),
        AnswerPart::Refusal(text) => Some(Event::Refusal(text)),
        AnswerPart::Thinking(Thought::Plain(text)) => Some(Event::Thinking(text)),
        AnswerPart::Thinking(_) | AnswerPart::ToolCall(_) => None,
    }
}
