//! A call's way, stage by stage; each failure leaves by `?` and is told in the caller's dialect.

use std::future::{Future, poll_fn, ready};
use std::ops::Range;
use std::pin::{Pin, pin};
use std::rc::Rc;

use http::request::Parts;
use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use tokio::time::Instant;

use super::body::ReplyBody;
use super::call::{Call, Head};
use super::failure::Failure;
use super::intake::Intake;
use super::models;
use super::prepare::{AnswerChange, Prepared, prepare};
use super::record::Observation;
use super::rendition::{self, Received};
use super::reply::{self, Relayed, Reply};
use super::route::choose;
use super::silence::Silence;
use super::task::{Task, task};
use super::upstream::{Timing, ToSend};
use super::worker::Worker;
use crate::llm::operation::{self, Kind};
use crate::llm::{Api, Dialect};
use crate::table::{Plan, Table};

/// A call that is being served.
pub type Serving = Pin<Box<dyn Future<Output = Response<ReplyBody>>>>;

/// A call whose way is known.
struct Way<'t> {
    plan: &'t Plan,
    to_send: ToSend,
    change: AnswerChange,
    api: Api,
    kind: Kind,
}

/// What is decided of a call.
enum Decided<'t> {
    /// It goes upstream.
    Send(Way<'t>),
    /// It is answered here.
    Reply(Reply),
}

/// Serves one call. What need not wait is done before there is a future, which would keep room for
/// all that it is given for as long as it lives.
pub fn serve_call(worker: &Rc<Worker>, request: Request<Incoming>) -> Serving {
    let (parts, body) = request.into_parts();
    let (method, path) = (&parts.method, parts.uri.path());
    let books = Observation::begin(&worker.books, method.clone(), path);
    let ask = operation::ask(method, path, &parts.headers);
    let dialect = ask.dialect();
    let replied = match task(ask, path) {
        Ok(Task::Forward(operation)) => {
            let head = Head::new(parts, operation);
            return Box::pin(forwarded(Rc::clone(worker), head, body, books));
        }
        Ok(Task::Models(dialect, id)) => listed(worker, dialect, id, &parts),
        Ok(Task::Alive) => Ok(Reply::Own(StatusCode::OK, models::alive())),
        Err(failure) => Err(failure),
    };
    Box::pin(ready(response(worker, replied, dialect, books)))
}

fn response(
    worker: &Worker,
    replied: Result<Reply, Failure>,
    dialect: Dialect,
    books: Box<Observation>,
) -> Response<ReplyBody> {
    match replied {
        Ok(reply) => reply.into_response(worker, books),
        Err(failure) => reply::failed(&failure, dialect, books),
    }
}

fn listed(
    worker: &Worker,
    dialect: Dialect,
    id: Option<Range<usize>>,
    parts: &Parts,
) -> Result<Reply, Failure> {
    let table = worker.table().ok_or(Failure::NotReady)?;
    let body = models::answer(&table, dialect, id, &parts.uri, &parts.headers)?;
    Ok(Reply::Own(StatusCode::OK, body))
}

async fn forwarded(
    worker: Rc<Worker>,
    head: Box<Head>,
    body: Incoming,
    mut books: Box<Observation>,
) -> Response<ReplyBody> {
    let dialect = head.operation.api.dialect();
    let replied = forward(&worker, head, body, &mut books).await;
    response(&worker, replied, dialect, books)
}

async fn forward(
    worker: &Worker,
    head: Box<Head>,
    body: Incoming,
    books: &mut Observation,
) -> Result<Reply, Failure> {
    let mut cut = worker.cut.listen();
    let table = worker.table().ok_or(Failure::NotReady)?;
    books.asked(&head);
    // In a block, at whose end the future gives up the place of what came.
    let Way { plan, to_send: ToSend { head, body, expected }, change, api, kind } = {
        let mut intake = Intake::begin(worker, &table, &head, body)?;
        cut.bound(pin!(poll_fn(|cx| intake.poll(cx, &worker.shared.limits)))).await??;
        match decide(worker, &table, intake.finish(head)?, books)? {
            Decided::Send(way) => way,
            Decided::Reply(reply) => return Ok(reply),
        }
    };
    let mut timing = Timing::default();
    let sending = worker.upstreams.send(plan, &head, body, &mut timing);
    let answered = cut.bound(pin!(sending)).await;
    books.sent(&timing);
    let answer = answered??;
    let came = Instant::now();
    books.seen.head = Some(came);
    let silence = Silence::new(plan.timeouts, cut, came);
    match change {
        AnswerChange::AsSent(usage) => {
            Ok(Reply::Relayed(Relayed { answer, silence, api, kind, usage, expected }))
        }
        AnswerChange::Translated(translation) => {
            let received = Received { limits: &worker.shared.limits, answer, silence };
            Box::pin(received.reply(*translation, books)).await
        }
    }
}

/// All that is decided of a call once it is here.
fn decide<'t>(
    worker: &Worker,
    table: &'t Table,
    call: Call,
    books: &mut Observation,
) -> Result<Decided<'t>, Failure> {
    books.received(&call);
    let choice = choose(table, &call, fastrand::u64(..), fastrand::u64(..))?;
    books.chosen(table, &choice);
    let limit = worker.shared.limits.body_bytes;
    let (api, kind) = (call.head.operation.api, call.head.operation.kind);
    if let (Some(how), Kind::CountTokens) = (choice.plan.translation, kind) {
        return rendition::estimate(&call, how.pair, limit).map(Decided::Reply);
    }
    let Prepared { to_send, answer: change } = prepare(call, &choice, limit)?;
    Ok(Decided::Send(Way { plan: choice.plan, to_send, change, api, kind }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size<A, B, C, D, F: Future>(_: impl Fn(A, B, C, D) -> F) -> usize {
        size_of::<F>()
    }

    /// Every call keeps it until its answer begins. What is large and rare on the way goes into a
    /// box; a future that is handed on goes pinned.
    #[test]
    fn a_calls_future_stays_small() {
        let size = size(forwarded);
        assert!(size <= 1792, "{size} bytes");
    }
}
