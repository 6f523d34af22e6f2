//! The scripted provider: an HTTP server on loopback that records what reaches it.
//!
//! What it answers is [`answers`](super::answers)' business; it knows nothing of Pillion.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Sleep, sleep};

use super::answers::{self, Answer};
use crate::net::accept::{self, Capacity};
use crate::net::drain::{self, DrainSignal};
use crate::net::task;

/// More than the demo makes, fewer than would hold memory for long.
const REMEMBERED: usize = 1000;

/// More than anybody opens by hand.
const CAPACITY: Capacity = Capacity { connections: 256, reserved: 0 };

/// The provider; it ends when dropped.
pub(super) struct Provider {
    /// Where it listens.
    pub(super) address: SocketAddr,
    memory: Rc<RefCell<Memory>>,
    _signal: DrainSignal,
}

/// A request as it arrived.
#[derive(Debug, Clone)]
pub(super) struct Received {
    /// The id that the answer carried.
    pub(super) id: String,
    pub(super) method: String,
    /// Path and query.
    pub(super) target: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

#[derive(Default)]
struct Memory {
    count: u64,
    requests: VecDeque<Received>,
}

// === impl Provider ===

impl Provider {
    /// Starts it on a free port.
    pub(super) async fn start() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let memory = Rc::<RefCell<Memory>>::default();
        let (signal, drain) = drain::channel();
        let heard = Rc::clone(&memory);
        drop(task::spawn(async move {
            let serve = |stream| serve(stream, Rc::clone(&heard));
            accept::run(listener, CAPACITY, drain, serve).await;
        }));
        Ok(Self { address, memory, _signal: signal })
    }

    /// The request that was answered under this id.
    pub(super) fn received(&self, id: &str) -> Option<Received> {
        let memory = self.memory.borrow();
        memory.requests.iter().find(|request| request.id == id).cloned()
    }

    /// Every request so far that is remembered.
    pub(super) fn all(&self) -> Vec<Received> {
        self.memory.borrow().requests.iter().cloned().collect()
    }
}

async fn serve(stream: TcpStream, memory: Rc<RefCell<Memory>>) {
    let service = service_fn(move |request| answer(request, Rc::clone(&memory)));
    let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    // A proxy that breaks off has had its answer, or does not want it.
    let _ = connection.await;
}

async fn answer(
    request: Request<Incoming>,
    memory: Rc<RefCell<Memory>>,
) -> Result<Response<Spoken>, hyper::Error> {
    let (head, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    let answer = answers::to(head.uri.path(), &body);
    let received = Received {
        id: String::new(),
        method: head.method.to_string(),
        target: head.uri.to_string(),
        headers: head.headers,
        body,
    };
    let id = memory.borrow_mut().keep(received);
    Ok(response(answer, &id))
}

fn response(answer: Answer, id: &str) -> Response<Spoken> {
    let mut response = Response::new(Spoken::new(answer.pieces, answer.pause));
    *response.status_mut() = answer.status;
    let headers = response.headers_mut();
    headers.extend(answer.headers);
    if let Ok(id) = HeaderValue::from_str(id) {
        headers.insert("x-request-id", id);
    }
    response
}

// === impl Memory ===

impl Memory {
    fn keep(&mut self, mut received: Received) -> String {
        self.count += 1;
        received.id = format!("req_demo_{}", self.count);
        let id = received.id.clone();
        self.requests.push_back(received);
        if self.requests.len() > REMEMBERED {
            self.requests.pop_front();
        }
        id
    }
}

/// A body that says one piece after the other, with a pause before each.
struct Spoken {
    pieces: VecDeque<Bytes>,
    pause: Duration,
    waiting: Pin<Box<Sleep>>,
}

impl Spoken {
    fn new(pieces: VecDeque<Bytes>, pause: Duration) -> Self {
        let waiting = Box::pin(sleep(pause));
        Self { pieces, pause, waiting }
    }
}

impl Body for Spoken {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.pieces.is_empty() {
            return Poll::Ready(None);
        }
        ready!(self.waiting.as_mut().poll(cx));
        self.waiting = Box::pin(sleep(self.pause));
        Poll::Ready(self.pieces.pop_front().map(|piece| Ok(Frame::data(piece))))
    }

    /// An answer in one piece has a length; a stream has none.
    fn size_hint(&self) -> SizeHint {
        match self.pieces.len() {
            1 => SizeHint::with_exact(self.pieces[0].len() as u64),
            _ => SizeHint::default(),
        }
    }
}
