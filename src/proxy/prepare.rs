//! From a call and its choice to the request that goes upstream. [`outline`] is pure and leaves the
//! body to others: `pillion explain` shows what it makes.

use bytes::Bytes;
use http::HeaderMap;
use http::header::{self, HeaderValue};
use http::uri::PathAndQuery;

use super::call::{Body, Call, CallBody, Head, Model, Place};
use super::credentials::{Carried, QUERY_KEY};
use super::failure::Failure;
use super::headers;
use super::outgoing::{Held, Outgoing, Passing};
use super::reply::UsageAsked;
use super::route::Choice;
use super::translation::{self, Translated};
use super::upstream::{Expected, RequestHead, ToSend};
use crate::llm::json::{self, Splice};
use crate::llm::operation::Kind;
use crate::secret::QueryValue;
use crate::table::endpoint::strip_query;
use crate::table::{CallPath, Credential, Plan, StreamUsage, Suffix, TargetError, Translation};

/// A request, ready to go.
#[derive(Debug)]
pub struct Prepared {
    /// The request.
    pub to_send: ToSend,
    /// What becomes of its answer.
    pub answer: AnswerChange,
}

/// What becomes of an answer on its way back.
#[derive(Debug)]
pub enum AnswerChange {
    /// It goes on as it comes, but for a usage chunk that the client did not ask for.
    AsSent(UsageAsked),
    /// It is translated.
    Translated(Box<Translated>),
}

/// What becomes of a body.
#[derive(Debug)]
pub enum BodyChange {
    /// These stretches are replaced, in order.
    Spliced(Vec<Splice>),
    /// It is another one.
    Translated(Bytes),
}

/// All of a request but its body.
#[derive(Debug)]
pub struct Outline {
    /// Its method.
    pub method: http::Method,
    /// Path and query as they go on the wire.
    pub target: PathAndQuery,
    /// All headers but `Host` and framing.
    pub headers: HeaderMap,
    /// What becomes of its body.
    pub body: BodyChange,
    /// What becomes of its answer.
    pub answer: AnswerChange,
}

/// Makes the upstream request. A body that is translated is no longer than `limit` without its
/// compression.
///
/// # Errors
/// [`Failure::BadRequest`] when the chosen target needs a change that this request does not allow.
pub fn prepare(call: Call, choice: &Choice, limit: usize) -> Result<Prepared, Failure> {
    let expected = expected(&call);
    let (outline, body) = outline(call, choice, limit)?;
    let body = match (body, outline.body) {
        (CallBody::Held(chunks, reservation), BodyChange::Spliced(splices)) => {
            Outgoing::Held(Held::new(json::splice(&chunks, &splices), reservation))
        }
        (CallBody::Held(_, mut reservation), BodyChange::Translated(body)) => {
            // Longer than what came, if that was compressed.
            reservation.cover(body.len()).map_err(|_| Failure::Overloaded)?;
            Outgoing::Held(Held::new(vec![body], reservation))
        }
        (CallBody::Passing(incoming), _) => Outgoing::Passing(Passing::new(incoming)),
    };
    let Outline { method, target, headers, answer, .. } = outline;
    let to_send = ToSend { head: RequestHead { method, target, headers }, body, expected };
    Ok(Prepared { to_send, answer })
}

fn expected(call: &Call) -> Expected {
    let streams = call.facts.stream || call.head.operation.kind == Kind::StreamGenerateContent;
    match &call.body {
        CallBody::Held(..) if streams => Expected::Events,
        CallBody::Held(..) | CallBody::Passing(_) => Expected::Anything,
    }
}

/// Says what the upstream request is; hands the body back untouched.
///
/// # Errors
/// As [`prepare`].
pub fn outline<B: Body>(
    call: Call<B>,
    choice: &Choice,
    limit: usize,
) -> Result<(Outline, B), Failure> {
    if let Some(translation) = choice.plan.translation {
        return translated(call, choice, (translation, limit));
    }
    let plan = &choice.plan;
    let target = target(&call.head, call.model.as_ref(), choice)?;
    let usage = usage_question(&call, plan);
    let asked = if usage.is_some() { UsageAsked::ByPillion } else { UsageAsked::AsSent };
    let splices = in_order(rename(call.model.as_ref(), plan)?, usage);
    let (method, mut headers) = outgoing(*call.head, choice);
    if asked == UsageAsked::ByPillion {
        // The extra chunk can be taken out of plain text only.
        headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    }
    let (body, answer) = (BodyChange::Spliced(splices), AnswerChange::AsSent(asked));
    Ok((Outline { method, target, headers, body, answer }, call.body))
}

