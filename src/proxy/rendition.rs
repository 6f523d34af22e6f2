//! The answers to translated calls, given back in the caller's dialect.
//!
//! A streamed answer is translated as it passes ([`super::rewrite`]); any other is held whole,
//! because its status depends on whether it can be read.

use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::response::Parts as Head;
use http::{Response, Version};

use super::call::{Body, Call};
use super::failure::Failure;
use super::headers::strip_hop_by_hop;
use super::inflow::Inflow;
use super::record::Observation;
use super::relay::Watch;
use super::reply::{Reply, Streamed, request_id};
use super::rewrite::{self, Rewrite};
use super::silence::Silence;
use super::translation::{self, Translated, decoded, text};
use super::upstream::Answer;
use super::worker::Limits;
use crate::llm::decode::Coding;
use crate::llm::tap::AnswerTap;
use crate::llm::translate::conversation::Delivery;
use crate::llm::translate::{Asked, Occasion, Pair};
use crate::telemetry;

/// The id of an answer: OpenAI's SDKs look for the first name, Anthropic's for the second.
const REQUEST_IDS: [HeaderName; 2] =
    [HeaderName::from_static("x-request-id"), HeaderName::from_static("request-id")];
/// What is said of the bytes of a body, and no longer true of another one.
const OF_THE_BODY: [HeaderName; 6] = [
    header::CONTENT_LENGTH,
    header::CONTENT_ENCODING,
    header::ETAG,
    HeaderName::from_static("content-md5"),
    HeaderName::from_static("content-digest"),
    HeaderName::from_static("repr-digest"),
];
/// Marks what Pillion guessed, by the member's name.
const ESTIMATED: HeaderName = HeaderName::from_static("x-pillion-estimated");
const JSON: HeaderValue = HeaderValue::from_static("application/json");
const EVENT_STREAM: HeaderValue = HeaderValue::from_static("text/event-stream; charset=utf-8");
/// Of a longer error only the status is told.
const ERROR_BYTES: usize = 1 << 20;

/// An answer to a translated call, and how it came.
pub struct Received<'a> {
    /// How much of it may be held.
    pub limits: &'a Limits,
    /// The answer.
    pub answer: Answer,
    /// Its timers.
    pub silence: Silence,
}

/// `count_tokens` where the upstream has no such thing.
///
/// # Errors
/// [`Failure::BadRequest`], which names the field.
pub fn estimate(call: &Call, pair: Pair, limit: usize) -> Result<Reply, Failure> {
    let tokens = tokens(call, pair, limit)?;
    let mut response = Response::new(Bytes::from(format!("{{\"input_tokens\":{tokens}}}")));
    response.headers_mut().insert(header::CONTENT_TYPE, JSON);
    response.headers_mut().insert(ESTIMATED, HeaderValue::from_static("input_tokens"));
    Ok(Reply::Whole(Box::new(response)))
}

/// The tokens that [`estimate`] tells.
///
/// # Errors
/// As [`estimate`].
pub fn tokens<B: Body>(call: &Call<B>, pair: Pair, limit: usize) -> Result<u64, Failure> {
    let body = call.body.whole().ok_or_else(translation::no_json)?;
    let body = translation::plain(&call.head.headers, &body, limit)?;
    pair.client().estimate(&body).map_err(translation::refused)
}

// === impl Received ===

impl Received<'_> {
    /// The reply to a translated call.
    ///
    /// # Errors
    /// [`Failure`] if the answer does not come whole, or is none of the upstream's dialect.
    pub async fn reply(
        self,
        Translated { pair, asked }: Translated,
        books: &mut Observation,
    ) -> Result<Reply, Failure> {
        let (mut head, source) = self.answer.into_parts();
        books.seen.request_id = request_id(&head.headers);
        let inflow = Inflow::new(source, self.silence);
        let reading = Reading::of(pair, &head.headers);
        strip_hop_by_hop(&mut head.headers);
        // This hop's own, whatever the upstream's is.
        head.version = Version::HTTP_11;
        let streams = head.status.is_success() && reading.tap.is_event_stream();
        if streams && asked.delivery != Delivery::Whole {
            return reading.streamed(asked, head, inflow);
        }
        if !head.status.is_success() {
            return reading.refused(head, inflow).await;
        }
        let limit = self.limits.body_bytes;
        reading.whole(&asked, head, (inflow, limit), books).await
    }
}

