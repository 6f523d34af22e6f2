//! Calls that a target serves in another dialect: what can be translated, and the request.
//! [`super::rendition`] gives the answers back.

use std::borrow::Cow;

use http::header::{self, HeaderMap, HeaderName, HeaderValue};

use super::failure::Failure;
use crate::llm::decode::{Coding, DecodeFault, Decoder};
use crate::llm::operation::Kind;
use crate::llm::translate::{self, Asked, Pair, Refused, Speech, Wishes};
use crate::table::{Plan, StreamUsage, Translation};

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// What the answer to a translated call must be given back with.
#[derive(Debug)]
pub struct Translated {
    /// Who speaks what.
    pub pair: Pair,
    /// What the answer repeats.
    pub asked: Asked,
}

/// What can be done with an operation whose upstream speaks another dialect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Possible {
    /// It is translated.
    Translated,
    /// Pillion guesses the answer.
    Estimated,
    /// Nothing.
    Nothing,
}

/// What can be done with this operation?
pub fn possible(kind: Kind) -> Possible {
    match kind {
        Kind::ChatCompletions | Kind::Responses | Kind::Messages => Possible::Translated,
        Kind::CountTokens => Possible::Estimated,
        Kind::Completions
        | Kind::Embeddings
        | Kind::GenerateContent
        | Kind::StreamGenerateContent
        | Kind::Other => Possible::Nothing,
    }
}

/// A translation takes all of a JSON body.
pub(super) fn no_json() -> Failure {
    let why = "this route translates the call, which takes a JSON body: send it with \
               `content-type: application/json`";
    Failure::BadRequest(why.to_owned())
}

pub(super) fn refused(refused: Refused) -> Failure {
    Failure::BadRequest(refused.to_string())
}

/// The operation of an upstream's dialect that translated calls ask for.
pub fn operation(speech: Speech) -> (Kind, &'static str) {
    match speech {
        Speech::Chat => (Kind::ChatCompletions, "/chat/completions"),
        Speech::Responses => (Kind::Responses, "/responses"),
        Speech::Messages => (Kind::Messages, "/messages"),
    }
}

/// The request's body, without its compression, in the upstream's dialect.
///
/// # Errors
/// [`Failure::BadRequest`], which names the field.
pub fn request(
    plan: &Plan,
    how: Translation,
    body: &[u8],
) -> Result<translate::Translated, Failure> {
    let wishes = Wishes {
        model: plan.rename.as_ref().map(|rename| rename.name.to_string()),
        max_tokens: how.max_tokens,
        limit_name: how.limit_name,
        thinking: how.thinking,
        stream_usage: match plan.stream_usage {
            StreamUsage::Request => translate::StreamUsage::Ask,
            StreamUsage::AsSent => translate::StreamUsage::AsSent,
        },
    };
    how.pair.request(body, &wishes).map_err(refused)
}

/// Without its compression, if it has one; intake refused those that are not known. The limit holds
/// for what is in it, too.
pub(super) fn plain<'a>(
    headers: &HeaderMap,
    body: &'a [u8],
    limit: usize,
) -> Result<Cow<'a, [u8]>, Failure> {
    let coding = Coding::named(text(headers, header::CONTENT_ENCODING));
    let plain = decoded(coding.unwrap_or(Coding::Identity), body, limit);
    plain.map_err(|fault| Failure::undecoded(fault, limit))
}

/// Makes the headers of a caller those of a request in another dialect: what belongs to the
/// caller's API means nothing, or something else, to the upstream's.
pub fn headers(headers: &mut HeaderMap, pair: Pair) {
    let own = match pair.client() {
        Speech::Messages => "anthropic-",
        Speech::Chat | Speech::Responses => "openai-",
    };
    let names: Vec<HeaderName> =
        headers.keys().filter(|name| name.as_str().starts_with(own)).cloned().collect();
    for name in names {
        headers.remove(name);
    }
    headers.remove(header::CONTENT_ENCODING);
    headers.insert(header::CONTENT_TYPE, JSON);
    headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    if pair.upstream() == Speech::Messages {
        let (name, version) = translate::ANTHROPIC_VERSION;
        let version = HeaderValue::from_static(version);
        headers.entry(HeaderName::from_static(name)).or_insert(version);
    }
}

/// The bytes without their coding, if they are no more than `limit` then.
pub(super) fn decoded(
    coding: Coding,
    body: &[u8],
    limit: usize,
) -> Result<Cow<'_, [u8]>, DecodeFault> {
    if coding == Coding::Identity {
        return Ok(body.into());
    }
    let mut whole = Vec::new();
    Decoder::limited(coding, limit).decode(body, &mut |piece| whole.extend_from_slice(piece))?;
    Ok(whole.into())
}

pub(super) fn text(headers: &HeaderMap, name: HeaderName) -> &str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}
