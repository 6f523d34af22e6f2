//! Opens connections: DNS, TCP, the egress proxy's tunnel, TLS.

use std::cell::RefCell;
use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, StatusCode, Uri, header};
use http_body_util::Empty;
use hyper::client::conn::http1;
use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use thiserror::Error;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::chain;
use crate::net::stream::Stream;
use crate::net::task;
use crate::net::tls::{Roots, TlsError};
use crate::table::endpoint::is_forbidden_ip;
use crate::table::{Origin, Scheme, Trust};

/// An address that does not answer within this time is passed over while there are others.
const ATTEMPT: Duration = Duration::from_secs(1);

/// How the outside is reached.
#[derive(Debug, Clone)]
pub struct Egress {
    /// Whom to trust.
    pub roots: Roots,
    /// `HTTPS_PROXY` and `NO_PROXY`, which hold for https origins only.
    pub proxy: Option<Arc<Matcher>>,
}

/// Opens connections of one worker.
#[derive(Debug)]
pub(super) struct Connector {
    egress: Egress,
    /// TLS settings by trust; sessions are resumed within each.
    tls: RefCell<HashMap<Trust, Arc<ClientConfig>>>,
}

/// Why there is no connection. The text goes to the log, not to the caller.
#[derive(Debug, Error)]
pub(super) enum ConnectError {
    #[error("no address for {host}: {source}")]
    Resolve { host: String, source: io::Error },
    #[error(
        "{host} resolves to {address}, which is link-local or a metadata \
         service and never an LLM provider"
    )]
    Forbidden { host: String, address: IpAddr },
    #[error("cannot connect to {address}: {source}")]
    Tcp { address: SocketAddr, source: io::Error },
    #[error("TLS with {host} failed: {text}")]
    Tls { host: String, text: String },
    #[error("the egress proxy {proxy} refused the tunnel to {host}: {text}")]
    Tunnel { proxy: String, host: String, text: String },
}

impl Connector {
    pub(super) fn new(egress: Egress) -> Self {
        Self { egress, tls: RefCell::default() }
    }

    /// A stream to `origin`, TLS included.
    pub(super) async fn connect(&self, origin: &Origin) -> Result<Stream, ConnectError> {
        let tcp = match self.intercept(origin) {
            Some(intercept) => tunnel(origin, &intercept).await?,
            None => dial(&origin.host, origin.port).await?,
        };
        match origin.scheme {
            Scheme::Http => Ok(Stream::Plain(tcp)),
            Scheme::Https => self.handshake(origin, tcp).await,
        }
    }

    fn intercept(&self, origin: &Origin) -> Option<Intercept> {
        let matcher = self.egress.proxy.as_ref()?;
        let uri = match origin.scheme {
            Scheme::Http => return None,
            Scheme::Https => Uri::builder().scheme("https"),
        };
        let uri = uri.authority(origin.authority.clone()).path_and_query("/").build().ok()?;
        matcher.intercept(&uri)
    }

    async fn handshake(&self, origin: &Origin, tcp: TcpStream) -> Result<Stream, ConnectError> {
        let failed = |text: String| ConnectError::Tls { host: origin.authority.to_string(), text };
        let config = self.tls_config(&origin.trust).map_err(|error| failed(chain(&error)))?;
        let name = ServerName::try_from(origin.host.to_string())
            .map_err(|error| failed(error.to_string()))?;
        let connected = TlsConnector::from(config).connect(name, tcp).await;
        let stream = connected.map_err(|error| failed(chain(&error)))?;
        Ok(Stream::Tls(Box::new(stream)))
    }

    fn tls_config(&self, trust: &Trust) -> Result<Arc<ClientConfig>, TlsError> {
        if let Some(config) = self.tls.borrow().get(trust) {
            return Ok(Arc::clone(config));
        }
        let more = match trust {
            Trust::System => &[][..],
            Trust::SystemAnd(certificates) => certificates,
        };
        let config = Arc::new(self.egress.roots.client_config(more)?);
        self.tls.borrow_mut().insert(trust.clone(), Arc::clone(&config));
        Ok(config)
    }
}

