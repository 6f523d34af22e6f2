//! The admin port: a few pages, each a name and a function that writes it.
//!
//! Knows neither metrics nor tables; pages marked [`Audience::Loopback`] answer only callers on the
//! same host.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};

use super::accept::{self, Capacity};
use super::drain::{Drain, Stage};

/// Scrapers, probes and one curious operator: more is a mistake or an attack. A few of them are
/// answered even when callers have used up the process's descriptors.
const CAPACITY: Capacity = Capacity { connections: 64, reserved: 4 };

/// How long an admin client may take to say what it wants.
const HEADER_TIMEOUT: Duration = Duration::from_secs(5);

/// Who may see a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// Whoever reaches the port.
    Everybody,
    /// Callers on the same host.
    Loopback,
}

/// One page.
pub struct Page {
    /// Its path.
    pub path: &'static str,
    /// Who may see it.
    pub audience: Audience,
    /// Writes it.
    pub write: Box<dyn Fn() -> Written>,
}

/// A written page.
#[derive(Debug)]
pub struct Written {
    /// 200, or 503 for a probe that says no.
    pub status: StatusCode,
    /// Its media type.
    pub content_type: &'static str,
    /// Its content.
    pub body: String,
}

/// Serves the pages until the grace is over: a probe must hear "not ready" during the drain.
pub async fn run(listener: TcpListener, pages: Vec<Page>, mut drain: Drain) {
    let pages = Rc::new(pages);
    let (own_signal, own_drain) = super::drain::channel();
    let serving =
        accept::run(listener, CAPACITY, own_drain, move |stream| serve(stream, Rc::clone(&pages)));
    tokio::select! {
        () = serving => {}
        () = drain.reached(Stage::Cut) => {}
    }
    drop(own_signal);
}

async fn serve(stream: TcpStream, pages: Rc<Vec<Page>>) {
    let Ok(peer) = stream.peer_addr() else { return };
    let service = service_fn(|request: Request<Incoming>| {
        let answer = answer(&pages, &request, peer);
        async move { Ok::<_, Infallible>(answer) }
    });
    // A client that breaks off is no concern of ours.
    let _ = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

fn answer(pages: &[Page], request: &Request<Incoming>, peer: SocketAddr) -> Response<Full<Bytes>> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return reply(text(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD\n"));
    }
    let Some(page) = pages.iter().find(|page| page.path == request.uri().path()) else {
        let paths: Vec<&str> = pages.iter().map(|page| page.path).collect();
        return reply(text(StatusCode::NOT_FOUND, &format!("pages: {}\n", paths.join(" "))));
    };
    match page.audience {
        Audience::Loopback if !peer.ip().to_canonical().is_loopback() => {
            reply(text(StatusCode::FORBIDDEN, "only from the same host\n"))
        }
        Audience::Loopback | Audience::Everybody => reply((page.write)()),
    }
}

/// A page of plain text.
pub fn text(status: StatusCode, body: &str) -> Written {
    Written { status, content_type: "text/plain; charset=utf-8", body: body.to_owned() }
}

fn reply(written: Written) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(written.body)));
    *response.status_mut() = written.status;
    let content_type = header::HeaderValue::from_static(written.content_type);
    response.headers_mut().insert(header::CONTENT_TYPE, content_type);
    response
}
