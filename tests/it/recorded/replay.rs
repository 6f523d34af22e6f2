//! Recordings as calls: what is asked, what the provider answers, and in which pieces.

use std::fs;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use fastrand::Rng;

use super::codings::Coding;
use super::corpus::{Exchange, Operation, corpus, recorded};
use crate::support::client::{Answer, request};

/// Names a call on its way through.
pub(super) const ID: &str = "x-claude-code-session-id";

/// Headers of a recording that are the hop's own.
const HOP: [&str; 3] = ["transfer-encoding", "content-encoding", "connection"];

/// A recording with one content coding.
pub(super) struct Call {
    pub(super) exchange: Arc<Exchange>,
    /// What [`ID`] carries.
    pub(super) id: String,
    /// What the client sends.
    pub(super) asked: String,
    coding: Coding,
    /// What the provider sends, encoded.
    pub(super) body: Vec<u8>,
    seed: u64,
}

/// Calls, with what went wrong in them.
#[derive(Default)]
pub(super) struct Calls {
    pub(super) all: Vec<Call>,
    wrong: Mutex<Vec<String>>,
}

/// What is made of recordings.
pub(super) struct Choice {
    pub(super) seed: u64,
    pub(super) codings: &'static [Coding],
    pub(super) wanted: fn(&Exchange) -> bool,
    /// The request of a recording; `None` for the recorded one.
    pub(super) asked: Option<&'static str>,
}

// === impl Calls ===

impl Calls {
    /// Every recording that is wanted, in every coding.
    pub(super) fn of(choice: &Choice) -> Self {
        let all = recorded().into_iter().filter(choice.wanted).map(Arc::new);
        let calls = all.flat_map(|exchange| {
            let of = move |coding: &Coding| Call::of(&exchange, *coding, choice);
            choice.codings.iter().map(of)
        });
        Self { all: calls.collect(), wrong: Mutex::default() }
    }

    /// The call that a request belongs to.
    #[track_caller]
    pub(super) fn named(&self, id: &str) -> &Call {
        self.all.iter().find(|call| call.id == id).unwrap_or_else(|| panic!("no call {id:?}"))
    }

    pub(super) fn wrong(&self, call: &Call, what: impl std::fmt::Display) {
        self.wrong.lock().unwrap().push(format!("{}: {what}", call.id));
    }

    /// Fails if anything was wrong.
    #[track_caller]
    pub(super) fn judge(&self) {
        let wrong = self.wrong.lock().unwrap();
        let shown: Vec<_> = wrong.iter().take(20).map(String::as_str).collect();
        assert!(wrong.is_empty(), "{} wrong, such as\n{}", wrong.len(), shown.join("\n"));
    }
}

// === impl Call ===

