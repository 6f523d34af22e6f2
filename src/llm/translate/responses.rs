//! OpenAI's responses, read and written.
//!
//! Reading order: `request_in` with `items_in`, `content_in` and `tools_in` (a request becomes a
//! conversation), `request_out` with `items_out`, `content_out` and `tools_out` (the other way),
//! `answer_in` and `events_in` (what such an upstream answers), `answer_out` and `events_out` (what
//! such a client is answered).
//!
//! No state is kept: what a client refers to by id alone is refused. Thoughts come back within
//! `encrypted_content` (`envelope`).

mod agent_message;
mod answer_in;
mod answer_out;
mod calls_out;
mod content_in;
mod content_out;
mod custom_input;
mod envelope;
mod events_in;
mod events_out;
pub(super) mod fates;
mod ids;
mod items_in;
mod items_out;
mod items_told;
mod members;
mod names;
mod node;
mod output;
mod repeated;
mod request_in;
mod request_out;
mod response;
mod sse;
#[cfg(test)]
mod tests;
mod told;
mod tools_in;
mod tools_out;

use super::answer::Answer;
use super::conversation::Conversation;
use super::{Asked, Occasion, Refused, Unreadable, Wishes};

pub(super) use self::events_in::EventReader;
pub(super) use self::events_out::EventWriter;

pub(super) fn read_request(body: &[u8]) -> Result<Conversation, Refused> {
    request_in::read(body)
}

pub(super) fn write_request(said: &Conversation, wishes: &Wishes) -> Result<Vec<u8>, Refused> {
    request_out::write(said, wishes)
}

pub(super) fn read_answer(body: &[u8]) -> Result<Answer, Unreadable> {
    answer_in::read(body)
}

pub(super) fn write_answer(answer: &Answer, asked: &Asked, occasion: &Occasion) -> Vec<u8> {
    answer_out::write(answer, asked, occasion)
}
