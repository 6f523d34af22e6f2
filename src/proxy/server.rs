//! Connections from clients: HTTP/1.1 and h2c, with the limits that keep strangers cheap.

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulConnection;
use prometheus::IntCounter;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use super::bell::Listener;
use super::body::ReplyBody;
use super::delivery::{self, Delivered, Handover, deliver};
use super::failure::Failure;
use super::idle::{CallCount, Idle, LastOf};
use super::metrics::OneMore;
use super::pipeline::serve_call;
use super::relay::Relay;
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
/// As much of a body is read at once, if it comes that fast: with 64 KB a body of 2 MB costs 35
/// reads, of which each tells the client how much more it may send. So much of an answer may wait
/// for a client to read it, too.
const READ_BYTES: usize = 128 << 10;
/// Calls at once on one HTTP/2 connection.
const MAX_STREAMS: u32 = 256;
/// After the grace: what it takes to write the last events.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// The panic itself is in the log.
#[derive(Debug)]
struct Panicked;

/// What the calls of a connection need.
#[derive(Debug)]
struct Calls {
    worker: Rc<Worker>,
    /// Where they leave their streams, if they can.
    handover: Option<Handover>,
    count: CallCount,
}

/// What happens to a connection.
enum Event {
    /// A stream is handed over, and all before it has been written.
    HandedOver(Box<Relay>),
    /// No head has come for too long.
    Idle,
}

/// Serves clients on this thread until the drain is over.
pub async fn run(listener: TcpListener, shared: Shared, drain: Drain) {
    let worker = Worker::new(shared);
    let capacity = Capacity { connections: worker.shared.limits.connections, reserved: 0 };
    let ending = ring_when_due(Rc::clone(&worker), drain.clone());
    let serving = {
        let worker = Rc::clone(&worker);
        accept::run(listener, capacity, drain, move |stream| {
            let panics = worker.shared.metrics.panics.clone();
            let serving = Box::pin(serve(stream, Rc::clone(&worker)));
            // In the middle of an answer it breaks the connection, and nothing else.
            async move { drop(unless_it_panics(&panics, serving).await) }
        })
    };
    tokio::select! {
        () = serving => {}
        () = ending => {}
    }
    worker.books.lines.flush();
}

/// Tells connections and calls; asking `drain` at every turn of each would cost them more.
async fn ring_when_due(worker: Rc<Worker>, mut drain: Drain) {
    drain.reached(Stage::Draining).await;
    worker.leaving.ring();
    drain.reached(Stage::Cut).await;
    let count = worker.cut.ring();
    if count > 0 {
        tracing::warn!(calls = count, "the grace is over: calls under way end with an error");
    }
    tokio::time::sleep(LAST_WORDS).await;
}

async fn serve(stream: TcpStream, worker: Rc<Worker>) {
    let mut leaving = worker.leaving.listen();
    let limits = worker.shared.limits;
    let _open = OneMore::of(&worker.shared.metrics.open_connections);
    // Boxed: it has its place in each future that it goes through.
    let mut io = Box::new(ClientIo::new(stream, limits.write_idle));
    let opening = tokio::select! {
        biased;
        opening = timeout(limits.head_timeout, io.opening()) => opening,
        () = leaving.heard() => return,
    };
    // Who says nothing, or leaves before it could, asks for no answer.
    let Ok(Ok(opening)) = opening else { return };
    match opening {
        Opening::Http1 => serve_http1(io, worker, leaving).await,
        Opening::Http2 => {
            let calls = Calls { worker, handover: None, count: CallCount::default() };
            let service = service_fn(move |request| guarded(&calls, request));
            let builder = http2_builder(limits.head_timeout);
            let connection = builder.serve_connection(TokioIo::new(io), service);
            // Boxed: it is much larger than the other, and rare.
            until(Box::pin(connection).as_mut(), |_| None::<Infallible>, &mut leaving).await;
        }
    }
}

/// hyper and the streams that it hands over, in turn.
async fn serve_http1(mut io: Box<ClientIo>, worker: Rc<Worker>, mut leaving: Listener) {
    loop {
        let (handover, written) = (Handover::default(), io.written());
        let count = CallCount::default();
        let mut idle = Idle::new(count.clone(), worker.shared.limits.head_timeout);
        let calls = Calls { worker: Rc::clone(&worker), handover: Some(handover.clone()), count };
        let service = service_fn(move |request| guarded(&calls, request));
        let mut connection = http1_builder().serve_connection(TokioIo::new(io), service);
        let event = |cx: &mut Context<'_>| {
            let stream = if written.is_all() { handover.take() } else { None };
            let idle = || idle.poll(cx).is_ready().then_some(Event::Idle);
            stream.map(Event::HandedOver).or_else(idle)
        };
        let event = until(Pin::new(&mut connection), event, &mut leaving).await;
        let Some(Event::HandedOver(stream)) = event else { return };
        let http1::Parts { io: socket, read_buf, .. } = connection.into_parts();
        io = socket.into_inner();
        io.give_back(&read_buf);
        drop(read_buf);
        if deliver(&mut io, stream).await == Delivered::Broken || leaving.has_heard() {
            return;
        }
    }
}