/// The same for an upstream of another dialect.
fn translated<B: Body>(
    call: Call<B>,
    choice: &Choice,
    (how, limit): (Translation, usize),
) -> Result<(Outline, B), Failure> {
    let plan = &choice.plan;
    let body = call.body.whole().ok_or_else(translation::no_json)?;
    let plain = translation::plain(&call.head.headers, &body, limit)?;
    let made = translation::request(plan, how, &plain)?;
    drop(plain);
    let pair = how.pair;
    let (_, suffix) = translation::operation(pair.upstream());
    let path = CallPath {
        version: "",
        suffix: Suffix::AsSent(suffix),
        model: model_sent(plan, call.model.as_ref()),
        query: None,
    };
    let key = query_key(choice);
    let target = plan.endpoint.path_and_query(path, key).map_err(|error| bad_target(&error))?;
    drop(body);
    let (method, mut headers) = outgoing(*call.head, choice);
    translation::headers(&mut headers, pair);
    let (body, asked) = (BodyChange::Translated(made.body.into()), made.asked);
    let answer = AnswerChange::Translated(Box::new(Translated { pair, asked }));
    Ok((Outline { method, target, headers, body, answer }, call.body))
}

fn model_sent<'a>(plan: &'a Plan, model: Option<&'a Model>) -> Option<&'a str> {
    let renamed = plan.rename.as_ref().map(|rename| &*rename.name);
    renamed.or(model.map(|model| model.name.as_str()))
}

/// The key, where it goes into the query.
fn query_key(choice: &Choice) -> Option<(&str, &QueryValue)> {
    match (&choice.carried, &choice.account.credential) {
        (Carried::Account, Credential::Query { name, value }) => Some((&**name, value)),
        _ => None,
    }
}

/// The new model, where it goes into the body.
fn rename(model: Option<&Model>, plan: &Plan) -> Result<Option<Splice>, Failure> {
    let (Some(rename), Some(model)) = (&plan.rename, model) else {
        return Ok(None);
    };
    match &model.place {
        Place::Json(span) => Ok(Some(Splice { at: span.clone(), with: rename.json.clone() })),
        Place::Form(span) => {
            let with = Bytes::copy_from_slice(rename.name.as_bytes());
            Ok(Some(Splice { at: span.clone(), with }))
        }
        Place::Path(_) => Ok(None),
        Place::Sealed => {
            let why = "this route renames the model, which a compressed body does not allow: send \
                       it without `content-encoding`";
            Err(Failure::BadRequest(why.to_owned()))
        }
    }
}

fn usage_question<B>(call: &Call<B>, plan: &Plan) -> Option<Splice> {
    let kind = call.head.operation.kind;
    let reports = matches!(kind, Kind::ChatCompletions | Kind::Completions);
    match plan.stream_usage {
        StreamUsage::Request if reports && call.facts.stream => json::ask_for_usage(&call.facts),
        StreamUsage::Request | StreamUsage::AsSent => None,
    }
}

fn in_order(first: Option<Splice>, second: Option<Splice>) -> Vec<Splice> {
    let mut splices: Vec<Splice> = first.into_iter().chain(second).collect();
    splices.sort_by_key(|splice| splice.at.start);
    splices
}

fn target(head: &Head, model: Option<&Model>, choice: &Choice) -> Result<PathAndQuery, Failure> {
    let plan = &choice.plan;
    let path = head.uri.path();
    let operation = &head.operation;
    let renamed = plan.rename.as_ref().map(|rename| &*rename.name);
    let suffix = match (model.map(|model| &model.place), renamed) {
        (Some(Place::Path(span)), Some(model)) => Suffix::Renamed {
            before: path.get(operation.suffix.start..span.start).unwrap_or_default(),
            model,
            after: path.get(span.end..operation.suffix.end).unwrap_or_default(),
        },
        _ => Suffix::AsSent(path.get(operation.suffix.clone()).unwrap_or_default()),
    };
    let sent_query = head.uri.query().unwrap_or_default();
    let query = match &choice.carried {
        Carried::ClientQuery => sent_query.into(),
        Carried::Account | Carried::Headers(_) => strip_query(sent_query, QUERY_KEY),
    };
    let call = CallPath {
        version: path.get(operation.version.clone()).unwrap_or_default(),
        suffix,
        model: model_sent(plan, model),
        query: Some(&query),
    };
    plan.endpoint.path_and_query(call, query_key(choice)).map_err(|error| bad_target(&error))
}

fn bad_target(error: &TargetError) -> Failure {
    Failure::BadRequest(error.to_string())
}

fn outgoing(head: Head, choice: &Choice) -> (http::Method, HeaderMap) {
    let Head { method, mut headers, operation, .. } = head;
    headers::for_upstream(&mut headers, operation.api, &choice.plan.headers);
    match (&choice.carried, &choice.account.credential) {
        (Carried::Headers(own), _) => {
            for (name, value) in own {
                headers.append(name.clone(), value.clone());
            }
        }
        (Carried::Account, Credential::Header { name, value }) => {
            headers.insert(name.clone(), value.clone());
        }
        (Carried::Account, Credential::None | Credential::Query { .. }) => {}
        (Carried::ClientQuery, _) => {}
    }
    (method, headers)
}
