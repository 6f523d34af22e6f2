//! A bare relay: hyper on both sides, one thread, one header set, a pool, and nothing else.
//!
//! The least that a proxy made with hyper costs. The upstream connection has no task: whoever uses
//! it drives it, so that nothing crosses tasks. Knows nothing of models, keys in Secrets, tokens,
//! metrics or logs, and handles failures by closing the connection.

use std::cell::RefCell;
use std::future::poll_fn;
use std::path::Path;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};

use anyhow::Context as _;
use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{HeaderValue, Request, Response, Uri};
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::server::conn::http1 as server;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;
use tokio::task::{LocalSet, spawn_local};
use tokio_rustls::TlsConnector;

use crate::request::PROVIDER_KEY;
use crate::tls;

/// Serves until the process is ended; prints its port.
pub(crate) fn run(upstream: &str, scheme: &str, folder: &Path) -> anyhow::Result<()> {
    let tls = if scheme == "https" { Some(tls::client(folder)?) } else { None };
    let authorization = HeaderValue::try_from(format!("Bearer {PROVIDER_KEY}"))?;
    let upstream = format!("127.0.0.1:{upstream}");
    let relay = Rc::new(Relay { upstream, authorization, tls, idle: RefCell::default() });
    let runtime = Builder::new_current_thread().enable_all().build()?;
    LocalSet::new().block_on(&runtime, serve(relay))
}

struct Relay {
    upstream: String,
    authorization: HeaderValue,
    tls: Option<Arc<ClientConfig>>,
    idle: RefCell<Vec<Connection>>,
}

trait Io: AsyncRead + AsyncWrite + Unpin {}

impl<T: AsyncRead + AsyncWrite + Unpin> Io for T {}

type Driver = http1::Connection<TokioIo<Box<dyn Io>>, Incoming>;

/// An upstream connection and what moves its bytes.
struct Connection {
    sender: SendRequest<Incoming>,
    driver: Box<Driver>,
}

/// An answer's body, which drives the connection that it comes from and gives it back at its end.
struct Answer {
    body: Incoming,
    connection: Option<Connection>,
    relay: Rc<Relay>,
}

async fn serve(relay: Rc<Relay>) -> anyhow::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?.port());
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let relay = Rc::clone(&relay);
        spawn_local(async move {
            let service = service_fn(|request| forward(Rc::clone(&relay), request));
            // An error is the caller's leaving.
            let _ = server::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn forward(
    relay: Rc<Relay>,
    mut request: Request<Incoming>,
) -> anyhow::Result<Response<Answer>> {
    let path = request.uri().path_and_query().context("no path")?.clone();
    *request.uri_mut() = Uri::from(path);
    request.headers_mut().insert(AUTHORIZATION, relay.authorization.clone());
    let mut connection = relay.connection().await?;
    let response = connection.send(request).await?;
    Ok(response.map(|body| Answer { body, connection: Some(connection), relay }))
}

// === impl Relay ===

impl Relay {
    async fn connection(&self) -> anyhow::Result<Connection> {
        loop {
            let idle = self.idle.borrow_mut().pop();
            let Some(mut connection) = idle else { return self.connect().await };
            if connection.alive().await {
                return Ok(connection);
            }
        }
    }

    async fn connect(&self) -> anyhow::Result<Connection> {
        let stream = TcpStream::connect(&self.upstream).await?;
        stream.set_nodelay(true)?;
        let stream: Box<dyn Io> = match &self.tls {
            None => Box::new(stream),
            Some(config) => {
                let name = ServerName::try_from("localhost")?;
                Box::new(TlsConnector::from(Arc::clone(config)).connect(name, stream).await?)
            }
        };
        let (sender, driver) = http1::handshake(TokioIo::new(stream)).await?;
        Ok(Connection { sender, driver: Box::new(driver) })
    }
}

// === impl Connection ===

impl Connection {
    async fn alive(&mut self) -> bool {
        let ended = poll_fn(|cx| Poll::Ready(Pin::new(&mut self.driver).poll(cx).is_ready())).await;
        !ended && self.sender.is_ready()
    }

    async fn send(&mut self, request: Request<Incoming>) -> hyper::Result<Response<Incoming>> {
        let driver = &mut self.driver;
        let mut answered = pin!(self.sender.send_request(request));
        poll_fn(|cx| {
            // Its end reaches us through the answer.
            let _ = Pin::new(&mut *driver).poll(cx);
            answered.as_mut().poll(cx)
        })
        .await
    }
}

// === impl Answer ===

impl Body for Answer {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<hyper::Result<Frame<Bytes>>>> {
        if let Some(connection) = &mut self.connection {
            let _ = Pin::new(&mut connection.driver).poll(cx);
        }
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take()
            && self.body.is_end_stream()
        {
            self.relay.idle.borrow_mut().push(connection);
        }
    }
}
