//! A call's way, stage by stage; each failure leaves by `?` and is told in the caller's dialect.

use std::ops::Range;
use std::pin::pin;
use std::rc::Rc;

use http::request::Parts;
use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use tokio::time::Instant;

use super::body::ReplyBody;
use super::call::Head;
use super::failure::Failure;
use super::intake;
use super::models;
use super::prepare::{AnswerChange, Prepared, prepare};
use super::record::Observation;
use super::rendition::{self, Received};
use super::reply::{self, Relayed, Reply};
use super::route::{Choice, choose};
use super::task::{Task, task};
use super::upstream::Timing;
use super::worker::Worker;
use crate::llm::Dialect;
use crate::llm::operation::{self, Kind};

/// Serves one call.
pub async fn serve_call(worker: Rc<Worker>, request: Request<Incoming>) -> Response<ReplyBody> {
    let (parts, body) = request.into_parts();
    let (method, path) = (&parts.method, parts.uri.path());
    let mut books = Observation::begin(&worker.books, method.clone(), path);
    let ask = operation::ask(method, path, &parts.headers);
    let dialect = ask.dialect();
    let replied = match task(ask, path) {
        Ok(Task::Forward(operation)) => {
            let head = Head::new(parts, operation);
            forward(&worker, head, body, &mut books).await
        }
        Ok(Task::Models(dialect, id)) => listed(&worker, dialect, id, &parts),
        Ok(Task::Alive) => Ok(Reply::Own(StatusCode::OK, models::alive())),
        Err(failure) => Err(failure),
    };
    match replied {
        Ok(reply) => reply.into_response(&worker, books),
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

async fn forward(
    worker: &Worker,
    head: Box<Head>,
    body: Incoming,
    books: &mut Observation,
) -> Result<Reply, Failure> {
    let mut cut = worker.cut.listen();
    let table = worker.table().ok_or(Failure::NotReady)?;
    books.asked(&head);
    let call = cut.bound(pin!(intake::take(worker, &table, head, body))).await??;
    books.received(&call);
    let choice = choose(&table, &call, fastrand::u64(..), fastrand::u64(..))?;
    books.chosen(&table, &choice);
    if let (Some(how), Kind::CountTokens) = (choice.plan.translation, call.head.operation.kind) {
        return rendition::estimate(&call, how.pair, worker.shared.limits.body_bytes);
    }
    let operation = call.head.operation.clone();
    let Prepared { to_send, answer: change } =
        prepare(call, &choice, worker.shared.limits.body_bytes)?;
    let Choice { plan, .. } = choice;
    let expected = to_send.expected;
    let mut timing = Timing::default();
    let sending = worker.upstreams.send(&plan.endpoint.origin, plan.timeouts, to_send, &mut timing);
    let answered = cut.bound(pin!(sending)).await;
    books.sent(&timing);
    let answer = answered??;
    let came = Instant::now();
    books.seen.head = Some(came);
    match change {
        AnswerChange::AsSent(usage) => {
            Ok(Reply::Relayed(Box::new(Relayed { answer, came, plan, operation, usage, expected })))
        }
        AnswerChange::Translated(translation) => {
            let received = Received { worker, plan: &plan, answer, came };
            Box::pin(received.reply(*translation, books)).await
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size<A, B, F: Future>(_: impl Fn(A, B) -> F) -> usize {
        size_of::<F>()
    }

    /// Every call moves it once and keeps it until its answer begins. What is large and rare on the
    /// way goes into a box; a future that is handed on goes pinned.
    #[test]
    fn a_calls_future_stays_small() {
        let size = size(serve_call);
        assert!(size <= 4 << 10, "{size} bytes");
    }
}
