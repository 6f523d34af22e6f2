//! What the scripted provider says: OpenAI's chat, responses and embeddings, Anthropic's messages,
//! whole and streamed, and their errors.
//!
//! A model whose name ends in `-busy` is always busy. An answer says which model it is, so that
//! whoever reads it sees where the call went.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde_json::{Value, json};

/// How fast it speaks.
const PAUSE: Duration = Duration::from_millis(40);

/// The longest answer, in words.
const MOST_WORDS: u64 = 400;

/// An answer, ready to be said.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) pieces: VecDeque<Bytes>,
    /// The pause before each piece.
    pub(super) pause: Duration,
}

/// What is read of a request.
struct Asked {
    model: String,
    streams: bool,
    wants_usage: bool,
    words: Vec<String>,
    input: u64,
}

/// The answer to a body that was sent to this path.
pub(super) fn to(path: &str, body: &[u8]) -> Answer {
    let asked = Asked::read(body);
    let is_anthropic = path.ends_with("/messages");
    if asked.model.ends_with("-busy") {
        return busy(is_anthropic);
    }
    match path {
        _ if is_anthropic && asked.streams => message_stream(&asked),
        _ if is_anthropic => whole(StatusCode::OK, &message(&asked)),
        _ if path.ends_with("/chat/completions") && asked.streams => chat_stream(&asked),
        _ if path.ends_with("/chat/completions") => whole(StatusCode::OK, &chat(&asked)),
        _ if path.ends_with("/responses") && asked.streams => response_stream(&asked),
        _ if path.ends_with("/responses") => whole(StatusCode::OK, &response(&asked)),
        _ if path.ends_with("/embeddings") => whole(StatusCode::OK, &embeddings(&asked)),
        _ => {
            let error = json!({"message": "the scripted provider has no such path"});
            whole(StatusCode::NOT_FOUND, &json!({ "error": error }))
        }
    }
}

fn busy(is_anthropic: bool) -> Answer {
    let error = json!({"type": "rate_limit_error", "message": "too many requests, slow down"});
    let body = match is_anthropic {
        true => json!({"type": "error", "error": error}),
        false => json!({ "error": error }),
    };
    let mut answer = whole(StatusCode::TOO_MANY_REQUESTS, &body);
    answer.headers.insert(RETRY_AFTER, HeaderValue::from_static("7"));
    answer
}

fn whole(status: StatusCode, body: &Value) -> Answer {
    let json = HeaderValue::from_static("application/json");
    Answer {
        status,
        headers: HeaderMap::from_iter([(CONTENT_TYPE, json)]),
        pieces: VecDeque::from([Bytes::from(body.to_string())]),
        pause: PAUSE,
    }
}

fn stream(events: impl IntoIterator<Item = String>) -> Answer {
    let events_type = HeaderValue::from_static("text/event-stream");
    Answer {
        status: StatusCode::OK,
        headers: HeaderMap::from_iter([(CONTENT_TYPE, events_type)]),
        pieces: events.into_iter().map(Bytes::from).collect(),
        pause: PAUSE,
    }
}

/// An event as OpenAI's chat writes it.
fn data(value: &Value) -> String {
    format!("data: {value}\n\n")
}

/// An event that also says its type beside the data.
fn named(value: &Value) -> String {
    let name = value["type"].as_str().unwrap_or_default();
    format!("event: {name}\ndata: {value}\n\n")
}

// === impl Asked ===

impl Asked {
    fn read(body: &[u8]) -> Self {
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let model = body["model"].as_str().unwrap_or("nameless").to_owned();
        let limit = ["max_tokens", "max_completion_tokens", "max_output_tokens"];
        let limit = limit.iter().find_map(|name| body[*name].as_u64());
        let said = ["messages", "input", "system"].map(|name| body[name].to_string());
        Self {
            words: words(&model, limit.unwrap_or(12).min(MOST_WORDS)),
            streams: body["stream"] == true,
            wants_usage: body["stream_options"]["include_usage"] == true,
            input: said.iter().map(|text| text.split(' ').count() as u64).sum(),
            model,
        }
    }

    fn text(&self) -> String {
        self.words.concat()
    }

    fn output(&self) -> u64 {
        self.words.len() as u64
    }
}

fn words(model: &str, limit: u64) -> Vec<String> {
    let begin = ["Hello,", "this", "is", model, "from", "a", "script."].map(str::to_owned);
    let count = (1..).map(|number: u64| number.to_string());
    let words = begin.into_iter().chain(count).take(limit as usize);
    words.map(|word| format!("{word} ")).collect()
}