fn http1_builder() -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder
        // [`Idle`] is cheaper.
        .header_read_timeout(None)
        .max_headers(MAX_HEADERS)
        // A client that is gone must not keep its upstream call (FAULTS 14), and TCP cannot tell
        // one that only stopped sending (FAULTS 12).
        .half_close(false)
        .max_header_size(MAX_HEADER_BYTES)
        .max_buf_size(READ_BYTES);
    builder
}

fn http2_builder(head_timeout: Duration) -> http2::Builder<LocalExecutor> {
    let mut builder = http2::Builder::new(LocalExecutor);
    builder
        .timer(TokioTimer::new())
        .max_concurrent_streams(MAX_STREAMS)
        .max_header_list_size(MAX_HEADER_BYTES as u32)
        .keep_alive_interval(head_timeout);
    builder
}

/// Serves a connection until `found` finds something, or to its end; from the drain on, no new call
/// on it.
async fn until<C: GracefulConnection, T>(
    mut connection: Pin<&mut C>,
    mut found: impl FnMut(&mut Context<'_>) -> Option<T>,
    leaving: &mut Listener,
) -> Option<T> {
    let mut shutting = false;
    poll_fn(|cx| {
        loop {
            // A client that breaks the rules or off has its answer already, if there is one.
            if connection.as_mut().poll(cx).is_ready() {
                return Poll::Ready(None);
            }
            if let Some(found) = found(cx) {
                return Poll::Ready(Some(found));
            }
            if shutting || leaving.poll(cx).is_pending() {
                return Poll::Pending;
            }
            shutting = true;
            connection.as_mut().graceful_shutdown();
        }
    })
    .await
}

/// Serves a call; a panic in it is that call's 500 and nobody else's.
fn guarded(
    calls: &Calls,
    request: Request<Incoming>,
) -> impl Future<Output = Result<Response<LastOf<ReplyBody>>, Infallible>> + use<> {
    let worker = Rc::clone(&calls.worker);
    let handover = calls.handover.clone().filter(|_| delivery::fits(&request));
    let call = calls.count.begin();
    let begun = caught(&worker.shared.metrics.panics, || serve_call(&worker, request));
    async move {
        let response = match begun {
            Ok(serving) => unless_it_panics(&worker.shared.metrics.panics, serving).await,
            Err(panicked) => Err(panicked),
        };
        let response = response.unwrap_or_else(internal);
        let response = match &handover {
            Some(handover) => handover.keep(response),
            None => response,
        };
        Ok(response.map(|body| LastOf { body, call }))
    }
}

/// What `future` comes to; a panic in it is counted, and ends nothing else.
async fn unless_it_panics<F: Future + Unpin>(
    panics: &IntCounter,
    mut future: F,
) -> Result<F::Output, Panicked> {
    poll_fn(|cx| match caught(panics, || Pin::new(&mut future).poll(cx)) {
        Ok(polled) => polled.map(Ok),
        Err(panicked) => Poll::Ready(Err(panicked)),
    })
    .await
}

fn caught<T>(panics: &IntCounter, run: impl FnOnce() -> T) -> Result<T, Panicked> {
    catch_unwind(AssertUnwindSafe(run)).map_err(|_| {
        panics.inc();
        Panicked
    })
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

    /// What every open connection takes for its future, and for the one of a call.
    #[test]
    fn futures_are_small() {
        fn size<A, B, F>(_: impl Fn(A, B) -> F) -> usize {
            size_of::<F>()
        }
        let connection = size(serve);
        let in_hyper = size(guarded);
        assert!(connection <= 1152, "a connection: {connection}");
        assert!(in_hyper <= 128, "a call's place in its connection: {in_hyper}");
    }

    /// FAULTS 63.
    #[tokio::test]
    async fn fault_63_a_panic_is_one_calls_500() {
        let panics = IntCounter::new("panics", "panics").unwrap();
        let call = unless_it_panics(&panics, Box::pin(async { panic!("a defect") }));
        let response = call.await.unwrap_or_else(internal);
        assert_eq!((response.status().as_u16(), panics.get()), (500, 1));
        let late = unless_it_panics(
            &panics,
            Box::pin(async {
                tokio::task::yield_now().await;
                panic!("after a turn")
            }),
        );
        assert!(matches!(late.await, Err::<(), _>(Panicked)));
        assert!(matches!(unless_it_panics(&panics, Box::pin(async { 1 })).await, Ok(1)));
        let before: Result<(), Panicked> = caught(&panics, || panic!("before it waits"));
        assert!(before.is_err());
        assert_eq!(panics.get(), 3);
    }
}
