//! The tool calls of a stream, read from deltas that may lack an index, an id or a name, bring them
//! late or again, come out of order or interleaved.
//!
//! A call begins when it has an id and a name; what came before is held until then, within a bound.
//! It ends when its arguments are a whole object, or with the stream.

use super::super::Unreadable;
use super::super::answer::Event;
use super::super::assemble::MAX_EVENT;
use super::answer_in;

/// More than any answer has.
const MOST: usize = 1000;

/// All calls of an answer.
#[derive(Debug, Default)]
pub(super) struct Calls {
    calls: Vec<Call>,
    begun: u32,
    held: usize,
}

/// A piece of a call.
#[derive(Debug, Default)]
pub(super) struct Delta<'a> {
    /// Which call, if told.
    pub(super) index: Option<u64>,
    /// Empty if not told.
    pub(super) id: &'a str,
    /// Empty if not told.
    pub(super) name: &'a str,
    /// More of them.
    pub(super) arguments: String,
}

#[derive(Debug)]
struct Call {
    index: Option<u64>,
    id: String,
    name: String,
    held: String,
    object: Object,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// For its id or name.
    Waiting,
    /// In this slot.
    Open(u32),
    Ended,
}

/// How far a JSON object has come, by its braces.
#[derive(Debug, Default)]
struct Object {
    depth: usize,
    text: Text,
    state: Progress,
}

#[derive(Debug, Default, Clone, Copy)]
enum Text {
    #[default]
    Outside,
    Inside,
    Escaped,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Progress {
    #[default]
    Nothing,
    Begun,
    Whole,
}

// === impl Calls ===

impl Calls {
    /// Takes a piece in.
    ///
    /// # Errors
    /// [`Unreadable`]: more calls, or more that must be held, than any answer has.
    pub(super) fn add(&mut self, delta: Delta<'_>, out: &mut Vec<Event>) -> Result<(), Unreadable> {
        let at = self.find(&delta).unwrap_or(self.calls.len());
        if at == self.calls.len() {
            self.calls.push(Call::new(delta.index));
        }
        if let Some(call) = self.calls.get_mut(at) {
            call.learn(&delta);
            if call.is_ready() {
                call.begin(&mut self.begun, out);
            }
            self.held += call.take(delta.arguments, out);
        }
        if self.calls.len() > MOST || self.held > MAX_EVENT {
            return Err(Unreadable("its tool calls never get a name or an id".to_owned()));
        }
        Ok(())
    }

    /// No more will come: begins what can be begun with a made-up id, and ends all.
    pub(super) fn end(&mut self, answer: Option<&str>, out: &mut Vec<Event>) {
        for call in &mut self.calls {
            call.complete(answer, self.begun);
            if call.is_ready() {
                call.begin(&mut self.begun, out);
            }
            call.end(out);
        }
    }

    /// How many have begun.
    pub(super) fn count(&self) -> usize {
        self.begun as usize
    }

    /// The call that a piece belongs to, if it is none that begins with it.
    fn find(&self, delta: &Delta<'_>) -> Option<usize> {
        let last = self.calls.len().checked_sub(1);
        let at = match delta.index {
            Some(_) => self.calls.iter().rposition(|call| call.index == delta.index),
            None if delta.id.is_empty() => last,
            None => self.calls.iter().rposition(|call| call.id == delta.id).or(last),
        }?;
        self.calls.get(at)?.takes(delta).then_some(at)
    }
}

// === impl Call ===

impl Call {
    fn new(index: Option<u64>) -> Self {
        Self {
            index,
            id: String::new(),
            name: String::new(),
            held: String::new(),
            object: Object::default(),
            state: State::Waiting,
        }
    }

    /// Some give every call the same index, or none: another id is another call, and so is a name
    /// behind arguments that are whole.
    fn takes(&self, delta: &Delta<'_>) -> bool {
        let other_id = !delta.id.is_empty() && !self.id.is_empty() && delta.id != self.id;
        let is_next = delta.index.is_none()
            && !delta.name.is_empty()
            && delta.id.is_empty()
            && (self.object.state == Progress::Whole || delta.name != self.name);
        !(other_id && (delta.index.is_none() || !delta.name.is_empty())) && !is_next
    }

    fn learn(&mut self, delta: &Delta<'_>) {
        if self.id.is_empty() {
            delta.id.clone_into(&mut self.id);
        }
        if self.name.is_empty() {
            delta.name.clone_into(&mut self.name);
        }
    }

    fn is_ready(&self) -> bool {
        self.state == State::Waiting && !self.id.is_empty() && !self.name.is_empty()
    }

    /// What the upstream never told. A call of nothing with nothing is none; one with arguments is
    /// given a name that no tool has, so that the client can say so to the model.
    fn complete(&mut self, answer: Option<&str>, slot: u32) {
        if self.name.is_empty() && !self.held.trim().is_empty() {
            self.name = format!("tool_{slot}");
        }
        if self.id.is_empty() {
            self.id = answer_in::made_up_id(answer, slot as usize);
        }
    }

    fn begin(&mut self, begun: &mut u32, out: &mut Vec<Event>) {
        let slot = *begun;
        *begun += 1;
        self.state = State::Open(slot);
        out.push(Event::ToolStart { slot, id: self.id.clone(), name: self.name.clone() });
        let held = std::mem::take(&mut self.held);
        self.tell(slot, held, out);
    }

    /// How much of it is held.
    fn take(&mut self, more: String, out: &mut Vec<Event>) -> usize {
        match self.state {
            State::Waiting => {
                self.object.read(&more);
                self.held.push_str(&more);
                more.len()
            }
            State::Open(slot) => {
                self.object.read(&more);
                self.tell(slot, more, out);
                0
            }
            // Behind a whole object only white space can follow.
            State::Ended => 0,
        }
    }

    fn tell(&mut self, slot: u32, more: String, out: &mut Vec<Event>) {
        if !more.is_empty() {
            out.push(Event::ToolArguments { slot, more });
        }
        if self.object.state == Progress::Whole {
            self.end(out);
        }
    }

    fn end(&mut self, out: &mut Vec<Event>) {
        if let State::Open(slot) = self.state {
            out.push(Event::ToolEnd { slot });
            self.state = State::Ended;
        }
    }
}

// === impl Object ===

impl Object {
    fn read(&mut self, more: &str) {
        more.bytes().for_each(|byte| self.byte(byte));
    }

    fn byte(&mut self, byte: u8) {
        match (self.text, byte) {
            (Text::Outside, b'"') | (Text::Escaped, _) => self.text = Text::Inside,
            (Text::Inside, b'"') => self.text = Text::Outside,
            (Text::Inside, b'\\') => self.text = Text::Escaped,
            (Text::Outside, b'{') => {
                self.depth += 1;
                self.state = Progress::Begun;
            }
            (Text::Outside, b'}') => {
                self.depth = self.depth.saturating_sub(1);
                if self.depth == 0 && self.state == Progress::Begun {
                    self.state = Progress::Whole;
                }
            }
            (Text::Outside | Text::Inside, _) => {}
        }
    }
}
