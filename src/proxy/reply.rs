//! Answers: an upstream's, relayed; or Pillion's own words.

use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Response, StatusCode, Version};

use super::body::ReplyBody;
use super::failure::{Consequences, Failure, Retry};
use super::headers::strip_hop_by_hop;
use super::inflow::Inflow;
use super::metrics::OneMore;
use super::record::{Observation, Outcome};
use super::relay::{Parts, Relay, Watch};
use super::rewrite::Rewrite;
use super::silence::Silence;
use super::upstream::{Answer, Expected};
use super::worker::Worker;
use crate::llm::operation::Kind;
use crate::llm::shapes;
use crate::llm::tap::AnswerTap;
use crate::llm::usage_chunk::UsageChunkFilter;
use crate::llm::{Api, Dialect};

const REASON: HeaderName = HeaderName::from_static("x-pillion-reason");
/// Read by the SDKs of OpenAI and Anthropic; it overrides their own rules.
const SHOULD_RETRY: HeaderName = HeaderName::from_static("x-should-retry");
const JSON: HeaderValue = HeaderValue::from_static("application/json");
/// Under these names providers tell the id of a request.
const REQUEST_IDS: [HeaderName; 4] = [
    HeaderName::from_static("request-id"),
    HeaderName::from_static("x-request-id"),
    HeaderName::from_static("apim-request-id"),
    HeaderName::from_static("x-goog-request-id"),
];

/// What the pipeline comes to.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "taken apart as soon as it is made: a box would be an allocation a call"
)]
pub enum Reply {
    /// An upstream's answer.
    Relayed(Relayed),
    /// A translated stream.
    Streamed(Box<Streamed>),
    /// A translated answer.
    Whole(Box<Response<Bytes>>),
    /// Pillion's own JSON, with status 200 unless it is a lie.
    Own(StatusCode, Bytes),
}

/// A stream that is translated as it passes.
#[derive(Debug)]
pub struct Streamed {
    /// Status and headers, as the client gets them.
    pub head: http::response::Parts,
    /// What comes from the upstream.
    pub inflow: Inflow,
    /// What is looked at.
    pub watch: Watch,
    /// The translation.
    pub rewrite: Rewrite,
    /// The caller's API.
    pub api: Api,
}

/// An upstream's answer and what its relay needs to know.
#[derive(Debug)]
pub struct Relayed {
    /// The answer.
    pub answer: Answer,
    /// Its timers.
    pub silence: Silence,
    /// The caller's API.
    pub api: Api,
    /// The operation that was asked for.
    pub kind: Kind,
    /// Was usage asked for that the client did not ask for?
    pub usage: UsageAsked,
    /// What the request asked for.
    pub expected: Expected,
}

/// Who asked an OpenAI stream for its usage?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UsageAsked {
    /// Pillion did: the extra chunk is taken out again.
    ByPillion,
    /// Nobody, or the client itself.
    AsSent,
}

impl Reply {
    /// The response, with its books either closed or on their way.
    pub fn into_response(self, worker: &Worker, books: Box<Observation>) -> Response<ReplyBody> {
        match self {
            Self::Relayed(relayed) => relayed.into_response(worker, books),
            Self::Streamed(streamed) => streamed.into_response(worker, books),
            Self::Whole(response) => served(*response, books),
            Self::Own(status, body) => served(own(status, body), books),
        }
    }
}

/// An answer that is all here.
fn served(response: Response<Bytes>, mut books: Box<Observation>) -> Response<ReplyBody> {
    books.seen.status = response.status().as_u16();
    books.seen.response_bytes = response.body().len() as u64;
    books.settle(&Outcome::Served);
    response.map(|body| ReplyBody::Own(Some(body)))
}

impl Streamed {
    fn into_response(self, worker: &Worker, mut books: Box<Observation>) -> Response<ReplyBody> {
        let mut head = self.head;
        books.seen.status = head.status.as_u16();
        head.version = Version::HTTP_11;
        let relay = Relay::new(Parts {
            inflow: self.inflow,
            watch: self.watch,
            rewrite: self.rewrite,
            api: self.api,
            // A translated request is held whole.
            expected: Expected::Events,
            observation: books,
            open: OneMore::of(&worker.shared.metrics.open_streams),
        });
        Response::from_parts(head, ReplyBody::Relayed(relay))
    }
}

