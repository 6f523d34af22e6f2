//! From a request to a [`Call`]: what it asks for, and as much of its body as routing needs.
//!
//! A JSON body is held whole, within a limit and a shared budget, because only its end tells
//! whether `model` stands in it twice. Anything else (uploads) is passed on as it comes, unless a
//! rule asks for the model in a multipart form.
//!
//! What is read is decided and understood by pure code; [`Intake`] feeds it from a connection,
//! [`read`] from bytes, for `pillion explain`.

use std::future::Future;
use std::ops::Range;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::header::{self, HeaderMap};
use hyper::body::{Body, Incoming};
use tokio::time::{Sleep, sleep};

use super::call::{Call, CallBody, Head, Model, Place};
use super::failure::{BodyEnd, Failure};
use super::worker::{Limits, Worker};
use crate::llm::decode::{Coding, Decoder};
use crate::llm::json::{BodyFacts, BodyScanner};
use crate::llm::multipart;
use crate::llm::operation::ModelAt;
use crate::net::budget::Reservation;
use crate::table::Table;

/// So much of a compressed body is read, on its way to an upstream that decodes it itself.
const DECODED: usize = 64 << 20;

/// What is done with a body.
#[expect(
    clippy::large_enum_variant,
    reason = "taken apart as soon as it is made: a box would be an allocation a call"
)]
enum Need {
    /// It is passed on as it comes; the model, if any, stands in the path.
    Pass(Option<Model>),
    /// It is held and read.
    Read(Reading),
}

/// How a body is read.
enum Reading {
    Json(BodyScanner),
    /// Compressed JSON: a copy is decoded and scanned.
    Sealed(Box<Decoder>, BodyScanner),
    Form,
}

/// A call that is taken in as far as routing needs it.
pub struct Intake {
    need: Need,
    body: Incoming,
    chunks: Vec<Bytes>,
    length: usize,
    reservation: Reservation,
    /// Runs only while nothing comes.
    pause: Option<Pin<Box<Sleep>>>,
}

/// Takes in a call whose body is there already.
///
/// # Errors
/// [`Failure`] when it cannot be understood.
pub fn read(table: &Table, head: Box<Head>, body: Bytes) -> Result<Call<Bytes>, Failure> {
    match need(&head, table)? {
        Need::Pass(model) => Ok(passing(head, model, body)),
        Need::Read(mut reading) => {
            reading.feed(&body)?;
            let (model, facts) = reading.finish(&head.headers, std::slice::from_ref(&body))?;
            Ok(Call { head, model, facts, body })
        }
    }
}

fn need(head: &Head, table: &Table) -> Result<Need, Failure> {
    match &head.operation.model {
        ModelAt::Path(span) => Ok(Need::Pass(Some(path_model(head.uri.path(), span)?))),
        ModelAt::Nowhere => Ok(Need::Pass(None)),
        ModelAt::Body => Ok(reading(&head.headers, table)?.map_or(Need::Pass(None), Need::Read)),
    }
}

fn passing<B>(head: Box<Head>, model: Option<Model>, body: B) -> Call<B> {
    let facts = BodyFacts::default();
    Call { head, model, facts, body }
}

/// How this body must be read, or `None` if it need not be.
fn reading(headers: &HeaderMap, table: &Table) -> Result<Option<Reading>, Failure> {
    let content_type = text(headers, header::CONTENT_TYPE);
    if multipart::boundary(content_type).is_some() {
        return Ok(table.candidates.needs_model().then_some(Reading::Form));
    }
    if content_type.starts_with("multipart/")
        || content_type.starts_with("application/octet-stream")
    {
        return Ok(None);
    }
    match text(headers, header::CONTENT_ENCODING) {
        "" | "identity" => Ok(Some(Reading::Json(BodyScanner::default()))),
        coding => {
            let known = Coding::named(coding).ok_or_else(|| {
                Failure::BadRequest(format!(
                    "`content-encoding: {}` is not supported: send gzip, deflate, br, zstd or none",
                    coding.escape_default()
                ))
            })?;
            let decoder = Box::new(Decoder::limited(known, DECODED));
            Ok(Some(Reading::Sealed(decoder, BodyScanner::default())))
        }
    }
}

fn path_model(path: &str, span: &Range<usize>) -> Result<Model, Failure> {
    let encoded = path.get(span.clone()).unwrap_or_default();
    let decoded = percent_encoding::percent_decode_str(encoded).decode_utf8();
    let name = decoded
        .map_err(|_| Failure::BadRequest("the model name in the path is not UTF-8".to_owned()))?;
    Ok(Model { name: name.into_owned(), place: Place::Path(span.clone()) })
}

fn text(headers: &HeaderMap, name: header::HeaderName) -> &str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

// === impl Intake ===

