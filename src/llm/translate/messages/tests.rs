//! Each rule of the dialect, alone.

mod answer;
mod events_in;
mod events_out;
mod request_in;
mod request_out;
mod settings_out;

use serde_json::{Value, json};

use super::{read_request, write_request};
use crate::llm::translate::conversation::{Conversation, Part, Role, Turn};
use crate::llm::translate::{Occasion, Wishes};

/// A request with these members beside the necessary ones.
fn request(more: Value) -> Value {
    let mut request = json!({
        "model": "m",
        "max_tokens": 10,
        "messages": [{ "role": "user", "content": "Hi" }],
    });
    for (name, value) in more.as_object().unwrap() {
        request[name] = value.clone();
    }
    request
}

fn read(body: &Value) -> Conversation {
    read_request(body.to_string().as_bytes()).unwrap()
}

fn write(said: &Conversation) -> Value {
    serde_json::from_slice(&write_request(said, &Wishes::default()).unwrap()).unwrap()
}

/// The refusal of a conversation, as the caller reads it.
fn refusal(said: &Conversation) -> String {
    write_request(said, &Wishes::default()).unwrap_err().to_string()
}

fn said(turns: Vec<Turn>) -> Conversation {
    Conversation { model: "m".to_owned(), max_tokens: Some(10), turns, ..Conversation::default() }
}

fn turn<const N: usize>(role: Role, parts: [Part; N]) -> Turn {
    Turn { role, parts: parts.into() }
}

fn text(text: &str) -> Part {
    Part::Text { text: text.to_owned(), cache: None }
}

fn occasion() -> Occasion {
    Occasion { id: "1a2b".to_owned(), created: 7 }
}
