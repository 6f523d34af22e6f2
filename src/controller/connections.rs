//! Clients of the API server: HTTP/2 where it is offered, so that a thousand watches share a few
//! connections, with pings that notice a dead one in half a minute.
//!
//! kube's own connector speaks HTTP/1.1, a connection a watch. This one is its parts put together
//! anew: its TLS, its authorization (token files are re-read once a minute), its base URL. The two
//! things given up are its trace spans, and proxies: a controller beside its API server needs none.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use hyper_rustls::{DefaultServerNameResolver, FixedServerNameResolver, HttpsConnector};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::{Builder, Client as HyperClient};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use kube::client::{Body, ClientBuilder, ConfigExt};
use kube::{Client, Config};
use rustls::pki_types::ServerName;
use thiserror::Error;
use tower::BoxError;
use tower::util::MapErr;

/// Streams on one connection: below the 100 at which some load balancers draw the line; an API
/// server allows more. A watch that finds no room would wait for as long as the others last.
const WATCHES: usize = 90;

/// A peer that does not answer a ping for [`PING_TIMEOUT`] is gone. Watches may be silent for
/// minutes, so nothing else would tell.
const PING_EVERY: Duration = Duration::from_secs(20);
const PING_TIMEOUT: Duration = Duration::from_secs(10);

/// The way to one API server.
pub struct Connections {
    config: Config,
    client: Client,
    watchers: RefCell<Vec<Watcher>>,
}

/// A client for one watch; its place on the connection is free again when it is dropped.
pub struct WatchClient {
    /// The client.
    pub client: Client,
    _place: Rc<()>,
}

/// Why there is no client.
#[derive(Debug, Error)]
pub enum ConnectError {
    /// The configuration's certificates, keys or tokens.
    #[error("the API server's address, CA or credentials cannot be used")]
    Kube(#[from] kube::Error),
    /// The configuration's `tls-server-name`.
    #[error("tls-server-name is not a host name")]
    ServerName(#[from] rustls::pki_types::InvalidDnsNameError),
}

struct Watcher {
    client: Client,
    places: Rc<()>,
}

// === impl Connections ===

impl Connections {
    /// As `kubectl` would connect, or a pod.
    ///
    /// # Errors
    /// When the configuration cannot be used; nothing is connected yet.
    pub fn new(config: Config) -> Result<Self, ConnectError> {
        let client = connect(&config)?;
        Ok(Self { config, client, watchers: RefCell::default() })
    }

    /// The client for calls that end.
    pub fn client(&self) -> Client {
        self.client.clone()
    }

    /// A client for a call that lasts.
    ///
    /// # Errors
    /// As [`Connections::new`]; a certificate file may have gone since.
    pub fn watch_client(&self) -> Result<WatchClient, ConnectError> {
        let mut watchers = self.watchers.borrow_mut();
        watchers.retain(|watcher| Rc::strong_count(&watcher.places) > 1);
        let roomy = watchers.iter().find(|w| Rc::strong_count(&w.places) <= WATCHES);
        if let Some(Watcher { client, places }) = roomy {
            return Ok(WatchClient { client: client.clone(), _place: Rc::clone(places) });
        }
        let (client, places) = (connect(&self.config)?, Rc::new(()));
        watchers.push(Watcher { client: client.clone(), places: Rc::clone(&places) });
        Ok(WatchClient { client, _place: places })
    }

    /// The same, but where no further connection can be prepared (a certificate file has gone),
    /// one that others use.
    pub fn watch_client_or_shared(&self) -> WatchClient {
        self.watch_client().unwrap_or_else(|error| {
            let error: &dyn std::error::Error = &error;
            tracing::warn!(error, "no further connection to the API server: one is shared");
            WatchClient { client: self.client(), _place: Rc::default() }
        })
    }
}

fn connect(config: &Config) -> Result<Client, ConnectError> {
    let client: HyperClient<_, Body> = Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .pool_timer(TokioTimer::new())
        .http2_keep_alive_interval(PING_EVERY)
        .http2_keep_alive_timeout(PING_TIMEOUT)
        .http2_keep_alive_while_idle(true)
        .build(connector(config)?);
    // kube's authorization layer wants to be told of errors in a box.
    let client = MapErr::new(client, BoxError::from);
    let stack = ClientBuilder::new(client, config.default_namespace.clone())
        .with_layer(&config.extra_headers_layer()?);
    let base = config.base_uri_layer();
    Ok(match config.auth_layer()? {
        Some(auth) => stack.with_layer(&auth).with_layer(&base).build(),
        None => stack.with_layer(&base).build(),
    })
}

fn connector(config: &Config) -> Result<HttpsConnector<HttpConnector>, ConnectError> {
    let mut tls = config.rustls_client_config()?;
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let mut http = HttpConnector::new();
    http.enforce_http(false);
    http.set_nodelay(true);
    http.set_connect_timeout(config.connect_timeout);
    // For the HTTP/1.1 of an API server's proxy, which has no pings.
    http.set_keepalive(Some(PING_EVERY));
    http.set_keepalive_interval(Some(PING_TIMEOUT));
    http.set_keepalive_retries(Some(3));
    Ok(match &config.tls_server_name {
        Some(name) => {
            let resolver = FixedServerNameResolver::new(ServerName::try_from(name.clone())?);
            HttpsConnector::new(http, tls, false, std::sync::Arc::new(resolver))
        }
        None => {
            let resolver = DefaultServerNameResolver::default();
            HttpsConnector::new(http, tls, false, std::sync::Arc::new(resolver))
        }
    })
}
