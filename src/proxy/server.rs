//! Connections from clients: HTTP/1.1 and h2c, with the limits that keep strangers cheap.

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use prometheus::IntCounter;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use super::body::ReplyBody;
use super::failure::Failure;
use super::metrics::OneMore;
use super::pipeline::serve_call;
use super::worker::{Shared, Worker};
use crate::llm::Dialect;
use crate::llm::shapes;
use crate::net::accept::{self, Capacity};
use crate::net::client_io::{ClientIo, Opening};
use crate::net::drain::{Drain, Stage};
use crate::net::task::LocalExecutor;

/// More headers than any client sends; a request with more is refused with 431.
const MAX_HEADERS: usize = 100;
/// The largest header block, in bytes; a larger one is refused with 431.
const MAX_HEADER_BYTES: usize = 64 << 10;
/// Calls at once on one HTTP/2 connection.
const MAX_STREAMS: u32 = 256;
/// After the grace: what it takes to write the last events.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// The panic itself is in the log.
#[derive(Debug)]
struct Panicked;

/// Serves clients on this thread until the drain is over.
pub async fn run(listener: TcpListener, shared: Shared, drain: Drain) {
    let worker = Worker::new(shared);
    let capacity = Capacity { connections: worker.shared.limits.connections, reserved: 0 };
    let cutting = cut_when_due(Rc::clone(&worker), drain.clone());
    let serving = {
        let (worker, drain) = (Rc::clone(&worker), drain.clone());
        accept::run(listener, capacity, drain.clone(), move |stream| {
            let (worker, drain) = (Rc::clone(&worker), drain.clone());
            async move {
                let panics = worker.shared.metrics.panics.clone();
                // In the middle of an answer it breaks the connection, and nothing else.
                drop(unless_it_panics(&panics, pin!(serve(stream, worker, drain))).await);
            }
        })
    };
    tokio::select! {
        () = serving => {}
        () = cutting => {}
    }
    worker.books.lines.flush();
}

async fn cut_when_due(worker: Rc<Worker>, mut drain: Drain) {
    drain.reached(Stage::Cut).await;
    let count = worker.cut.fire();
    if count > 0 {
        tracing::warn!(calls = count, "the grace is over: calls under way end with an error");
    }
    tokio::time::sleep(LAST_WORDS).await;
}

async fn serve(stream: TcpStream, worker: Rc<Worker>, mut drain: Drain) {
    let limits = worker.shared.limits;
    let _open = OneMore::of(&worker.shared.metrics.open_connections);
    let mut io = ClientIo::new(stream, limits.write_idle);
    let opening = tokio::select! {
        biased;
        opening = timeout(limits.head_timeout, io.opening()) => opening,
        () = drain.reached(Stage::Draining) => return,
    };
    // Who says nothing, or leaves before it could, asks for no answer.
    let Ok(Ok(opening)) = opening else { return };
    let service = service_fn(move |request| guarded(Rc::clone(&worker), request));
    let io = TokioIo::new(io);
    match opening {
        Opening::Http1 => {
            let connection = pin!(http1(limits.head_timeout).serve_connection(io, service));
            until_drained(connection, drain, |connection| connection.graceful_shutdown()).await;
        }
        Opening::Http2 => {
            // Boxed: it is much larger than the other, and rare.
            let mut connection = Box::pin(http2(limits.head_timeout).serve_connection(io, service));
            let connection = connection.as_mut();
            until_drained(connection, drain, |connection| connection.graceful_shutdown()).await;
        }
    }
}

/// Drives a connection to its end, which `shut_down` brings nearer once the drain has begun.
async fn until_drained<C: Future>(
    mut connection: Pin<&mut C>,
    mut drain: Drain,
    shut_down: impl FnOnce(Pin<&mut C>),
) {
    tokio::select! {
        biased;
        // A client that breaks the rules or off has its answer already, if there is one.
        _ = connection.as_mut() => {}
        () = drain.reached(Stage::Draining) => {
            shut_down(connection.as_mut());
            drop(connection.await);
        }
    }
}

fn http1(head_timeout: Duration) -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(head_timeout)
        .max_headers(MAX_HEADERS)
        // A client that is gone must not keep its upstream call (FAULTS 14), and TCP cannot tell
        // one that only stopped sending (FAULTS 12).
        .half_close(false)
        // The buffer's limit alone lets longer ones pass, if their end comes with the same read.
        .max_header_size(MAX_HEADER_BYTES)
        .max_buf_size(MAX_HEADER_BYTES);
    builder
}

fn http2(head_timeout: Duration) -> http2::Builder<LocalExecutor> {
    let mut builder = http2::Builder::new(LocalExecutor);
    builder
        .timer(TokioTimer::new())
        .max_concurrent_streams(MAX_STREAMS)
        .max_header_list_size(MAX_HEADER_BYTES as u32)
        .keep_alive_interval(head_timeout);
    builder
}

/// Serves a call; a panic in it is that call's 500 and nobody else's.
async fn guarded(
    worker: Rc<Worker>,
    request: Request<Incoming>,
) -> Result<Response<ReplyBody>, Infallible> {
    let panics = worker.shared.metrics.panics.clone();
    // Boxed: hyper keeps room for this future for as long as the connection lives, and a call needs
    // much of it only until its answer begins.
    let call = Box::pin(serve_call(worker, request));
    Ok(unless_it_panics(&panics, call).await.unwrap_or_else(internal))
}

/// What `future` comes to; a panic in it is counted, and ends nothing else. Give it one that is
/// pinned already: a future taken by value has its place in this one twice.
async fn unless_it_panics<F: Future>(
    panics: &IntCounter,
    future: F,
) -> Result<F::Output, Panicked> {
    let mut future = pin!(future);
    poll_fn(|cx| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))) {
        Ok(polled) => polled.map(Ok),
        Err(_) => {
            panics.inc();
            Poll::Ready(Err(Panicked))
        }
    })
    .await
}

fn internal(_: Panicked) -> Response<ReplyBody> {
    let consequences = Failure::Internal.consequences();
    let (kind, status) = (consequences.kind, consequences.status);
    let told = Failure::Internal.told();
    let body: Bytes = shapes::error_body(Dialect::OpenAi, kind, status.as_u16(), &told);
    let mut response = Response::new(ReplyBody::Own(Some(body)));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What every open connection, and every call until its answer begins, takes for its future.
    #[test]
    fn futures_are_small() {
        fn size<A, B, F>(_: impl Fn(A, B) -> F) -> usize {
            size_of::<F>()
        }
        let connection = size(|stream, (worker, drain)| serve(stream, worker, drain));
        let (call, in_hyper) = (size(serve_call), size(guarded));
        assert!(connection <= 1536, "a connection: {connection}");
        assert!(call <= 7168, "a call: {call}");
        assert!(in_hyper <= 384, "a call's place in its connection: {in_hyper}");
    }

    /// FAULTS 63.
    #[tokio::test]
    async fn fault_63_a_panic_is_one_calls_500() {
        let panics = IntCounter::new("panics", "panics").unwrap();
        let call = unless_it_panics(&panics, async { panic!("a defect") });
        let response = call.await.unwrap_or_else(internal);
        assert_eq!((response.status().as_u16(), panics.get()), (500, 1));
        let late = unless_it_panics(&panics, async {
            tokio::task::yield_now().await;
            panic!("after a turn")
        });
        assert!(matches!(late.await, Err::<(), _>(Panicked)));
        assert!(matches!(unless_it_panics(&panics, async { 1 }).await, Ok(1)));
        assert_eq!(panics.get(), 2);
    }
}