/// The first address that takes the connection.
async fn dial(host: &str, port: u16) -> Result<TcpStream, ConnectError> {
    let addresses = resolve(host, port).await?;
    let mut last = None;
    for (index, address) in addresses.iter().enumerate() {
        let attempt = TcpStream::connect(address);
        let connected = match index + 1 < addresses.len() {
            true => timeout(ATTEMPT, attempt)
                .await
                .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())),
            false => attempt.await,
        };
        match connected {
            Ok(stream) => {
                // Without it each small event waits for the reader's delayed acknowledgement.
                let _ = stream.set_nodelay(true);
                return Ok(stream);
            }
            Err(source) => last = Some(ConnectError::Tcp { address: *address, source }),
        }
    }
    Err(last.unwrap_or_else(|| no_address(host, io::ErrorKind::NotFound.into())))
}

async fn resolve(host: &str, port: u16) -> Result<Vec<SocketAddr>, ConnectError> {
    let addresses: Vec<SocketAddr> = match host.parse::<IpAddr>() {
        Ok(address) => vec![SocketAddr::new(address, port)],
        Err(_) => {
            let found = tokio::net::lookup_host((host, port)).await;
            found.map_err(|source| no_address(host, source))?.collect()
        }
    };
    match addresses.iter().find(|address| is_forbidden_ip(address.ip())) {
        Some(address) => {
            Err(ConnectError::Forbidden { host: host.to_owned(), address: address.ip() })
        }
        None => Ok(addresses),
    }
}

fn no_address(host: &str, source: io::Error) -> ConnectError {
    ConnectError::Resolve { host: host.to_owned(), source }
}

/// A tunnel through the egress proxy (RFC 9110, 9.3.6).
async fn tunnel(origin: &Origin, intercept: &Intercept) -> Result<TcpStream, ConnectError> {
    let proxy = intercept.uri();
    let host = proxy.host().unwrap_or_default();
    let tcp = dial(host.trim_matches(['[', ']']), proxy.port_u16().unwrap_or(80)).await?;
    let failed = |text: String| ConnectError::Tunnel {
        proxy: host.to_owned(),
        host: origin.authority.to_string(),
        text,
    };
    let (mut sender, connection) =
        http1::handshake(TokioIo::new(tcp)).await.map_err(|error| failed(chain(&error)))?;
    drop(task::spawn(connection.with_upgrades()));
    let request = connect_request(origin, intercept.basic_auth());
    let answer = sender.send_request(request).await.map_err(|error| failed(chain(&error)))?;
    if answer.status() != StatusCode::OK {
        return Err(failed(answer.status().to_string()));
    }
    let upgraded = hyper::upgrade::on(answer).await.map_err(|error| failed(chain(&error)))?;
    match upgraded.downcast::<TokioIo<TcpStream>>() {
        Ok(parts) if parts.read_buf.is_empty() => Ok(parts.io.into_inner()),
        Ok(_) | Err(_) => Err(failed("it sent bytes of its own after the tunnel stood".to_owned())),
    }
}

fn connect_request(origin: &Origin, auth: Option<&HeaderValue>) -> Request<Empty<Bytes>> {
    // CONNECT takes the authority form with an explicit port, always.
    let host = match origin.host.contains(':') {
        true => format!("[{}]:{}", origin.host, origin.port),
        false => format!("{}:{}", origin.host, origin.port),
    };
    let mut request = Request::new(Empty::new());
    *request.method_mut() = Method::CONNECT;
    if let Ok(authority) = host.parse::<http::uri::Authority>() {
        *request.uri_mut() = Uri::from(authority);
    }
    request.headers_mut().insert(header::HOST, origin.host_header.clone());
    if let Some(auth) = auth {
        request.headers_mut().insert(header::PROXY_AUTHORIZATION, auth.clone());
    }
    request
}
