//! What is said, in each dialect: requests, JSON answers, streams, and the tokens they report.

use std::fmt::Write as _;

use fastrand::Rng;

use crate::script::{Counts, Dialect, NOTHING, Plan, Shape};

/// An event of a stream, or a whole JSON body.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    pub(crate) text: String,
    /// What has been reported when it has come.
    pub(crate) counts: Counts,
    /// Does the caller see it?
    pub(crate) shown: bool,
}

/// An error body, for every dialect.
pub(crate) const ERROR: &str = "{\"error\":{\"message\":\"scripted\",\"type\":\"scripted\"}}";

// === impl Dialect ===

impl Dialect {
    pub(crate) fn target(self, shape: Shape, model: &str) -> String {
        match (self, shape) {
            (Self::Chat, _) => "/v1/chat/completions".to_owned(),
            (Self::Messages, _) => "/v1/messages?beta=true".to_owned(),
            (Self::Responses, _) => "/v1/responses".to_owned(),
            (Self::Gemini, Shape::Call) => format!("/v1beta/models/{model}:generateContent"),
            (Self::Gemini, Shape::Stream) => {
                format!("/v1beta/models/{model}:streamGenerateContent?alt=sse")
            }
        }
    }

    /// How an error event begins.
    pub(crate) fn error(self) -> &'static str {
        match self {
            Self::Chat => "data: {\"error\":{\"message\":",
            Self::Messages => "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":",
            Self::Responses => "event: error\ndata: {\"type\":\"error\",",
            Self::Gemini => "data: {\"error\":{\"code\":",
        }
    }
}

/// What the caller sends.
pub(crate) fn request(plan: &Plan) -> String {
    let (model, prompt) = (plan.model(), "x".repeat(plan.prompt));
    let stream = match plan.shape {
        Shape::Call => "",
        Shape::Stream => "\"stream\":true,",
    };
    let body = match plan.dialect {
        Dialect::Gemini => format!("{{\"contents\":[{{\"parts\":[{{\"text\":\"{prompt}\"}}]}}]}}"),
        _ => {
            format!("{{\"model\":\"{model}\",{stream}\"messages\":[{{\"content\":\"{prompt}\"}}]}}")
        }
    };
    format!(
        "POST {} HTTP/1.1\r\nhost: soak\r\ncontent-type: application/json\r\n\
         x-claude-code-session-id: {}\r\ncontent-length: {}\r\n\r\n{body}",
        plan.dialect.target(plan.shape, model),
        plan.id,
        body.len(),
    )
}

/// A whole JSON answer; its usage comes last.
pub(crate) fn json(dialect: Dialect, rng: &mut Rng) -> Event {
    let (tokens, said) = (Tokens::draw(dialect, rng), "y".repeat(rng.usize(20..4000)));
    let usage = tokens.usage(dialect, tokens.output);
    let text = match dialect {
        Dialect::Chat => {
            format!(
                "{{\"choices\":[{{\"message\":{{\"content\":\"{said}\"}}}}],\"usage\":{usage}}}"
            )
        }
        Dialect::Messages => {
            format!("{{\"content\":[{{\"type\":\"text\",\"text\":\"{said}\"}}],\"usage\":{usage}}}")
        }
        Dialect::Responses => format!("{{\"output\":[\"{said}\"],\"usage\":{usage}}}"),
        Dialect::Gemini => format!(
            "{{\"candidates\":[{{\"content\":{{\"parts\":[{{\"text\":\"{said}\"}}]}}}}],\
             \"usageMetadata\":{usage}}}"
        ),
    };
    Event { text, counts: tokens.counts(tokens.output), shown: true }
}

/// A whole stream.
pub(crate) fn stream(dialect: Dialect, rng: &mut Rng) -> Vec<Event> {
    let (tokens, deltas) = (Tokens::draw(dialect, rng), rng.u64(3..40));
    let words = (0..deltas).map(|_| "z".repeat(rng.usize(1..60)));
    let events = match dialect {
        Dialect::Chat => chat(&tokens, words),
        Dialect::Messages => messages(&tokens, words),
        Dialect::Responses => responses(&tokens, words),
        Dialect::Gemini => gemini(&tokens, words),
    };
    events.collect()
}

/// What one call costs.
struct Tokens {
    input: u64,
    output: u64,
    read: u64,
    written: Option<u64>,
}

impl Tokens {
    fn draw(dialect: Dialect, rng: &mut Rng) -> Self {
        Self {
            input: rng.u64(1..9000),
            output: rng.u64(50..900),
            read: rng.u64(..500),
            written: (dialect == Dialect::Messages).then(|| rng.u64(..500)),
        }
    }

    fn counts(&self, output: u64) -> Counts {
        [Some(self.input), Some(output), Some(self.read), self.written]
    }

