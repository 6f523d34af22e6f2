//! Writes a whole answer.

use super::output::{self, Body, Content, Output, Status, Voice};
use super::response::{Ending, Head};
use crate::llm::translate::answer::{Answer, AnswerPart};
use crate::llm::translate::conversation::ToolCall;
use crate::llm::translate::{Asked, Occasion};

pub(super) fn write(answer: &Answer, asked: &Asked, occasion: &Occasion) -> Vec<u8> {
    let names = (answer.id.as_deref(), answer.model.as_deref());
    let head = Head::new(names, answer.created, asked.clone(), occasion);
    let mut output = Output::new(&occasion.id, asked);
    for part in &answer.parts {
        match part {
            AnswerPart::Text(text) => say(&mut output, Voice::Text, text),
            AnswerPart::Refusal(text) => say(&mut output, Voice::Refusal, text),
            AnswerPart::Thinking(thought) => {
                if let Some(body) = Body::of_thought(thought) {
                    output.add(body);
                }
            }
            AnswerPart::ToolCall(call) => self::call(&mut output, call),
        }
    }
    let ending = Ending::Stopped(&answer.stop);
    complete(&mut output, ending.status());
    let tier = answer.service_tier.as_deref();
    head.write(&output, &ending, &answer.usage, tier)
}

/// One message for what is said in a row, one part of it for what is said in one voice.
fn say(output: &mut Output, voice: Voice, text: &str) {
    if text.is_empty() {
        return;
    }
    if !matches!(output.items.last().map(|item| &item.body), Some(Body::Message(_))) {
        output.add(Body::Message(Vec::new()));
    }
    let Some(Body::Message(content)) = output.items.last_mut().map(|item| &mut item.body) else {
        return;
    };
    match content.last_mut() {
        Some(last) if last.voice == voice => last.text.push_str(text),
        Some(_) | None => content.push(Content { voice, text: text.to_owned() }),
    }
}

fn call(output: &mut Output, call: &ToolCall) {
    let mut body = output.call(call.id.clone(), call.name.clone());
    if let Body::Call { arguments, kind, .. } = &mut body {
        *arguments = output::arguments(*kind, &call.arguments, call.kind);
    }
    output.add(body);
}

/// What was cut short is the last of it.
fn complete(output: &mut Output, status: &str) {
    output.items.iter_mut().for_each(|item| item.status = Status::Completed);
    if let (Some(last), "incomplete") = (output.items.last_mut(), status) {
        last.status = Status::Incomplete;
    }
}
