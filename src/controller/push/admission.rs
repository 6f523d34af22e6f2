//! A request, until it has its place or its no: a sidecar's, or another replica's.

use std::convert::Infallible;
use std::rc::Rc;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Method, Request, Response};
use http_body_util::{Either, Full};
use hyper::body::Incoming;
use tokio::time::timeout;

use super::Door;
use super::answers::Answers;
use super::identity::{Proven, Token};
use super::metrics::OneMore;
use super::presence::{Caller, Presence, Visit};
use super::refusal::Refusal;
use super::replica::{self, Replica};
use super::session::{Bundles, Ending, Session};
use crate::bundle::push::{self, PATH};
use crate::controller::reports::report;
use crate::controller::sidecars::Seat;
use crate::controller::snapshot::{Feed, PodId};
use crate::net::drain::Drain;

/// What is answered: a line, or the stream.
pub(super) type ReplyBody = Either<Full<Bytes>, Bundles>;

/// Answers a request.
pub(super) async fn answer(
    request: Request<Incoming>,
    door: Rc<Door>,
    presence: Rc<Presence>,
    drain: Drain,
) -> Result<Response<ReplyBody>, Infallible> {
    let answered = match presence.begin() {
        Ok(visit) => match (request.method(), request.uri().path()) {
            (&Method::POST, PATH) => admit(request, &door, visit, drain).await,
            (&Method::POST, report::PATH) => hear(request, &door, visit, drain),
            _ => Err(Refusal::Elsewhere),
        },
        Err(refusal) => Err(refusal),
    };
    Ok(answered.unwrap_or_else(|refusal| {
        door.metrics.refusals.with_label_values(&[refusal.label()]).inc();
        tracing::debug!(reason = refusal.label(), "a sidecar was refused");
        refusal.response().map(Either::Left)
    }))
}

/// A replica has its place at once: the handshake was its introduction.
fn hear(
    request: Request<Incoming>,
    door: &Door,
    visit: Visit,
    drain: Drain,
) -> Result<Response<ReplyBody>, Refusal> {
    if visit.caller() != Caller::Replica {
        return Err(Refusal::NoReplica);
    }
    visit.is_no_stranger();
    let (lines, place) = (replica::lines(request.into_body()), door.reports.join());
    Ok(stream(Replica { lines, place, drain, _visit: visit }.hear()))
}

/// The steps to a sidecar's place. `visit` ends the connection when it is dropped.
async fn admit(
    request: Request<Incoming>,
    door: &Rc<Door>,
    visit: Visit,
    drain: Drain,
) -> Result<Response<ReplyBody>, Refusal> {
    let token = Token::of(request.headers())?;
    let Proven { pod, expires } = door.identities.of(&token).await?;
    let mut feed = door.feed.clone();
    known(&mut feed, &pod, door).await?;
    let seat = seat(door, &pod)?;
    visit.is_no_stranger();
    let mut authorities = door.authorities.clone();
    let told = authorities.borrow_and_update().clone();
    let ending = Ending::new(expires, drain, authorities, door.limits);
    let session = Session {
        pod,
        seat,
        feed,
        answers: Answers::new(request.into_body()),
        ending,
        metrics: door.metrics.clone(),
        sent: None,
        _held: (OneMore::of(&door.metrics.sessions), visit),
    };
    let mut response = stream(session.bundles());
    if let Some(told) = told.as_deref().and_then(push::authorities_header) {
        response.headers_mut().insert(push::AUTHORITIES, told);
    }
    Ok(response)
}

fn stream(bundles: Bundles) -> Response<ReplyBody> {
    let mut response = Response::new(Either::Right(bundles));
    let lines = HeaderValue::from_static("application/jsonl");
    response.headers_mut().insert(CONTENT_TYPE, lines);
    response
}

/// Waits for a snapshot that has the pod: a pod may come faster than word of it.
async fn known(feed: &mut Feed, pod: &PodId, door: &Door) -> Result<(), Refusal> {
    let seen = async {
        while feed.latest().is_none_or(|snapshot| snapshot.bundle(pod).is_none()) {
            feed.next().await?;
        }
        Some(())
    };
    let found = timeout(door.limits.patience, seen).await;
    match (found, door.feed.latest()) {
        (Ok(Some(())), _) => Ok(()),
        (Ok(None), _) | (Err(_), None) => Err(Refusal::NotReady),
        (Err(_), Some(_)) => Err(Refusal::UnknownPod(pod.clone())),
    }
}

fn seat(door: &Door, pod: &PodId) -> Result<Seat, Refusal> {
    if door.sidecars.count_of(pod) >= door.limits.sessions_of_one_pod {
        return Err(Refusal::TooMany);
    }
    Ok(door.sidecars.join(pod.clone()))
}
