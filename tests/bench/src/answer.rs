//! What the provider answers in each dialect, byte for byte.

use crate::dialect::{Dialect, MODEL};

/// Events in a streamed answer.
pub(crate) const EVENTS: usize = 64;
/// What each event of text says.
pub(crate) const WORD: &str = " lorem";

/// The text of a JSON answer.
pub(crate) fn text() -> String {
    "y".repeat(480)
}

/// The provider's JSON answer.
pub(crate) fn whole(dialect: Dialect) -> String {
    let content = text();
    match dialect {
        Dialect::Chat => format!(
            "{{\"id\":\"chatcmpl-bench\",\"object\":\"chat.completion\",\"created\":1700000000,\
             \"model\":\"{MODEL}\",\"choices\":[{{\"index\":0,\"message\":{{\
             \"role\":\"assistant\",\"content\":\"{content}\",\"refusal\":null}},\
             \"logprobs\":null,\"finish_reason\":\"stop\"}}],\"usage\":{USAGE},\
             \"system_fingerprint\":null}}"
        ),
        Dialect::Messages => format!(
            "{{\"id\":\"msg_bench\",\"type\":\"message\",\"role\":\"assistant\",\
             \"model\":\"{MODEL}\",\"content\":[{{\"type\":\"text\",\"text\":\"{content}\"}}],\
             \"stop_reason\":\"end_turn\",\"stop_sequence\":null,\"usage\":{{\
             \"input_tokens\":250,\"cache_creation_input_tokens\":0,\
             \"cache_read_input_tokens\":0,\"output_tokens\":120}}}}"
        ),
    }
}

/// The provider's streamed answer, an event each.
pub(crate) fn events(dialect: Dialect) -> Vec<String> {
    let (mut events, word, end) = match dialect {
        Dialect::Chat => (vec![], chat(WORD_CHOICE), chat_end()),
        Dialect::Messages => {
            (messages_start(), event("content_block_delta", DELTA), messages_end())
        }
    };
    let words = EVENTS.saturating_sub(events.len() + end.len());
    events.extend(std::iter::repeat_n(word, words));
    events.extend(end);
    events
}

const USAGE: &str = "{\"prompt_tokens\":250,\"completion_tokens\":120,\"total_tokens\":370}";
const WORD_CHOICE: &str = "[{\"index\":0,\"delta\":{\"content\":\" lorem\"},\"logprobs\":null,\
                           \"finish_reason\":null}],\"usage\":null";
const LAST_CHOICE: &str =
    "[{\"index\":0,\"delta\":{},\"logprobs\":null,\"finish_reason\":\"stop\"}],\"usage\":null";
const DELTA: &str = "\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\" lorem\"}";
const BLOCK: &str = "\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}";
const STOP: &str = "\"delta\":{\"stop_reason\":\"end_turn\",\"stop_sequence\":null},\
                    \"usage\":{\"output_tokens\":120}";

fn chat_end() -> Vec<String> {
    let usage = format!("[],\"usage\":{USAGE}");
    vec![chat(LAST_CHOICE), chat(&usage), "data: [DONE]\n\n".to_owned()]
}

fn chat(choices: &str) -> String {
    format!(
        "data: {{\"id\":\"chatcmpl-bench\",\"object\":\"chat.completion.chunk\",\
         \"created\":1700000000,\"model\":\"{MODEL}\",\"choices\":{choices}}}\n\n"
    )
}

fn messages_start() -> Vec<String> {
    let message = format!(
        "\"message\":{{\"id\":\"msg_bench\",\"type\":\"message\",\"role\":\"assistant\",\
         \"model\":\"{MODEL}\",\"content\":[],\"stop_reason\":null,\"stop_sequence\":null,\
         \"usage\":{{\"input_tokens\":250,\"cache_creation_input_tokens\":0,\
         \"cache_read_input_tokens\":0,\"output_tokens\":1}}}}"
    );
    vec![event("message_start", &message), event("content_block_start", BLOCK)]
}

fn messages_end() -> Vec<String> {
    let stop = "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n".to_owned();
    vec![event("content_block_stop", "\"index\":0"), event("message_delta", STOP), stop]
}

fn event(name: &str, fields: &str) -> String {
    format!("event: {name}\ndata: {{\"type\":\"{name}\",{fields}}}\n\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        fn check(dialect: Dialect) {
            let whole = whole(dialect);
            assert!(whole.len().abs_diff(800) < 80, "{dialect:?}: {}", whole.len());
            let events = events(dialect);
            assert_eq!(events.len(), EVENTS, "{dialect:?}");
            let words = events.iter().filter(|event| event.contains(WORD)).count();
            assert!(words > 55, "{dialect:?}: {words}");
        }
        check(Dialect::Chat);
        check(Dialect::Messages);
    }
}