// OpenAI's chat.

fn chat(asked: &Asked) -> Value {
    let message = json!({"role": "assistant", "content": asked.text()});
    json!({
        "id": "chatcmpl-demo", "object": "chat.completion", "created": 0, "model": asked.model,
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": chat_usage(asked),
    })
}

fn chat_usage(asked: &Asked) -> Value {
    let (input, output) = (asked.input, asked.output());
    json!({"prompt_tokens": input, "completion_tokens": output, "total_tokens": input + output})
}

fn chat_stream(asked: &Asked) -> Answer {
    let chunk = |choices: Value| {
        json!({
            "id": "chatcmpl-demo", "object": "chat.completion.chunk", "created": 0,
            "model": asked.model, "choices": choices,
        })
    };
    let delta = |delta: Value, end: Value| {
        data(&chunk(json!([{"index": 0, "delta": delta, "finish_reason": end}])))
    };
    let mut events = vec![delta(json!({"role": "assistant", "content": ""}), Value::Null)];
    let words = asked.words.iter();
    events.extend(words.map(|word| delta(json!({"content": word}), Value::Null)));
    events.push(delta(json!({}), json!("stop")));
    if asked.wants_usage {
        let mut last = chunk(json!([]));
        last["usage"] = chat_usage(asked);
        events.push(data(&last));
    }
    events.push("data: [DONE]\n\n".to_owned());
    stream(events)
}

// OpenAI's responses and embeddings.

fn response(asked: &Asked) -> Value {
    let text = json!([{"type": "output_text", "text": asked.text(), "annotations": []}]);
    json!({
        "id": "resp_demo", "object": "response", "created_at": 0, "model": asked.model,
        "status": "completed", "error": null,
        "output": [{"type": "message", "id": "msg_demo", "role": "assistant", "content": text}],
        "usage": {
            "input_tokens": asked.input, "output_tokens": asked.output(),
            "total_tokens": asked.input + asked.output(),
        },
    })
}

fn response_stream(asked: &Asked) -> Answer {
    let begun = json!({"id": "resp_demo", "object": "response", "status": "in_progress"});
    let mut events = vec![named(&json!({"type": "response.created", "response": begun}))];
    events.extend(asked.words.iter().map(|word| {
        named(&json!({
            "type": "response.output_text.delta", "item_id": "msg_demo", "output_index": 0,
            "content_index": 0, "delta": word,
        }))
    }));
    let done = json!({"type": "response.completed", "response": response(asked)});
    events.push(named(&done));
    stream(events)
}

fn embeddings(asked: &Asked) -> Value {
    json!({
        "object": "list", "model": asked.model,
        "data": [{"object": "embedding", "index": 0, "embedding": [0.125, -0.5, 0.25]}],
        "usage": {"prompt_tokens": asked.input, "total_tokens": asked.input},
    })
}

// Anthropic's messages.

fn message(asked: &Asked) -> Value {
    json!({
        "id": "msg_demo", "type": "message", "role": "assistant", "model": asked.model,
        "content": [{"type": "text", "text": asked.text()}],
        "stop_reason": "end_turn", "stop_sequence": null,
        "usage": {"input_tokens": asked.input, "output_tokens": asked.output()},
    })
}

fn message_stream(asked: &Asked) -> Answer {
    let mut begun = message(asked);
    begun["content"] = json!([]);
    begun["stop_reason"] = Value::Null;
    let usage =
        json!({"input_tokens": 3, "cache_read_input_tokens": asked.input, "output_tokens": 1});
    begun["usage"] = usage;
    let block = json!({"type": "text", "text": ""});
    let mut events = vec![
        named(&json!({"type": "message_start", "message": begun})),
        named(&json!({"type": "content_block_start", "index": 0, "content_block": block})),
    ];
    events.extend(asked.words.iter().map(|word| {
        let delta = json!({"type": "text_delta", "text": word});
        named(&json!({"type": "content_block_delta", "index": 0, "delta": delta}))
    }));
    let end = json!({"stop_reason": "end_turn", "stop_sequence": null});
    let usage = json!({"output_tokens": asked.output()});
    events.extend([
        named(&json!({"type": "content_block_stop", "index": 0})),
        named(&json!({"type": "message_delta", "delta": end, "usage": usage})),
        named(&json!({"type": "message_stop"})),
    ]);
    stream(events)
}