impl Relayed {
    fn into_response(self, worker: &Worker, mut books: Box<Observation>) -> Response<ReplyBody> {
        let (mut head, source) = self.answer.into_parts();
        books.seen.status = head.status.as_u16();
        books.seen.request_id = request_id(&head.headers);
        strip_hop_by_hop(&mut head.headers);
        // The version is this hop's own: hyper would give an HTTP/1.0 upstream's answer an end that
        // cannot be told from a break.
        head.version = Version::HTTP_11;
        let watch = watch(head.status, &head.headers, self.kind);
        let streamed = matches!(&watch, Watch::Tap(tap) if tap.is_event_stream());
        if streamed {
            // A declared length would let a stream that ends early look whole to the client.
            head.headers.remove(header::CONTENT_LENGTH);
        }
        // A provider may compress although it was asked not to: nothing can be taken out of that.
        let asked = streamed && self.usage == UsageAsked::ByPillion && is_plain(&head.headers);
        let rewrite = match asked {
            true => Rewrite::UsageChunk(UsageChunkFilter::default()),
            false => Rewrite::Nothing,
        };
        let relay = Relay::new(Parts {
            inflow: Inflow::new(source, self.silence),
            watch,
            rewrite,
            api: self.api,
            expected: self.expected,
            observation: books,
            open: OneMore::of(&worker.shared.metrics.open_streams),
        });
        Response::from_parts(head, ReplyBody::Relayed(relay))
    }
}

/// A failure in the caller's dialect.
pub fn failed(
    failure: &Failure,
    dialect: Dialect,
    mut books: Box<Observation>,
) -> Response<ReplyBody> {
    let response = refusal(failure, dialect);
    books.seen.status = response.status().as_u16();
    books.seen.response_bytes = response.body().len() as u64;
    books.settle(&Outcome::Failed(failure));
    response.map(|body| ReplyBody::Own(Some(body)))
}

/// The same as plain data.
pub fn refusal(failure: &Failure, dialect: Dialect) -> Response<Bytes> {
    let consequences = failure.consequences();
    let status = consequences.status;
    let body = shapes::error_body(dialect, consequences.kind, status.as_u16(), &failure.told());
    let mut response = own(status, body);
    explain_retry(response.headers_mut(), &consequences);
    response
}

fn explain_retry(headers: &mut HeaderMap, consequences: &Consequences) {
    headers.insert(REASON, HeaderValue::from_static(consequences.reason));
    match consequences.retry {
        Retry::Never => {
            headers.insert(SHOULD_RETRY, HeaderValue::from_static("false"));
        }
        Retry::Possible => {}
        Retry::After(wait) => {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(wait.as_secs().max(1)));
        }
    }
    if consequences.status == StatusCode::METHOD_NOT_ALLOWED {
        headers.insert(header::ALLOW, HeaderValue::from_static("GET, HEAD, POST"));
    }
}

fn own(status: StatusCode, body: Bytes) -> Response<Bytes> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, JSON);
    response
}

fn is_plain(headers: &HeaderMap) -> bool {
    headers
        .get(header::CONTENT_ENCODING)
        .is_none_or(|coding| coding.as_bytes().eq_ignore_ascii_case(b"identity"))
}

fn watch(status: StatusCode, headers: &HeaderMap, kind: Kind) -> Watch {
    if !status.is_success() {
        return Watch::Nothing;
    }
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let content_type = text(header::CONTENT_TYPE).unwrap_or_default();
    let content_encoding = text(header::CONTENT_ENCODING).unwrap_or_default();
    Watch::Tap(Box::new(AnswerTap::new(kind, content_type, content_encoding)))
}

pub(super) fn request_id(headers: &HeaderMap) -> Option<Box<str>> {
    let value = REQUEST_IDS.iter().find_map(|name| headers.get(name))?;
    let text = value.to_str().ok()?;
    Some(text[..text.floor_char_boundary(128)].into())
}
