//! A sidecar's connection, HTTP/2 over TLS, that reads only when it is told to.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use h2::client::SendRequest;
use h2::{RecvStream, SendStream};
use http::{Request, Response, StatusCode};
use pillion::bundle::{self, Bundle, push};
use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use crate::support::GUARD;

/// A connection without a stream.
pub(crate) struct Caller {
    pub(crate) sender: SendRequest<Bytes>,
    pub(crate) driving: JoinHandle<Result<(), h2::Error>>,
}

/// A connection with its stream.
pub(crate) struct Sidecar {
    body: RecvStream,
    answers: SendStream<Bytes>,
    read: Vec<u8>,
    caller: Caller,
    /// The CA certificates that the controller has told of.
    pub(crate) authorities: Option<Vec<u8>>,
}

/// A refusal.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) status: StatusCode,
    pub(crate) text: String,
}

/// A request for the stream.
pub(crate) fn request(token: Option<&str>) -> Request<()> {
    let mut request = Request::post(format!("https://localhost{}", push::PATH));
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    request.body(()).unwrap()
}

// === impl Caller ===

impl Caller {
    pub(crate) async fn connect(address: SocketAddr, tls: &Arc<ClientConfig>) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        let stream = TlsConnector::from(Arc::clone(tls)).connect(name, stream).await.unwrap();
        let (sender, connection) = h2::client::handshake(stream).await.unwrap();
        let driving = tokio::task::spawn_local(connection);
        Self { sender, driving }
    }

    /// Asks, and gives what is answered.
    pub(crate) async fn ask(mut self, request: Request<()>) -> Result<Sidecar, Refused> {
        let (response, answers) = self.sender.send_request(request, false).unwrap();
        let response: Response<RecvStream> = timeout(GUARD, response).await.unwrap().unwrap();
        let status = response.status();
        let authorities = push::authorities(response.headers());
        let body = response.into_body();
        let mut sidecar = Sidecar { body, answers, read: Vec::new(), caller: self, authorities };
        if status == StatusCode::OK {
            return Ok(sidecar);
        }
        let mut text = String::new();
        while let Some(line) = sidecar.line().await {
            text += &String::from_utf8(line).unwrap();
        }
        sidecar.left().await;
        Err(Refused { status, text })
    }
}

// === impl Sidecar ===

impl Sidecar {
    /// Connects and asks.
    pub(crate) async fn open(
        address: SocketAddr,
        tls: &Arc<ClientConfig>,
        token: &str,
    ) -> Result<Self, Refused> {
        Caller::connect(address, tls).await.ask(request(Some(token))).await
    }

    /// The next bundle; `None` when the stream has ended as it should.
    pub(crate) async fn bundle(&mut self) -> Option<Bundle> {
        let line = self.line().await?;
        Some(bundle::decode(&line).unwrap())
    }

    /// Sends a line: an answer to a bundle, or a report.
    pub(crate) fn answer(&mut self, text: &str) {
        self.answers.send_data(Bytes::from(format!("{text}\n")), false).unwrap();
    }

    /// Waits until the controller has closed the connection.
    pub(crate) async fn left(self) {
        drop((self.body, self.answers, self.caller.sender));
        timeout(GUARD, self.caller.driving).await.unwrap().unwrap().unwrap();
    }

    async fn line(&mut self) -> Option<Vec<u8>> {
        loop {
            if let Some(end) = self.read.iter().position(|byte| *byte == b'\n') {
                let rest = self.read.split_off(end + 1);
                return Some(std::mem::replace(&mut self.read, rest));
            }
            let data = timeout(GUARD, self.body.data()).await.unwrap();
            let Some(data) = data else {
                assert!(self.read.is_empty(), "the stream ends within a line");
                return None;
            };
            let data = data.unwrap();
            self.body.flow_control().release_capacity(data.len()).unwrap();
            self.read.extend_from_slice(&data);
        }
    }
}