    fn usage(&self, dialect: Dialect, output: u64) -> String {
        let Self { input, read, .. } = self;
        let (all, written) = (input + read, self.written.unwrap_or_default());
        match dialect {
            Dialect::Chat => format!(
                "{{\"prompt_tokens\":{all},\"completion_tokens\":{output},\
                 \"prompt_tokens_details\":{{\"cached_tokens\":{read}}}}}"
            ),
            Dialect::Messages => format!(
                "{{\"input_tokens\":{input},\"output_tokens\":{output},\
                 \"cache_read_input_tokens\":{read},\"cache_creation_input_tokens\":{written}}}"
            ),
            Dialect::Responses => format!(
                "{{\"input_tokens\":{all},\"output_tokens\":{output},\
                 \"input_tokens_details\":{{\"cached_tokens\":{read}}}}}"
            ),
            Dialect::Gemini => format!(
                "{{\"promptTokenCount\":{all},\"candidatesTokenCount\":{output},\
                 \"cachedContentTokenCount\":{read}}}"
            ),
        }
    }
}

type Events<'a> = Box<dyn Iterator<Item = Event> + 'a>;

fn event(name: &str, data: &str, counts: Counts) -> Event {
    let mut text = String::new();
    if !name.is_empty() {
        let _ = writeln!(text, "event: {name}");
    }
    let _ = write!(text, "data: {data}\n\n");
    Event { text, counts, shown: true }
}

fn chat<'a>(tokens: &'a Tokens, words: impl Iterator<Item = String> + 'a) -> Events<'a> {
    let counts = tokens.counts(tokens.output);
    let delta = |word| {
        let data =
            format!("{{\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{word}\"}}}}]}}");
        event("", &data, NOTHING)
    };
    let finish = "{\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}";
    let usage = tokens.usage(Dialect::Chat, tokens.output);
    let usage = event("", &format!("{{\"choices\":[],\"usage\":{usage}}}"), counts);
    let last =
        [event("", finish, NOTHING), Event { shown: false, ..usage }, event("", "[DONE]", counts)];
    Box::new(words.map(delta).chain(last))
}

fn messages<'a>(tokens: &'a Tokens, words: impl Iterator<Item = String> + 'a) -> Events<'a> {
    let (begun, counts) = (tokens.counts(1), tokens.counts(tokens.output));
    let usage = tokens.usage(Dialect::Messages, 1);
    let start = format!("{{\"type\":\"message_start\",\"message\":{{\"usage\":{usage}}}}}");
    let delta = move |word| {
        let data = format!(
            "{{\"type\":\"content_block_delta\",\"index\":0,\
             \"delta\":{{\"type\":\"text_delta\",\"text\":\"{word}\"}}}}"
        );
        event("content_block_delta", &data, begun)
    };
    let told = format!(
        "{{\"type\":\"message_delta\",\"delta\":{{\"stop_reason\":\"end_turn\"}},\
         \"usage\":{{\"output_tokens\":{}}}}}",
        tokens.output
    );
    let first = event("message_start", &start, begun);
    let last = [
        event("message_delta", &told, counts),
        event("message_stop", "{\"type\":\"message_stop\"}", counts),
    ];
    Box::new([first].into_iter().chain(words.map(delta)).chain(last))
}

fn responses<'a>(tokens: &'a Tokens, words: impl Iterator<Item = String> + 'a) -> Events<'a> {
    let delta = |word| {
        let name = "response.output_text.delta";
        event(name, &format!("{{\"type\":\"{name}\",\"delta\":\"{word}\"}}"), NOTHING)
    };
    let name = "response.completed";
    let usage = tokens.usage(Dialect::Responses, tokens.output);
    let data = format!("{{\"type\":\"{name}\",\"response\":{{\"usage\":{usage}}}}}");
    Box::new(words.map(delta).chain([event(name, &data, tokens.counts(tokens.output))]))
}

/// Each chunk reports what has been used so far.
fn gemini<'a>(tokens: &'a Tokens, words: impl Iterator<Item = String> + 'a) -> Events<'a> {
    let chunk = |(so_far, word)| {
        let usage = tokens.usage(Dialect::Gemini, so_far);
        let data = format!(
            "{{\"candidates\":[{{\"content\":{{\"parts\":[{{\"text\":\"{word}\"}}]}}}}],\
             \"usageMetadata\":{usage}}}"
        );
        event("", &data, tokens.counts(so_far))
    };
    let usage = tokens.usage(Dialect::Gemini, tokens.output);
    let last =
        format!("{{\"candidates\":[{{\"finishReason\":\"STOP\"}}],\"usageMetadata\":{usage}}}");
    let last = event("", &last, tokens.counts(tokens.output));
    Box::new((1..).zip(words).map(chunk).chain([last]))
}
