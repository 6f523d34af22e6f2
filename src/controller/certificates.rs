//! The controller's CA and serving certificate: made and renewed here and kept in a Secret, or
//! supplied as files; and the CA certificates that those are believed by.
//!
//! Reading order: [`Serving`] (what connections are served with, swapped while they run),
//! `renewal` (what is due, a pure function of what there is and the time), `mint` (how one is
//! made), `read` (what a certificate says), `material` (the Secret's content), [`keeper`] (the
//! Secret, among replicas), [`files`], `replicas` (how they know each other by it),
//! [`registration`] (the API server's way to the webhook).
//!
//! Invariants: a serving certificate is never signed by a CA that sidecars have not had
//! [`Lifetimes::overlap`] to hear of; a CA that may have signed what is served stays in `ca.crt`
//! until it expires. Private keys are in the Secret and in memory only; no error and no log line
//! carries one. Does not know who connects.

pub mod files;
pub mod keeper;
mod material;
mod mint;
mod read;
pub mod registration;
mod renewal;
mod replicas;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use prometheus::Gauge;
use rustls::crypto::ring::default_provider;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, ServerConfig};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use thiserror::Error;
use tokio::sync::watch;

use crate::net::drain::Drain;
use keeper::Keeper;
use replicas::Same;

/// What connections are served with at this moment.
pub struct Serving {
    certified: ArcSwapOption<CertifiedKey>,
    expires: Gauge,
    authorities: watch::Sender<Option<Authorities>>,
}

/// The CA certificates by which what is served is believed, in PEM, and nothing else.
pub type Authorities = Arc<str>;

/// How long what is made here lives. Renewed after two thirds of it.
#[derive(Debug, Clone, Copy)]
pub struct Lifetimes {
    /// The CA.
    pub authority: Duration,
    /// The serving certificate.
    pub serving: Duration,
    /// How long sidecars may take to hear of a new CA before anything is signed by it.
    pub overlap: Duration,
    /// Valid from so long ago, for clocks that are behind.
    pub backdate: Duration,
}

/// What a kept certificate should be.
#[derive(Debug, Clone)]
pub struct Wishes {
    /// The names that it is for: host names and addresses.
    pub names: Vec<String>,
    /// How long it lives.
    pub lifetimes: Lifetimes,
}

/// Where the certificate is from.
#[derive(Debug, Clone)]
pub enum Source {
    /// Made here and kept in a Secret; for the Service's names and these.
    Kept {
        /// Further names.
        names: Vec<String>,
    },
    /// Supplied.
    Files(files::Files),
}

