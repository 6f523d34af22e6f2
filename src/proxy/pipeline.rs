//! A call's way, stage by stage; each failure leaves by `?` and is told in the caller's dialect.

use std::pin::pin;
use std::rc::Rc;

use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use tokio::time::Instant;

use super::body::ReplyBody;
use super::call::Head;
use super::failure::Failure;
use super::intake;
use super::models;
use super::prepare::prepare;
use super::record::Observation;
use super::reply::{self, Relayed, Reply};
use super::route::choose;
use super::task::{Task, task};
use super::upstream::Timing;
use super::worker::Worker;
use crate::llm::operation::{self, Ask};

/// Serves one call.
pub async fn serve_call(worker: Rc<Worker>, request: Request<Incoming>) -> Response<ReplyBody> {
    let (method, path) = (request.method().clone(), request.uri().path());
    let mut books = Observation::begin(&worker.books, method, path);
    let ask = operation::ask(request.method(), path, request.headers());
    let dialect = ask.dialect();
    match reply_to(&worker, ask, request, &mut books).await {
        Ok(reply) => reply.into_response(&worker, books),
        Err(failure) => reply::failed(&failure, dialect, books),
    }
}

async fn reply_to(
    worker: &Worker,
    ask: Ask,
    request: Request<Incoming>,
    books: &mut Observation,
) -> Result<Reply, Failure> {
    match task(ask, request.uri().path())? {
        Task::Forward(operation) => forward(worker, operation, request, books).await,
        Task::Models(dialect, id) => {
            let table = worker.table().ok_or(Failure::NotReady)?;
            let body = models::answer(&table, dialect, id, &request)?;
            Ok(Reply::Own(StatusCode::OK, body))
        }
        Task::Alive => Ok(Reply::Own(StatusCode::OK, models::alive())),
    }
}

async fn forward(
    worker: &Worker,
    operation: operation::Operation,
    request: Request<Incoming>,
    books: &mut Observation,
) -> Result<Reply, Failure> {
    let mut cut = worker.cut_signal();
    let table = worker.table().ok_or(Failure::NotReady)?;
    let (parts, body) = request.into_parts();
    let head = Head { method: parts.method, uri: parts.uri, headers: parts.headers, operation };
    books.asked(&head);
    let call = cut.bound(pin!(intake::take(worker, &table, head, body))).await??;
    books.received(&call);
    let choice = choose(&table, &call, fastrand::u64(..), fastrand::u64(..))?;
    books.chosen(&table, &choice);
    let operation = call.head.operation.clone();
    let prepared = prepare(call, &choice)?;
    let mut timing = Timing::default();
    let origin = &choice.plan.endpoint.origin;
    let sending =
        worker.upstreams.send(origin, choice.plan.timeouts, prepared.to_send, &mut timing);
    let answered = cut.bound(pin!(sending)).await;
    books.sent(&timing);
    let answer = answered??;
    books.seen.head = Some(Instant::now());
    Ok(Reply::Relayed(Box::new(Relayed {
        answer,
        plan: choice.plan,
        operation,
        usage: prepared.usage,
    })))
}
