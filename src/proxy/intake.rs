//! From a request to a [`Call`]: what it asks for, and as much of its body as routing needs.
//!
//! A JSON body is held whole, within a limit and a shared budget, because only its end tells
//! whether `model` stands in it twice. Anything else (uploads) is passed on as it comes, unless a
//! rule asks for the model in a multipart form.
//!
//! What is read is decided and understood by pure code; [`take`] feeds it from a connection,
//! [`read`] from bytes, for `pillion explain`.

use std::ops::Range;

use bytes::Bytes;
use http::header::{self, HeaderMap};
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use tokio::time::timeout;

use super::call::{Call, CallBody, Head, Model, Place};
use super::failure::{BodyEnd, Failure};
use super::worker::Worker;
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

/// Takes in a call as far as routing needs it.
///
/// # Errors
/// [`Failure`] when the body cannot be read or understood, or is too large.
pub async fn take(
    worker: &Worker,
    table: &Table,
    head: Box<Head>,
    body: Incoming,
) -> Result<Call, Failure> {
    match need(&head, table)? {
        Need::Pass(model) => Ok(passing(head, model, CallBody::Passing(body))),
        Need::Read(mut reading) => {
            let (chunks, reservation) = hold(worker, body, &mut reading).await?;
            let (model, facts) = reading.finish(&head.headers, &chunks)?;
            Ok(Call { head, model, facts, body: CallBody::Held(chunks, reservation) })
        }
    }
}

/// The same for a body that is there already.
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

/// Takes all of a body, and has it read as it comes.
async fn hold(
    worker: &Worker,
    mut body: Incoming,
    reading: &mut Reading,
) -> Result<(Vec<Bytes>, Reservation), Failure> {
    let limit = worker.shared.limits.body_bytes;
    if body.size_hint().lower() > limit as u64 {
        return Err(Failure::BodyTooLarge(limit));
    }
    let mut chunks = Vec::new();
    let mut length = 0;
    let mut reservation = worker.shared.bodies.open();
    // A body of a declared length need not be asked for its end.
    while !body.is_end_stream()
        && let Some(chunk) = next_chunk(worker, &mut body).await?
    {
        length += chunk.len();
        if length > limit {
            return Err(Failure::BodyTooLarge(limit));
        }
        reservation.grow(chunk.len()).map_err(|_| Failure::Overloaded)?;
        reading.feed(&chunk)?;
        chunks.push(chunk);
    }
    Ok((chunks, reservation))
}

async fn next_chunk(worker: &Worker, body: &mut Incoming) -> Result<Option<Bytes>, Failure> {
    loop {
        let frame = timeout(worker.shared.limits.body_idle, body.frame()).await;
        match frame.map_err(|_| Failure::BodyCutShort(BodyEnd::Timeout))? {
            None => return Ok(None),
            Some(Ok(frame)) => {
                if let Ok(data) = frame.into_data() {
                    return Ok(Some(data));
                }
            }
            Some(Err(_)) => return Err(Failure::BodyCutShort(BodyEnd::ClientLeft)),
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
