//! The events of a stream, read.

use std::borrow::Cow;

use serde::Deserialize;

use super::answer::{BlockIn, StopDetails};
use super::tool_ids::CallIds;
use super::usage::{self, UsageIn};
use crate::llm::translate::Unreadable;
use crate::llm::translate::answer::{Event, Failed, Spent, Stop};
use crate::llm::translate::conversation::Thought;
use crate::llm::translate::document::{Marks, Node};

/// The most blocks that may be open at once. The vendor opens one; others' calls may overlap.
const MOST_OPEN: usize = 256;

/// Reads the events of a stream.
#[derive(Debug, Default)]
pub(in crate::llm::translate) struct EventReader {
    state: State,
    open: Vec<Open>,
    calls: CallIds,
    /// Was anything said or called?
    said: bool,
    stop: Stop,
    /// Why it would not.
    why: Option<String>,
    spent: Spent,
    marks: Marks,
}

#[derive(Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Waiting,
    Started,
    Ended,
}

/// A block that has begun and not ended.
#[derive(Debug)]
struct Open {
    index: u64,
    block: Block,
}

#[derive(Debug)]
enum Block {
    Text,
    /// With the signature so far, which only counts as a whole.
    Thinking {
        signature: String,
    },
    /// With what was told at its beginning, in case that no more comes.
    Tool {
        slot: u32,
        input: String,
        begun: bool,
    },
    /// The provider's own tools.
    Ignored,
}

/// The members of all events.
#[derive(Default)]
struct Data<'a> {
    kind: Cow<'a, str>,
    index: u64,
    message: Option<Node<'a>>,
    content_block: Option<Node<'a>>,
    delta: Option<Node<'a>>,
    usage: Option<Node<'a>>,
    error: Option<Node<'a>>,
}

#[derive(Deserialize)]
struct MessageIn {
    id: Option<String>,
    model: Option<String>,
    usage: Option<UsageIn>,
}

/// Why a message ends.
#[derive(Deserialize)]
struct EndingIn {
    stop_reason: Option<String>,
    stop_sequence: Option<String>,
    stop_details: Option<StopDetails>,
}

#[derive(Deserialize)]
struct ErrorIn {
    #[serde(rename = "type")]
    kind: Option<String>,
    message: Option<String>,
}

// === impl EventReader ===

impl EventReader {
    /// Reads the data of an event.
    ///
    /// # Errors
    /// [`Unreadable`]: no event of this dialect, or out of order.
    pub(in crate::llm::translate) fn read(
        &mut self,
        data: &[u8],
        out: &mut Vec<Event>,
    ) -> Result<(), Unreadable> {
        // Servers that speak both dialects end both alike.
        if self.state == State::Ended || data.trim_ascii() == b"[DONE]" {
            return Ok(());
        }
        let mut marks = std::mem::take(&mut self.marks);
        let read = match marks.read_unicode(data) {
            Ok(event) => Data::of(event).and_then(|data| self.told(data, out)),
            Err(why) => Err(no_event(&why)),
        };
        self.marks = marks;
        read
    }

    fn told(&mut self, data: Data<'_>, out: &mut Vec<Event>) -> Result<(), Unreadable> {
        if let Some(error) = typed(data.error)? {
            self.fail(error, out);
            return Ok(());
        }
        match &*data.kind {
            "message_start" => return self.start(typed(data.message)?, out),
            "content_block_start" => {
                return self.begin(data.index, typed(data.content_block)?, out);
            }
            "content_block_delta" => return self.more(data.index, data.delta, out),
            "content_block_stop" => self.close(data.index, out),
            "message_delta" => {
                self.started(out);
                self.message_delta(typed(data.delta)?, typed(data.usage)?.as_ref());
            }
            "message_stop" => return self.end(out),
            "ping" => out.push(Event::Ping),
            // New kinds of events may come at any time.
            _ => {}
        }
        Ok(())
    }

    /// The body has ended; without `message_stop` it was cut.
    pub(in crate::llm::translate) fn finish(&mut self, _out: &mut Vec<Event>) {
        self.state = State::Ended;
    }

