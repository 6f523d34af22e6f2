//! The connections by which the API server asks: HTTP/2 or HTTP/1.1 over TLS.
//!
//! The API server shows no certificate of its own, so anybody who reaches the port may ask, and
//! learns nothing that is not in the question. What it may cost is bounded: connections, the time
//! of a handshake, of a question and of silence, the length of a question and the memory of all.

use std::cell::Cell;
use std::convert::Infallible;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulConnection;
use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_rustls::TlsAcceptor;

use super::metrics::{Failure, Outcome};
use super::webhook::{NoAnswer, Webhook};
use crate::net::accept::{self, Capacity};
use crate::net::budget::{Budget, Reservation};
use crate::net::client_io::ClientIo;
use crate::net::drain::{Drain, Stage};
use crate::net::task::LocalExecutor;

/// Where questions are asked.
pub const PATH: &str = "/inject";

/// An API server keeps one or two. The reserve answers when sidecars have taken all descriptors.
const CAPACITY: Capacity = Capacity { connections: 512, reserved: 4 };
const HANDSHAKE: Duration = Duration::from_secs(5);
/// From a question's head to the end of its body. The API server gives up earlier.
const QUESTION: Duration = Duration::from_secs(10);
/// A connection on which nothing is asked for so long is closed.
const SILENCE: Duration = Duration::from_secs(120);
/// How long a write may stand still.
const WRITE_IDLE: Duration = Duration::from_secs(10);
/// What etcd takes of an object, as it was and as it is to be.
const MAX_QUESTION: usize = 3 << 20;
/// All questions together.
const MEMORY: usize = 64 << 20;

/// What a connection needs.
struct House {
    tls: TlsAcceptor,
    webhook: Webhook,
    memory: Budget,
}

/// What happens on a connection.
struct Activity {
    under_way: Cell<usize>,
    last: Cell<Instant>,
}

/// Answers until the drain is over.
pub async fn serve(listener: TcpListener, tls: Arc<ServerConfig>, webhook: Webhook, drain: Drain) {
    let house = House { tls: TlsAcceptor::from(tls), webhook, memory: Budget::new(MEMORY) };
    let house = Rc::new(house);
    accept::run(listener, CAPACITY, drain.clone(), move |stream| {
        let (house, drain, mut cut) = (Rc::clone(&house), drain.clone(), drain.clone());
        async move {
            tokio::select! {
                () = connection(stream, house, drain) => {}
                () = cut.reached(Stage::Cut) => {}
            }
        }
    })
    .await;
}

async fn connection(stream: TcpStream, house: Rc<House>, drain: Drain) {
    let shaking = house.tls.accept(ClientIo::new(stream, WRITE_IDLE));
    // Whoever does not get so far is no API server that trusts us; it logs why.
    let Ok(Ok(io)) = timeout(HANDSHAKE, shaking).await else { return };
    let is_h2 = io.get_ref().1.alpn_protocol() == Some(b"h2");
    let activity = Rc::new(Activity::new());
    let service = {
        let activity = Rc::clone(&activity);
        service_fn(move |request: Request<Incoming>| {
            let (house, activity) = (Rc::clone(&house), Rc::clone(&activity));
            async move {
                let _one_more = activity.begin();
                Ok::<_, Infallible>(answer(request, &house).await)
            }
        })
    };
    match is_h2 {
        true => {
            to_its_end(h2().serve_connection(TokioIo::new(io), service), &activity, drain).await
        }
        false => {
            to_its_end(h1().serve_connection(TokioIo::new(io), service), &activity, drain).await
        }
    }
}

fn h2() -> http2::Builder<LocalExecutor> {
    let mut builder = http2::Builder::new(LocalExecutor);
    builder.timer(TokioTimer::new()).max_concurrent_streams(64).max_header_list_size(16 << 10);
    builder
}

fn h1() -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(SILENCE);
    builder
}