impl Call {
    fn of(exchange: &Arc<Exchange>, coding: Coding, choice: &Choice) -> Self {
        let id = format!("{} {}", exchange.id, coding.name().unwrap_or("plain"));
        // Each has a seed of its own, so that threads that race do not change what is sent.
        let seed = id.bytes().fold(choice.seed, |seed, byte| {
            (seed ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        Self {
            asked: choice.asked.map_or_else(|| recorded_request(exchange), str::to_owned),
            body: coding.encode(&exchange.body, &mut Rng::with_seed(seed)),
            exchange: Arc::clone(exchange),
            id,
            coding,
            seed,
        }
    }

    /// The request as the client sends it.
    pub(super) fn request(&self) -> Vec<u8> {
        let mut headers = vec![(ID, self.id.as_str()), ("content-type", "application/json")];
        headers.extend(self.coding.name().map(|coding| ("accept-encoding", coding)));
        request("POST", &self.target(), &headers, &self.asked)
    }

    /// Where clients of this API ask; recordings of other APIs go as paths that Pillion relays
    /// without knowing them.
    fn target(&self) -> String {
        let recorded =
            || self.exchange.record["url_path"].as_str().unwrap_or("/unknown").to_owned();
        match self.exchange.operation {
            Operation::Chat => "/v1/chat/completions".to_owned(),
            Operation::Completions => "/v1/completions".to_owned(),
            Operation::Responses => "/v1/responses".to_owned(),
            Operation::Embeddings => "/v1/embeddings".to_owned(),
            Operation::Messages => "/v1/messages?beta=true".to_owned(),
            Operation::CountTokens => "/v1/messages/count_tokens".to_owned(),
            Operation::GenerateContent if self.exchange.stream => {
                "/v1beta/models/m:streamGenerateContent?alt=sse".to_owned()
            }
            Operation::GenerateContent => "/v1beta/models/m:generateContent".to_owned(),
            Operation::Opaque => "/openai".to_owned() + &recorded(),
        }
    }

    /// The labels that this call is counted under: `api`, `gen_ai_operation_name`.
    pub(super) fn labels(&self) -> (&'static str, &'static str) {
        match self.exchange.operation {
            Operation::Chat => ("OpenAiChat", "chat"),
            Operation::Completions => ("OpenAi", "text_completion"),
            Operation::Responses => ("OpenAiResponses", "chat"),
            Operation::Embeddings => ("OpenAiEmbeddings", "embeddings"),
            Operation::Messages => ("AnthropicMessages", "chat"),
            Operation::CountTokens => ("AnthropicMessages", "count_tokens"),
            Operation::GenerateContent => ("Gemini", "generate_content"),
            Operation::Opaque => ("OpenAi", "other"),
        }
    }

    /// The headers of the provider's answer, without framing.
    pub(super) fn headers(&self) -> Vec<(String, String)> {
        let recorded = self.exchange.record["headers"].as_object().unwrap();
        let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
        let mut headers: Vec<_> =
            recorded.iter().map(|(name, value)| (name.clone(), text(value))).collect();
        headers.retain(|(name, _)| !HOP.contains(&name.as_str()) && name != "content-type");
        headers.push(("content-type".to_owned(), self.exchange.content_type.clone()));
        let coding = self.coding.name();
        headers.extend(coding.map(|coding| ("content-encoding".to_owned(), coding.to_owned())));
        headers
    }

    /// The answer as DATA frames, none of them empty: `h2` gives up a connection on the hundredth.
    pub(super) fn frames(&self) -> Vec<Bytes> {
        let mut frames = pieces(&self.body, &mut Rng::with_seed(self.seed));
        frames.retain(|frame| !frame.is_empty());
        frames
    }

    /// The answer as HTTP/1.1, in the pieces that it is written in, and whether its end is told
    /// by the end of the connection.
    pub(super) fn writes(&self) -> (Vec<Bytes>, Ending) {
        let mut rng = Rng::with_seed(self.seed);
        let status = self.exchange.status;
        let mut wire = format!("HTTP/1.1 {status} Recorded\r\n");
        self.headers().iter().for_each(|(name, value)| wire += &format!("{name}: {value}\r\n"));
        let ending = match rng.u8(..10) {
            0 => Ending::Close,
            _ => Ending::Framed,
        };
        let body = match (ending, rng.u8(..4)) {
            (Ending::Close, _) => {
                wire += "\r\n";
                self.body.clone()
            }
            (Ending::Framed, 0) => {
                wire += &format!("content-length: {}\r\n\r\n", self.body.len());
                self.body.clone()
            }
            (Ending::Framed, _) => {
                wire += "transfer-encoding: chunked\r\n\r\n";
                chunked(&self.body, &mut rng)
            }
        };
        (pieces(&[wire.as_bytes(), &body].concat(), &mut rng), ending)
    }

    /// Notes all that is not as it should be in what the client got: `body` is what it must be.
    pub(super) fn compare(&self, calls: &Calls, answer: &Answer, body: &[u8]) {
        if u64::from(answer.status()) != self.exchange.status || !answer.is_whole() {
            calls.wrong(self, format!("{:?}, {:?}", answer.head.first_line, answer.end));
        }
        if answer.body != body {
            let same = answer.body.iter().zip(body).take_while(|(got, sent)| got == sent).count();
            let lengths = (answer.body.len(), body.len());
            calls.wrong(self, format!("other bytes from {same} on, of {lengths:?}"));
        }
        for (name, value) in self.headers() {
            if answer.head.header(&name) != Some(&value) {
                calls.wrong(
                    self,
                    format!("{name} is {:?}, not {value:?}", answer.head.header(&name)),
                );
            }
        }
    }
}

/// What tells the end of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    Framed,
    Close,
}

fn recorded_request(exchange: &Exchange) -> String {
    match (exchange.record["request"].as_str(), corpus()) {
        (Some(file), Some(folder)) => {
            fs::read_to_string(folder.join("recorded").join(file)).unwrap()
        }
        _ if exchange.stream => "{\"model\": \"m\", \"stream\": true}".to_owned(),
        _ => "{\"model\": \"m\"}".to_owned(),
    }
}

fn chunked(body: &[u8], rng: &mut Rng) -> Vec<u8> {
    let chunks = pieces(body, rng).into_iter().filter(|piece| !piece.is_empty());
    let mut wire: Vec<u8> = chunks.flat_map(crate::support::upstream::chunk).collect();
    wire.extend_from_slice(crate::support::upstream::LAST_CHUNK);
    wire
}

/// All of it at once, in a few pieces, in many, or (if it is short) byte by byte.
fn pieces(bytes: &[u8], rng: &mut Rng) -> Vec<Bytes> {
    let cuts = match rng.u8(..8) {
        0 => 0,
        1 if bytes.len() < 1000 => return bytes.chunks(1).map(Bytes::copy_from_slice).collect(),
        1..=4 => rng.usize(1..6),
        _ => rng.usize(6..40),
    };
    let mut cuts: Vec<usize> = (0..cuts).map(|_| rng.usize(..=bytes.len())).collect();
    cuts.extend([0, bytes.len()]);
    cuts.sort_unstable();
    cuts.windows(2).map(|pair| Bytes::copy_from_slice(&bytes[pair[0]..pair[1]])).collect()
}