/// Why there is no certificate. Never carries key material.
#[derive(Debug, Error)]
pub enum CertificateError {
    /// Not PEM, or none of the right kind in it.
    #[error("no {0} in PEM was found")]
    NoPem(&'static str),
    /// Key and certificate are not a pair, or of a kind that is not supported.
    #[error("the certificate and its key cannot be used together")]
    NoPair(#[source] rustls::Error),
    /// It cannot be made.
    #[error("a certificate cannot be made: is each --tls-name a host name or an address?")]
    Mint(#[source] rcgen::Error),
    /// The crypto provider lacks TLS 1.3.
    #[error("the TLS library refuses its settings")]
    Settings(#[source] rustls::Error),
    /// A file cannot be read.
    #[error("cannot read {path}")]
    File {
        /// The file.
        path: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

/// The names of the controller's Service, and `more`.
pub fn service_names(namespace: &str, more: &[String]) -> Vec<String> {
    let own = [
        format!("pillion.{namespace}.svc"),
        format!("pillion.{namespace}.svc.cluster.local"),
        "localhost".to_owned(),
    ];
    own.into_iter().chain(more.iter().cloned()).collect()
}

/// TLS 1.3 and HTTP/2, with whatever `serving` holds when a connection comes. Keeps no sessions:
/// a sidecar connects once an hour, and a stranger's would be memory. Who shows a certificate is
/// another replica, or is sent away.
///
/// # Errors
/// [`CertificateError::Settings`].
pub fn server_config(serving: Arc<Serving>) -> Result<Arc<ServerConfig>, CertificateError> {
    let provider = Arc::new(default_provider());
    let replicas = Same::new(Arc::clone(&serving), provider.signature_verification_algorithms);
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(CertificateError::Settings)?
        .with_client_cert_verifier(replicas)
        .with_cert_resolver(serving);
    config.alpn_protocols = vec![b"h2".to_vec()];
    config.session_storage = Arc::new(rustls::server::NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(Arc::new(config))
}

/// TLS 1.3 and HTTP/2 or HTTP/1.1, for whoever asks: the API server shows no certificate.
///
/// # Errors
/// [`CertificateError::Settings`].
pub fn webhook_config(serving: Arc<Serving>) -> Result<Arc<ServerConfig>, CertificateError> {
    let mut config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(CertificateError::Settings)?
        .with_no_client_auth()
        .with_cert_resolver(serving);
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    config.session_storage = Arc::new(rustls::server::NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(Arc::new(config))
}

/// The way to another replica: only what serves with the same certificate is one, and is shown it.
///
/// # Errors
/// [`CertificateError::Settings`].
pub fn client_config(serving: Arc<Serving>) -> Result<Arc<ClientConfig>, CertificateError> {
    let provider = Arc::new(default_provider());
    let replicas = Same::new(Arc::clone(&serving), provider.signature_verification_algorithms);
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(CertificateError::Settings)?
        .dangerous()
        .with_custom_certificate_verifier(replicas)
        .with_client_cert_resolver(serving);
    config.alpn_protocols = vec![b"h2".to_vec()];
    config.resumption = rustls::client::Resumption::disabled();
    Ok(Arc::new(config))
}

// === impl Source ===

impl Source {
    /// Sees to it that `serving` has a certificate until the drain is over. The Secret is in
    /// `namespace`.
    ///
    /// # Errors
    /// [`CertificateError`] if what is supplied cannot be used to begin with.
    pub async fn run(
        self,
        (client, namespace): (kube::Client, &str),
        serving: Arc<Serving>,
        drain: Drain,
    ) -> Result<(), CertificateError> {
        match self {
            Self::Files(files) => files::follow(files, serving, drain).await,
            Self::Kept { names } => {
                let names = service_names(namespace, &names);
                let wishes = Wishes { names, lifetimes: Lifetimes::default() };
                Keeper::new(&client, namespace, wishes, serving).run(drain).await;
                Ok(())
            }
        }
    }
}

// === impl Serving ===

impl Serving {
    /// Nothing yet: handshakes fail. `expires` will say when it expires.
    pub fn new(expires: Gauge) -> Arc<Self> {
        let (authorities, _) = watch::channel(None);
        Arc::new(Self { certified: ArcSwapOption::empty(), expires, authorities })
    }

    /// The CA certificates that others are told to believe, once they are known.
    pub fn authorities(&self) -> Option<Authorities> {
        self.authorities.borrow().clone()
    }

    /// The same, and what they become.
    pub fn following_authorities(&self) -> watch::Receiver<Option<Authorities>> {
        self.authorities.subscribe()
    }

    /// Others are told to believe these from now on. Whatever else the text holds stays here.
    ///
    /// # Errors
    /// [`CertificateError`], and what there was stays.
    pub fn trust(&self, authorities: &[u8]) -> Result<(), CertificateError> {
        let text: String = certificates(authorities)?.iter().map(pem).collect();
        self.authorities.send_if_modified(|now| {
            let is_new = now.as_deref() != Some(text.as_str());
            if is_new {
                *now = Some(text.into());
            }
            is_new
        });
        Ok(())
    }

    /// Is there a certificate?
    pub fn is_ready(&self) -> bool {
        self.certified.load().is_some()
    }

    /// Connections that come from now on are served with this chain and its key, in PEM.
    ///
    /// # Errors
    /// [`CertificateError`], and what there was stays.
    pub fn load(&self, chain: &[u8], key: &[u8]) -> Result<(), CertificateError> {
        let chain = certificates(chain)?;
        let expires = chain.first().and_then(|first| read::certificate(first));
        let key = PrivateKeyDer::from_pem_slice(key);
        let key = key.map_err(|_| CertificateError::NoPem("private key"))?;
        let certified = CertifiedKey::from_der(chain, key, &default_provider());
        let certified = certified.map_err(CertificateError::NoPair)?;
        self.certified.store(Some(Arc::new(certified)));
        if let Some(seen) = expires {
            self.expires.set(seen.not_after as f64);
        }
        Ok(())
    }
}

/// All certificates in PEM; at least one.
fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, CertificateError> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        _ => Err(CertificateError::NoPem("certificate")),
    }
}

/// A certificate in PEM.
fn pem(der: &CertificateDer<'_>) -> String {
    use base64::Engine;
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    let lines = text.as_bytes().chunks(64).map(String::from_utf8_lossy);
    let body: String = lines.map(|line| format!("{line}\n")).collect();
    format!("-----BEGIN CERTIFICATE-----\n{body}-----END CERTIFICATE-----\n")
}

impl ResolvesServerCert for Serving {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.certified.load_full()
    }
}

impl fmt::Debug for Serving {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Serving").field("is_ready", &self.is_ready()).finish()
    }
}

// === impl Lifetimes ===

impl Default for Lifetimes {
    fn default() -> Self {
        const DAY: Duration = Duration::from_secs(24 * 3600);
        Self {
            authority: DAY * 730,
            serving: DAY * 60,
            overlap: DAY,
            backdate: Duration::from_secs(300),
        }
    }
}