/// How an answer is read.
struct Reading {
    pair: Pair,
    coding: Option<Coding>,
    tap: AnswerTap,
}

impl Reading {
    fn of(pair: Pair, headers: &HeaderMap) -> Self {
        let (kind, _) = translation::operation(pair.upstream());
        let content_type = text(headers, header::CONTENT_TYPE);
        let content_encoding = text(headers, header::CONTENT_ENCODING);
        let tap = AnswerTap::new(kind, content_type, content_encoding);
        Self { pair, coding: Coding::named(content_encoding), tap }
    }

    fn streamed(self, asked: Asked, mut head: Head, inflow: Inflow) -> Result<Reply, Failure> {
        let coding = self.coding.ok_or_else(unknown_coding)?;
        own(&mut head.headers, EVENT_STREAM);
        let translator = self.pair.stream(asked, occasion());
        Ok(Reply::Streamed(Box::new(Streamed {
            head,
            inflow,
            watch: Watch::Tap(Box::new(self.tap)),
            rewrite: Rewrite::Translated(rewrite::Translated::new(translator, coding)),
            api: self.pair.client().api(),
        })))
    }

    /// An error of the upstream's. Its status counts, even if what it says cannot be read.
    async fn refused(self, mut head: Head, mut inflow: Inflow) -> Result<Reply, Failure> {
        let body = match inflow.whole(ERROR_BYTES).await {
            Ok(body) => body,
            Err(Failure::UpstreamBroken(_)) => Vec::new(),
            Err(failure) => return Err(failure),
        };
        let text = self.coding.and_then(|coding| decoded(coding, &body, ERROR_BYTES).ok());
        own(&mut head.headers, JSON);
        let told = self.pair.error(head.status.as_u16(), &text.unwrap_or_default());
        Ok(Reply::Whole(Box::new(Response::from_parts(head, told))))
    }

    async fn whole(
        mut self,
        asked: &Asked,
        mut head: Head,
        (mut inflow, limit): (Inflow, usize),
        books: &mut Observation,
    ) -> Result<Reply, Failure> {
        let body = inflow.whole(limit).await?;
        self.tap.observe(&body);
        let body = decoded(self.coding.ok_or_else(unknown_coding)?, &body, limit);
        let body = body.map_err(|fault| Failure::UpstreamBroken(fault.to_string()))?;
        books.seen.usage = self.tap.usage();
        let (told, content_type) = match asked.delivery {
            Delivery::Whole => (self.pair.answer(&body, asked, &occasion()), JSON),
            // It was to be a stream, and came at once.
            Delivery::Stream(_) => {
                (self.pair.answer_as_stream(&body, asked, &occasion()), EVENT_STREAM)
            }
        };
        let told = told.map_err(|unreadable| Failure::UpstreamBroken(unreadable.to_string()))?;
        own(&mut head.headers, content_type);
        Ok(Reply::Whole(Box::new(Response::from_parts(head, Bytes::from(told)))))
    }
}

/// The upstream's headers go on, but for those of its body, which is another one now.
fn own(headers: &mut HeaderMap, content_type: HeaderValue) {
    for name in OF_THE_BODY {
        headers.remove(name);
    }
    headers.insert(header::CONTENT_TYPE, content_type);
    let id = REQUEST_IDS.iter().find_map(|name| headers.get(name)).cloned();
    for (name, id) in REQUEST_IDS.into_iter().zip(id.iter().cycle()) {
        headers.entry(name).or_insert_with(|| id.clone());
    }
}

fn unknown_coding() -> Failure {
    Failure::UpstreamBroken("the answer has a content coding that is not known".to_owned())
}

fn occasion() -> Occasion {
    let id = format!("{:016x}{:016x}", fastrand::u64(..), fastrand::u64(..));
    Occasion { id, created: telemetry::unix_seconds() as u64 }
}
