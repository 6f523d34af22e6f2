//! The events of a stream, read.
//!
//! Why an answer ended is told when the upstream has ended it: with `[DONE]`, or, where that never
//! comes, with the body. So the usage may come before, with or after the last words, once, twice or
//! never, and a call's id even later. A body that ends without either is no whole answer, and no
//! end is told.

use serde_json::Value;

use super::super::Unreadable;
use super::super::answer::{AnswerPart, Event, Failed, Spent, Stop};
use super::super::conversation::Thought;
use super::calls_in::{Calls, Delta};
use super::finish::{self, Ending};
use super::{answer_in, pieces, usage};

/// Reads the events of a stream.
#[derive(Debug, Default)]
pub(in crate::llm::translate) struct EventReader {
    state: State,
    id: Option<String>,
    calls: Calls,
    usage: Spent,
    stop: Option<Stop>,
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
        let chunk: Value = serde_json::from_slice(data)
            .map_err(|error| Unreadable(format!("an event is not JSON: {error}")))?;
        match answer_in::failure(&chunk) {
            Some(failed) => self.fail(failed, out),
            None => self.chunk(&chunk, out)?,
        }
        Ok(())
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

    fn chunk(&mut self, chunk: &Value, out: &mut Vec<Event>) -> Result<(), Unreadable> {
        if !chunk.is_object() {
            return Err(Unreadable("an event is no object".to_owned()));
        }
        usage::replace(&mut self.usage, usage::find(chunk));
        let choices = chunk.get("choices").and_then(Value::as_array);
        // Azure's first chunk has none, and no model either: the answer begins with the next one.
        let Some(choice) = choices.and_then(|choices| choices.iter().find(is_first)) else {
            return Ok(());
        };
        self.begin(chunk, out);
        self.choice(choice, out)
    }

    fn begin(&mut self, chunk: &Value, out: &mut Vec<Event>) {
        if self.state == State::Waiting {
            self.state = State::Begun;
            self.id = answer_in::text(chunk, "id");
            let model = answer_in::text(chunk, "model");
            out.push(Event::Start { id: self.id.clone(), model, usage: Spent::default() });
        }
    }

    fn choice(&mut self, choice: &Value, out: &mut Vec<Event>) -> Result<(), Unreadable> {
        let delta = choice.get("delta").or(choice.get("message")).unwrap_or(&Value::Null);
        let thought = pieces::reasoning(delta);
        if !thought.is_empty() {
            out.push(Event::Thinking(thought));
        }
        out.extend(pieces::content(delta.get("content")).into_iter().filter_map(event));
        out.extend(answer_in::text(delta, "refusal").map(Event::Refusal));
        for call in delta.get("tool_calls").and_then(Value::as_array).into_iter().flatten() {
            self.call(call, out)?;
        }
        if let Some(function) = delta.get("function_call").filter(|call| call.is_object()) {
            self.function_call(function, out)?;
        }
        match answer_in::text(choice, "finish_reason").map(|reason| finish::read(&reason)) {
            Some(Ending::Stopped(stop)) => self.stop = Some(answer_in::sequence(choice, stop)),
            Some(Ending::Failed(failed)) => self.fail(failed, out),
            None => {}
        }
        Ok(())
    }

    fn call(&mut self, call: &Value, out: &mut Vec<Event>) -> Result<(), Unreadable> {
        let (function, input) = match call.get("custom") {
            Some(custom) => (custom, "input"),
            None => (call.get("function").unwrap_or(&Value::Null), "arguments"),
        };
        let delta = Delta {
            index: call.get("index").and_then(Value::as_u64),
            id: text(call, "id"),
            name: text(function, "name"),
            arguments: answer_in::arguments(function, input),
        };
        self.calls.add(delta, out)
    }

    /// The one call of the form that came before `tool_calls`, which never has an id.
    fn function_call(&mut self, call: &Value, out: &mut Vec<Event>) -> Result<(), Unreadable> {
        let id = answer_in::made_up_id(self.id.as_deref(), 0);
        let arguments = answer_in::arguments(call, "arguments");
        self.calls.add(Delta { index: None, id: &id, name: text(call, "name"), arguments }, out)
    }
}

// === private parts ===

fn is_first(choice: &&Value) -> bool {
    choice.get("index").and_then(Value::as_u64).unwrap_or(0) == 0
}

fn text<'a>(of: &'a Value, name: &str) -> &'a str {
    of.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn event(part: AnswerPart) -> Option<Event> {
    match part {
        AnswerPart::Text(text) => Some(Event::Text(text)),
        AnswerPart::Refusal(text) => Some(Event::Refusal(text)),
        AnswerPart::Thinking(Thought::Plain(text)) => Some(Event::Thinking(text)),
        AnswerPart::Thinking(_) | AnswerPart::ToolCall(_) => None,
    }
}
