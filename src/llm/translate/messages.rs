//! Anthropic's messages, read and written.
//!
//! Owns what Claude's dialect insists on (turns that alternate, results before text, ids of a small
//! alphabet, a maximum of tokens) and the order of its events. Does not know who is on the other
//! side.

mod answer;
mod arguments;
mod blocks_in;
mod blocks_out;
mod events_in;
mod events_out;
mod held;
mod raw;
mod request_in;
mod request_out;
mod schema_out;
mod settings_in;
mod sse_out;
mod system_out;
mod thinking_out;
mod tool_ids;
mod tools_out;
mod turns_out;
mod usage;

pub(super) use answer::{read_answer, write_answer};
pub(super) use events_in::EventReader;
pub(super) use events_out::EventWriter;
pub(super) use request_in::read_request;
pub(super) use request_out::write_request;

/// `max_tokens` where neither the caller nor the target says one, as the API insists on it: every
/// current model allows as much, and it holds a long answer with the thoughts before it.
pub const MAX_TOKENS: u64 = 16_384;

#[cfg(test)]
mod tests;