impl Intake {
    /// Begins with the head.
    ///
    /// # Errors
    /// [`Failure`] when it tells already that the body cannot be read or is too large.
    pub fn begin(
        worker: &Worker,
        table: &Table,
        head: &Head,
        body: Incoming,
    ) -> Result<Self, Failure> {
        let need = need(head, table)?;
        let limit = worker.shared.limits.body_bytes;
        if matches!(need, Need::Read(_)) && body.size_hint().lower() > limit as u64 {
            return Err(Failure::BodyTooLarge(limit));
        }
        let reservation = worker.shared.bodies.open();
        Ok(Self { need, body, chunks: Vec::new(), length: 0, reservation, pause: None })
    }

    /// Takes a body that is to be held, and has it read as it comes.
    pub fn poll(&mut self, cx: &mut Context<'_>, limits: &Limits) -> Poll<Result<(), Failure>> {
        if matches!(self.need, Need::Pass(_)) {
            return Poll::Ready(Ok(()));
        }
        // A body of a declared length need not be asked for its end.
        while !self.body.is_end_stream()
            && let Some(chunk) = ready!(self.poll_chunk(cx, limits.body_idle))?
        {
            self.add(chunk, limits.body_bytes)?;
        }
        Poll::Ready(Ok(()))
    }

    fn poll_chunk(
        &mut self,
        cx: &mut Context<'_>,
        idle: Duration,
    ) -> Poll<Result<Option<Bytes>, Failure>> {
        while let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(cx) {
            self.pause = None;
            match frame {
                None => return Poll::Ready(Ok(None)),
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        return Poll::Ready(Ok(Some(data)));
                    }
                }
                Some(Err(_)) => {
                    return Poll::Ready(Err(Failure::BodyCutShort(BodyEnd::ClientLeft)));
                }
            }
        }
        let pause = self.pause.get_or_insert_with(|| Box::pin(sleep(idle)));
        pause.as_mut().poll(cx).map(|()| Err(Failure::BodyCutShort(BodyEnd::Timeout)))
    }

    fn add(&mut self, chunk: Bytes, limit: usize) -> Result<(), Failure> {
        self.length += chunk.len();
        if self.length > limit {
            return Err(Failure::BodyTooLarge(limit));
        }
        self.reservation.grow(chunk.len()).map_err(|_| Failure::Overloaded)?;
        if let Need::Read(reading) = &mut self.need {
            reading.feed(&chunk)?;
        }
        self.chunks.push(chunk);
        Ok(())
    }

    /// The call, once its body is here.
    ///
    /// # Errors
    /// [`Failure`] when it cannot be understood.
    pub fn finish(self, head: Box<Head>) -> Result<Call, Failure> {
        match self.need {
            Need::Pass(model) => Ok(passing(head, model, CallBody::Passing(self.body))),
            Need::Read(reading) => {
                let (model, facts) = reading.finish(&head.headers, &self.chunks)?;
                let body = CallBody::Held(self.chunks, self.reservation);
                Ok(Call { head, model, facts, body })
            }
        }
    }
}

// === impl Reading ===

impl Reading {
    fn feed(&mut self, chunk: &[u8]) -> Result<(), Failure> {
        match self {
            Self::Json(scanner) => scanner.feed(chunk),
            Self::Sealed(decoder, scanner) => {
                let decoded = decoder.decode(chunk, &mut |piece| scanner.feed(piece));
                decoded.map_err(|fault| Failure::undecoded(fault, DECODED))?;
            }
            Self::Form => {}
        }
        Ok(())
    }

    fn finish(
        self,
        headers: &HeaderMap,
        chunks: &[Bytes],
    ) -> Result<(Option<Model>, BodyFacts), Failure> {
        let malformed = |fault: crate::llm::json::JsonFault| Failure::BadRequest(fault.to_string());
        match self {
            Self::Json(scanner) => {
                let mut facts = scanner.finish().map_err(malformed)?;
                let model = facts.model.take();
                let model = model
                    .map(|member| Model { name: member.name, place: Place::Json(member.span) });
                Ok((model, facts))
            }
            Self::Sealed(_, scanner) => {
                let facts = scanner.finish().map_err(malformed)?;
                let sealed = |member: crate::llm::json::ModelMember| Model {
                    name: member.name,
                    place: Place::Sealed,
                };
                Ok((facts.model.map(sealed), BodyFacts::default()))
            }
            Self::Form => Ok((form_model(headers, chunks)?, BodyFacts::default())),
        }
    }
}

fn form_model(headers: &HeaderMap, chunks: &[Bytes]) -> Result<Option<Model>, Failure> {
    let Some(boundary) = multipart::boundary(text(headers, header::CONTENT_TYPE)) else {
        return Ok(None);
    };
    let found = match chunks {
        [whole] => multipart::find_model(whole, boundary),
        many => multipart::find_model(&many.concat(), boundary),
    };
    let found = found.map_err(|fault| Failure::BadRequest(fault.to_string()))?;
    Ok(found.map(|(span, name)| Model { name, place: Place::Form(span) }))
}