    fn fail(&mut self, error: ErrorIn, out: &mut Vec<Event>) {
        self.state = State::Ended;
        let message = error.message.unwrap_or_else(|| "the provider gave no reason".to_owned());
        out.push(Event::Failed(Failed { kind: error.kind, message }));
    }

    fn start(
        &mut self,
        message: Option<MessageIn>,
        out: &mut Vec<Event>,
    ) -> Result<(), Unreadable> {
        if self.state == State::Started {
            // Some proxies say it twice. A second message amidst the first would mix two answers.
            return if !self.calls.any() && !self.said && self.open.is_empty() {
                Ok(())
            } else {
                Err(Unreadable("a second message begins within the first".to_owned()))
            };
        }
        self.state = State::Started;
        let message = message.unwrap_or(MessageIn { id: None, model: None, usage: None });
        if let Some(usage) = &message.usage {
            usage.add_to(&mut self.spent);
        }
        out.push(Event::Start { id: message.id, model: message.model, usage: self.spent });
        Ok(())
    }

    fn begin(
        &mut self,
        index: u64,
        block: Option<BlockIn<'_>>,
        out: &mut Vec<Event>,
    ) -> Result<(), Unreadable> {
        let block = block.ok_or_else(|| missing("content_block"))?;
        self.started(out);
        self.close(index, out);
        if self.open.len() >= MOST_OPEN {
            return Err(Unreadable(format!("more than {MOST_OPEN} blocks are open at once")));
        }
        let opened = match &*block.kind {
            "text" => {
                self.text(block.text, out);
                Block::Text
            }
            "thinking" => {
                thinking(block.thinking, out);
                Block::Thinking { signature: block.signature.unwrap_or_default() }
            }
            "redacted_thinking" => {
                out.extend(block.data.map(|data| Event::Thought(Thought::Redacted(data))));
                Block::Ignored
            }
            "tool_use" => self.tool(block, out)?,
            _ => Block::Ignored,
        };
        self.open.push(Open { index, block: opened });
        Ok(())
    }

    fn tool(&mut self, block: BlockIn<'_>, out: &mut Vec<Event>) -> Result<Block, Unreadable> {
        let name = block.name.filter(|name| !name.is_empty());
        let name = name.ok_or_else(|| missing("content_block.name"))?;
        let (slot, id) = self.calls.next(block.id);
        out.push(Event::ToolStart { slot, id, name });
        let input = block.input.map_or_else(|| "{}".to_owned(), |raw| raw.get().to_owned());
        Ok(Block::Tool { slot, input, begun: false })
    }

    fn more(
        &mut self,
        index: u64,
        delta: Option<Node<'_>>,
        out: &mut Vec<Event>,
    ) -> Result<(), Unreadable> {
        let delta = delta.ok_or_else(|| missing("delta"))?;
        self.started(out);
        let open = self.open.iter_mut().find(|open| open.index == index);
        let kind = delta.get("type").and_then(Node::text).unwrap_or_default();
        match (&*kind, open.map(|open| &mut open.block)) {
            // A block that nobody began may still be text.
            ("text_delta", Some(Block::Text) | None) => {
                self.text(said(delta, "text")?, out);
            }
            ("thinking_delta", Some(Block::Thinking { .. }) | None) => {
                thinking(said(delta, "thinking")?, out);
            }
            ("signature_delta", Some(Block::Thinking { signature })) => {
                signature.push_str(&said(delta, "signature")?.unwrap_or_default());
            }
            ("input_json_delta", Some(Block::Tool { slot, begun, .. })) => {
                let more = said(delta, "partial_json")?.unwrap_or_default();
                if !more.is_empty() {
                    *begun = true;
                    out.push(Event::ToolArguments { slot: *slot, more });
                }
            }
            ("input_json_delta", None) => return Err(missing("content_block_start of a tool")),
            // Citations, compaction, and what the provider's own tools are told.
            _ => {}
        }
        Ok(())
    }

