//! The calls of a stream that is being written.

use super::custom_input::Unwrapper;
use super::output::{Body, CallKind, Output, Status};
use super::sse::{Place, Sink};

/// Calls that are open, by slot.
#[derive(Debug, Default)]
pub(super) struct Calls(Vec<Open>);

/// A call whose arguments come.
#[derive(Debug)]
struct Open {
    slot: u32,
    index: usize,
    form: Form,
}

/// What becomes of its arguments.
#[derive(Debug)]
enum Form {
    AsTheyAre,
    Unwrapped(Unwrapper),
}

// === impl Calls ===

impl Calls {
    pub(super) fn start(
        &mut self,
        slot: u32,
        body: Body,
        output: &mut Output,
        (sink, out): (&mut Sink, &mut Vec<u8>),
    ) {
        let form = match body {
            Body::Call { kind: CallKind::Custom, .. } => Form::Unwrapped(Unwrapper::default()),
            Body::Call { .. } | Body::Message(_) | Body::Reasoning { .. } => Form::AsTheyAre,
        };
        let index = output.add(body);
        sink.item("output_item.added", output, index, out);
        self.0.push(Open { slot, index, form });
    }

    pub(super) fn more(
        &mut self,
        slot: u32,
        more: &str,
        output: &mut Output,
        to: (&mut Sink, &mut Vec<u8>),
    ) {
        if let Some(open) = self.0.iter_mut().find(|open| open.slot == slot) {
            let more = match &mut open.form {
                Form::AsTheyAre => more.to_owned(),
                Form::Unwrapped(unwrapper) => unwrapper.more(more),
            };
            open.tell(&more, output, to);
        }
    }

    pub(super) fn end(
        &mut self,
        slot: u32,
        status: Status,
        output: &mut Output,
        to: (&mut Sink, &mut Vec<u8>),
    ) {
        if let Some(place) = self.0.iter().position(|open| open.slot == slot) {
            self.0.remove(place).end(status, output, to);
        }
    }

    pub(super) fn end_all(
        &mut self,
        status: Status,
        output: &mut Output,
        (sink, out): (&mut Sink, &mut Vec<u8>),
    ) {
        for open in std::mem::take(&mut self.0) {
            open.end(status, output, (&mut *sink, &mut *out));
        }
    }
}

// === impl Open ===

impl Open {
    fn tell(&self, more: &str, output: &mut Output, (sink, out): (&mut Sink, &mut Vec<u8>)) {
        let Some(item) = output.items.get_mut(self.index) else { return };
        if let (Body::Call { arguments, kind, .. }, false) = (&mut item.body, more.is_empty()) {
            arguments.push_str(more);
            sink.delta(what(*kind), Place::item(&item.id, self.index), more, out);
        }
    }

    /// A function's call without arguments has an empty object of them.
    fn end(mut self, status: Status, output: &mut Output, (sink, out): (&mut Sink, &mut Vec<u8>)) {
        let said = |output: &Output| {
            let item = output.items.get(self.index).map(|item| &item.body);
            matches!(item, Some(Body::Call { arguments, .. }) if !arguments.trim().is_empty())
        };
        let rest = match &mut self.form {
            Form::Unwrapped(unwrapper) => unwrapper.finish(),
            Form::AsTheyAre if said(output) => String::new(),
            Form::AsTheyAre => "{}".to_owned(),
        };
        self.tell(&rest, output, (&mut *sink, &mut *out));
        let Some(item) = output.items.get_mut(self.index) else { return };
        item.status = status;
        if let Body::Call { arguments, kind, .. } = &item.body {
            let member = match kind {
                CallKind::Function => "arguments",
                CallKind::Custom => "input",
            };
            let whole = [(member, serde_json::Value::from(arguments.as_str()))];
            let place = Place::item(&item.id, self.index);
            sink.event(&format!("{}.done", what(*kind)), Some(place), &whole, out);
        }
        sink.item("output_item.done", output, self.index, out);
    }
}

const fn what(kind: CallKind) -> &'static str {
    match kind {
        CallKind::Function => "function_call_arguments",
        CallKind::Custom => "custom_tool_call_input",
    }
}
