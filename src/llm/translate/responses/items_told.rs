//! The items of a stream that is being read: what of each has been handed on.

use std::collections::BTreeMap;

use super::told;
use crate::llm::translate::Unreadable;
use crate::llm::translate::answer::Event;
use crate::llm::translate::document::Node;

/// Which of an item's texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Voice {
    Text,
    Refusal,
    Summary,
    Reasoning,
    Arguments,
}

/// How many calls there have been.
#[derive(Debug, Default)]
pub(super) struct Slots(u32);

/// An item, from its first event on.
#[derive(Debug, Default)]
pub(super) struct Item {
    /// How many bytes of each text were handed on.
    said: BTreeMap<(Voice, u64), usize>,
    call: Call,
}

/// What is known of a call. It begins for the client when its id and its name are known.
#[derive(Debug, Default)]
enum Call {
    /// No call, or not known yet to be one; these arguments came already.
    #[default]
    Unknown,
    /// A call whose name or id is still to come.
    Awaited { id: Option<String>, name: Option<String>, arguments: String },
    /// It has begun.
    Begun(u32),
    /// It is over.
    Over,
}

// === impl Slots ===

impl Slots {
    pub(super) fn count(&self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }

    fn next(&mut self) -> u32 {
        let slot = self.0;
        self.0 = slot.saturating_add(1);
        slot
    }
}

// === impl Item ===

impl Item {
    /// More of a text.
    pub(super) fn more(&mut self, place: (Voice, u64), more: &str, out: &mut Vec<Event>) {
        if more.is_empty() || !self.speaks(place.0) {
            return;
        }
        let is_new = !self.said.contains_key(&place);
        let follows = is_new && self.said.keys().any(|(voice, _)| *voice == place.0);
        *self.said.entry(place).or_default() += more.len();
        let more = more.to_owned();
        match place.0 {
            Voice::Text => out.push(Event::Text(more)),
            Voice::Refusal => out.push(Event::Refusal(more)),
            Voice::Summary if follows => out.push(Event::Thinking(format!("\n\n{more}"))),
            Voice::Summary | Voice::Reasoning => out.push(Event::Thinking(more)),
            Voice::Arguments => self.call.arguments(more, out),
        }
    }

    /// The whole of a text: what of it was not said yet is said now.
    pub(super) fn whole(&mut self, place: (Voice, u64), whole: &str, out: &mut Vec<Event>) {
        let said = self.said.get(&place).copied().unwrap_or(0);
        if let Some(rest) = whole.get(said..) {
            self.more(place, rest, out);
        }
    }

    /// The item itself, as far as it is made.
    pub(super) fn told(&mut self, item: Node<'_>, slots: &mut Slots, out: &mut Vec<Event>) {
        match &*told::text(item, "type") {
            "message" => {
                for (part, content) in (0..).zip(told::list(item, "content")) {
                    self.whole((Voice::Text, part), &told::text(content, "text"), out);
                    self.whole((Voice::Refusal, part), &told::text(content, "refusal"), out);
                }
            }
            "reasoning" => {
                for (voice, name) in [(Voice::Summary, "summary"), (Voice::Reasoning, "content")] {
                    for (part, content) in (0..).zip(told::list(item, name)) {
                        self.whole((voice, part), &told::text(content, "text"), out);
                    }
                }
            }
            "function_call" => self.called(item, "arguments", slots, out),
            "custom_tool_call" => self.called(item, "input", slots, out),
            _ => {}
        }
    }

    /// Nothing more of it will come.
    pub(super) fn done(
        &mut self,
        index: u64,
        slots: &mut Slots,
        out: &mut Vec<Event>,
    ) -> Result<(), Unreadable> {
        self.call.begin(slots, out);
        match std::mem::replace(&mut self.call, Call::Over) {
            Call::Begun(slot) => out.push(Event::ToolEnd { slot }),
            Call::Awaited { name: None, .. } => {
                return Err(Unreadable(format!("output[{index}] is a call without a name")));
            }
            Call::Awaited { id, name: Some(name), arguments } => {
                let slot = slots.next();
                let id = id.unwrap_or_else(|| format!("call_{slot}"));
                out.push(Event::ToolStart { slot, id, name });
                if !arguments.is_empty() {
                    out.push(Event::ToolArguments { slot, more: arguments });
                }
                out.push(Event::ToolEnd { slot });
            }
            Call::Unknown | Call::Over => {}
        }
        Ok(())
    }

    fn called(&mut self, item: Node<'_>, arguments: &str, slots: &mut Slots, out: &mut Vec<Event>) {
        self.call.known(told::some_text(item, "call_id"), told::some_text(item, "name"));
        self.call.begin(slots, out);
        self.whole((Voice::Arguments, 0), &told::text(item, arguments), out);
    }

    /// A summary and the reasoning itself say the same: whichever comes first is heard.
    fn speaks(&self, voice: Voice) -> bool {
        let other = match voice {
            Voice::Summary => Voice::Reasoning,
            Voice::Reasoning => Voice::Summary,
            Voice::Text | Voice::Refusal | Voice::Arguments => return true,
        };
        !self.said.keys().any(|(heard, _)| *heard == other)
    }
}

// === impl Call ===

impl Call {
    fn known(&mut self, new_id: Option<String>, new_name: Option<String>) {
        self.awaited();
        if let Self::Awaited { id, name, .. } = self {
            *id = id.take().or(new_id);
            *name = name.take().or(new_name);
        }
    }

    fn arguments(&mut self, more: String, out: &mut Vec<Event>) {
        self.awaited();
        match self {
            Self::Awaited { arguments, .. } => arguments.push_str(&more),
            Self::Begun(slot) => out.push(Event::ToolArguments { slot: *slot, more }),
            Self::Unknown | Self::Over => {}
        }
    }

    /// Tells of it, if it can be told of.
    fn begin(&mut self, slots: &mut Slots, out: &mut Vec<Event>) {
        if let Self::Awaited { id: Some(id), name: Some(name), arguments } = self {
            let slot = slots.next();
            let (id, name) = (std::mem::take(id), std::mem::take(name));
            out.push(Event::ToolStart { slot, id, name });
            let more = std::mem::take(arguments);
            if !more.is_empty() {
                out.push(Event::ToolArguments { slot, more });
            }
            *self = Self::Begun(slot);
        }
    }

    fn awaited(&mut self) {
        if let Self::Unknown = self {
            *self = Self::Awaited { id: None, name: None, arguments: String::new() };
        }
    }
}