    /// Ends a block, if it is open.
    fn close(&mut self, index: u64, out: &mut Vec<Event>) {
        if let Some(at) = self.open.iter().position(|open| open.index == index) {
            ended(self.open.swap_remove(at).block, out);
        }
    }

    /// Why it ends and what it cost; told when it has ended, as these may come before the last of
    /// what is said.
    fn message_delta(&mut self, delta: Option<EndingIn>, usage: Option<&UsageIn>) {
        if let Some(delta) = delta
            && let Some(reason) = delta.stop_reason
        {
            self.stop = usage::stop(&reason, delta.stop_sequence);
            self.why = delta.stop_details.and_then(|details| details.explanation);
        }
        if let Some(usage) = usage {
            usage.add_to(&mut self.spent);
        }
    }

    fn end(&mut self, out: &mut Vec<Event>) -> Result<(), Unreadable> {
        if self.state == State::Waiting {
            return Err(missing("message_start"));
        }
        for open in self.open.drain(..) {
            // What the limit of tokens cut off is never ended.
            ended(open.block, out);
        }
        let stop = usage::settled(std::mem::take(&mut self.stop), &self.calls);
        if stop == Stop::Refusal && !self.said {
            out.extend(self.why.take().map(Event::Refusal));
        }
        out.push(Event::Stop(stop));
        if self.spent.told {
            out.push(Event::Usage(self.spent));
        }
        self.state = State::Ended;
        out.push(Event::End);
        Ok(())
    }

    /// A server may leave the first event out; its stream is as good.
    fn started(&mut self, out: &mut Vec<Event>) {
        if self.state == State::Waiting {
            self.state = State::Started;
            out.push(Event::Start { id: None, model: None, usage: self.spent });
        }
    }

    fn text(&mut self, text: Option<String>, out: &mut Vec<Event>) {
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            self.said = true;
            out.push(Event::Text(text));
        }
    }
}

fn thinking(text: Option<String>, out: &mut Vec<Event>) {
    out.extend(text.filter(|text| !text.is_empty()).map(Event::Thinking));
}

fn ended(block: Block, out: &mut Vec<Event>) {
    match block {
        Block::Thinking { signature } if !signature.is_empty() => {
            out.push(Event::Signature(signature));
        }
        Block::Tool { slot, input, begun } => {
            if !begun {
                out.push(Event::ToolArguments { slot, more: input });
            }
            out.push(Event::ToolEnd { slot });
        }
        Block::Text | Block::Thinking { .. } | Block::Ignored => {}
    }
}

// === impl Data ===

impl<'a> Data<'a> {
    fn of(event: Node<'a>) -> Result<Self, Unreadable> {
        if !event.is_object() {
            return Err(no_event(&"it is no object"));
        }
        let mut data = Self::default();
        for (name, value) in event.members().filter(|(_, value)| !value.is_null()) {
            match &*name.text() {
                "type" => data.kind = value.text().ok_or_else(|| no_event(&"its type is none"))?,
                "index" => {
                    data.index = value.count().ok_or_else(|| no_event(&"its index is none"))?
                }
                "message" => data.message = Some(value),
                "content_block" => data.content_block = Some(value),
                "delta" => data.delta = Some(value),
                "usage" => data.usage = Some(value),
                "error" => data.error = Some(value),
                _ => {}
            }
        }
        Ok(data)
    }
}

fn typed<'a, T: Deserialize<'a>>(value: Option<Node<'a>>) -> Result<Option<T>, Unreadable> {
    value.map(T::deserialize).transpose().map_err(|mismatch| no_event(&mismatch))
}

/// The text of a member, if there is one.
fn said(delta: Node<'_>, name: &str) -> Result<Option<String>, Unreadable> {
    typed(delta.get(name).filter(|value| !value.is_null()))
}

fn no_event(why: &dyn std::fmt::Display) -> Unreadable {
    Unreadable(format!("an event is no event of messages: {why}"))
}

fn missing(what: &str) -> Unreadable {
    Unreadable(format!("an event of messages lacks `{what}`"))
}
