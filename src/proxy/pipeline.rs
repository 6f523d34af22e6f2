//! A call's way, stage by stage; each failure leaves by `?` and is told in the caller's dialect.

use std::rc::Rc;

use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use tokio::time::Instant;

use super::body::ReplyBody;
use super::call::Head;
use super::failure::{Failure, Missing};
use super::intake;
use super::models;
use super::prepare::prepare;
use super::record::Observation;
use super::reply::{self, Relayed, Reply};
use super::route::choose;
use super::upstream::Timing;
use super::worker::Worker;
use crate::llm::Dialect;
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
    let operation = match ask {
        Ask::Call(operation) => operation,
        Ask::Alive => return Ok(Reply::Own(StatusCode::OK, models::alive())),
        Ask::Models { dialect, id } => {
            let table = worker.table().ok_or(Failure::NotReady)?;
            return models::answer(&table, dialect, id, &request);
        }
        Ask::Unknown(_) => return Err(unknown_path(request.uri().path())),
        Ask::MethodNotAllowed(_) => return Err(Failure::MethodNotAllowed),
        Ask::BadPath(_) => {
            let why = "the path has an empty segment, a dot segment, a backslash or a NUL";
            return Err(Failure::BadRequest(why.to_owned()));
        }
    };
    forward(worker, operation, request, books).await
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
    let head = Head {
        method: parts.method,
        uri: parts.uri,
        headers: parts.headers,
        operation,
    };
    books.asked(&head);
    let call = cut
        .bound(intake::take(worker, &table, head, body))
        .await??;
    books.received(&call);
    let choice = choose(&table, &call, fastrand::u64(..), fastrand::u64(..))?;
    books.chosen(&table, &choice);
    let operation = call.head.operation.clone();
    let prepared = prepare(call, &choice)?;
    let mut timing = Timing::default();
    let origin = &choice.plan.endpoint.origin;
    let sending =
        worker
            .upstreams
            .send(origin, choice.plan.timeouts, prepared.to_send, &mut timing);
    let answered = cut.bound(sending).await;
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

fn unknown_path(path: &str) -> Failure {
    let shown = &path[..path.floor_char_boundary(128)];
    let why = format!(
        "`{shown}` is no path of an LLM API that is served here: OpenAI's (/v1/…, /openai/v1/…), \
         Anthropic's (/v1/messages, /anthropic/v1/…) and Gemini's (/v1beta/…) are"
    );
    Failure::NoRoute(Missing::Path, why)
}

// === impl Ask ===

impl Ask {
    /// The dialect in which a failure is told.
    fn dialect(&self) -> Dialect {
        match self {
            Self::Call(operation) => operation.api.dialect(),
            Self::Models { dialect, .. }
            | Self::Unknown(dialect)
            | Self::MethodNotAllowed(dialect)
            | Self::BadPath(dialect) => *dialect,
            Self::Alive => Dialect::OpenAi,
        }
    }
}