/// Until the client leaves, is silent for too long, or the drain begins and all is answered.
async fn to_its_end<C: GracefulConnection>(connection: C, activity: &Activity, mut drain: Drain) {
    let mut connection = pin!(connection);
    tokio::select! {
        // A client that breaks off is no concern of ours.
        _ = connection.as_mut() => return,
        () = activity.silence() => {}
        () = drain.reached(Stage::Draining) => {}
    }
    connection.as_mut().graceful_shutdown();
    let _ = timeout(QUESTION, connection).await;
}

async fn answer(request: Request<Incoming>, house: &House) -> Response<Full<Bytes>> {
    let (begun, metrics) = (Instant::now(), &house.webhook.metrics);
    let answered = match (request.uri().path(), request.method()) {
        (PATH, &Method::POST) => match read(request, &house.memory).await {
            Ok((body, _reservation)) => house.webhook.answer(&body),
            Err(no_answer) => Err(no_answer),
        },
        _ => {
            let text = format!("there is nothing here but POST {PATH}");
            Err(NoAnswer::new(Failure::Elsewhere, text))
        }
    };
    metrics.took(begun.elapsed().as_secs_f64());
    let (status, kind, body) = match answered {
        Ok(body) => (StatusCode::OK, "application/json", body),
        Err(NoAnswer { failure, text }) => {
            metrics.count(Outcome::Failed(failure));
            tracing::warn!(why = text, "a question of the API server has no answer");
            (status(failure), "text/plain; charset=utf-8", (text + "\n").into_bytes())
        }
    };
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

/// A question, and its share of the memory.
async fn read(
    request: Request<Incoming>,
    memory: &Budget,
) -> Result<(Vec<u8>, Reservation), NoAnswer> {
    let reading = timeout(QUESTION, collect(request.into_body(), memory));
    reading.await.unwrap_or_else(|_| {
        let text = format!("the question did not come within {QUESTION:?}");
        Err(NoAnswer::new(Failure::TooSlow, text))
    })
}

async fn collect(mut body: Incoming, memory: &Budget) -> Result<(Vec<u8>, Reservation), NoAnswer> {
    let (mut question, mut reservation) = (Vec::new(), memory.open());
    while let Some(frame) = body.frame().await {
        let broken = |_| NoAnswer::new(Failure::TooSlow, "the question broke off");
        let Ok(data) = frame.map_err(broken)?.into_data() else { continue };
        if question.len() + data.len() > MAX_QUESTION {
            let text = format!("the question has more than {MAX_QUESTION} bytes");
            return Err(NoAnswer::new(Failure::TooLarge, text));
        }
        let full = |_| NoAnswer::new(Failure::TooMany, "too many questions at once: try again");
        reservation.grow(data.len()).map_err(full)?;
        question.extend_from_slice(&data);
    }
    Ok((question, reservation))
}

fn status(failure: Failure) -> StatusCode {
    match failure {
        Failure::Elsewhere => StatusCode::NOT_FOUND,
        Failure::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Failure::TooSlow => StatusCode::REQUEST_TIMEOUT,
        Failure::Malformed => StatusCode::BAD_REQUEST,
        Failure::TooMany | Failure::NoAuthorities => StatusCode::SERVICE_UNAVAILABLE,
    }
}

// === impl Activity ===

impl Activity {
    fn new() -> Self {
        Self { under_way: Cell::new(0), last: Cell::new(Instant::now()) }
    }

    fn begin(self: &Rc<Self>) -> UnderWay {
        self.under_way.set(self.under_way.get() + 1);
        UnderWay(Rc::clone(self))
    }

    async fn silence(&self) {
        loop {
            let since = match self.under_way.get() {
                0 => self.last.get(),
                _ => Instant::now(),
            };
            if since.elapsed() >= SILENCE {
                return;
            }
            sleep_until(since + SILENCE).await;
        }
    }
}

/// A question that is being answered.
struct UnderWay(Rc<Activity>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.under_way.set(self.0.under_way.get() - 1);
        self.0.last.set(Instant::now());
    }
}
