//! The dialect against itself and against the neutral form.

mod answers;
mod requests_in;
mod requests_out;
mod streams_in;
mod streams_out;

use serde_json::Value;

use super::super::conversation::{Conversation, Part, Role, Turn};
use super::super::{Asked, Occasion, Refused, Wishes};

fn read(request: &Value) -> Result<Conversation, Refused> {
    super::read_request(request.to_string().as_bytes())
}

fn write(said: &Conversation, wishes: &Wishes) -> Result<Value, Refused> {
    let body = super::write_request(said, wishes)?;
    Ok(serde_json::from_slice(&body).expect("what is written is JSON"))
}

fn occasion() -> Occasion {
    Occasion { id: "abc".to_owned(), created: 7 }
}

fn asked() -> Asked {
    Asked { model: "asked".to_owned(), ..Asked::default() }
}

fn turn(role: Role, parts: Vec<Part>) -> Turn {
    Turn { role, parts }
}

fn text(text: &str) -> Part {
    Part::Text { text: text.to_owned(), cache: None }
}
