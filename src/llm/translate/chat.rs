//! OpenAI's chat completions, read and written.
//!
//! Its reference is <https://platform.openai.com/docs/api-reference/chat>; what other makers' APIs
//! of this kind add or bend is read as well: `reasoning_content`, `cache_control`, a `thinking`
//! member, tool calls without an index or an id. What is written is what all of them take.
//!
//! Reading order: [`members`] (a JSON object by members, with paths for errors), requests in
//! (`request_in` and below), requests out (`request_out` and below), answers, streams. Does not
//! know the other dialects.

mod answer_in;
mod answer_out;
mod calls_in;
mod custom;
mod effort;
mod events_in;
mod events_out;
mod finish;
mod format_out;
mod members;
mod messages_in;
mod messages_out;
mod parts_in;
mod parts_out;
mod pieces;
mod request_in;
mod request_out;
mod schema;
mod shorten;
mod told;
mod tools_in;
mod tools_out;
mod usage;

#[cfg(test)]
mod tests;

pub(super) use answer_in::read_answer;
pub(super) use answer_out::write_answer;
pub(super) use events_in::EventReader;
pub(super) use events_out::EventWriter;
pub(super) use request_in::read_request;
pub(super) use request_out::write_request;
