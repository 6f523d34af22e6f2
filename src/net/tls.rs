//! TLS as a client: rustls with the system's roots, plus CAs of one's own, or with these alone.

use std::sync::{Arc, LazyLock};

use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::CertificateDer;
use thiserror::Error;

/// The system's roots, read once, when they are first needed: a proxy whose providers all stand in
/// its own cluster, without TLS, does without them.
#[derive(Debug, Clone)]
pub struct Roots(Arc<LazyLock<Arc<RootCertStore>>>);

/// Why no TLS configuration can be made.
#[derive(Debug, Error)]
pub enum TlsError {
    /// A CA certificate is not one.
    #[error("a CA certificate cannot be read")]
    BadCa(#[source] rustls::Error),
    /// The crypto provider lacks what TLS 1.2 and 1.3 need.
    #[error("the TLS library refuses its settings")]
    Settings(#[source] rustls::Error),
}

impl Roots {
    /// The system's roots (`SSL_CERT_FILE` and `SSL_CERT_DIR` are respected); what cannot be read
    /// is logged and left out.
    pub fn of_the_system() -> Self {
        Self(Arc::new(LazyLock::new(|| Arc::new(read()))))
    }

    /// A configuration that believes the system's roots and `more`, and offers HTTP/2 and
    /// HTTP/1.1. Sessions are resumed among connections of the same configuration.
    ///
    /// # Errors
    /// [`TlsError`] when one of `more` is no CA certificate.
    pub fn client_config(
        &self,
        more: &[CertificateDer<'static>],
    ) -> Result<ClientConfig, TlsError> {
        let mut store = Arc::clone(LazyLock::force(&self.0));
        if !more.is_empty() {
            store = Arc::new(believing(RootCertStore::clone(&store), more)?);
        }
        trusting(store, &[b"h2", b"http/1.1"])
    }
}

/// A configuration that believes `roots` and nobody else, and offers HTTP/2 alone.
///
/// # Errors
/// [`TlsError`] when one of them is no CA certificate.
pub fn trusting_only(roots: &[CertificateDer<'static>]) -> Result<ClientConfig, TlsError> {
    trusting(Arc::new(believing(RootCertStore::empty(), roots)?), &[b"h2"])
}

fn believing(
    mut store: RootCertStore,
    more: &[CertificateDer<'static>],
) -> Result<RootCertStore, TlsError> {
    for certificate in more {
        store.add(certificate.clone()).map_err(TlsError::BadCa)?;
    }
    Ok(store)
}

fn trusting(store: Arc<RootCertStore>, protocols: &[&[u8]]) -> Result<ClientConfig, TlsError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(TlsError::Settings)?
        .with_root_certificates(store)
        .with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
    Ok(config)
}

fn read() -> RootCertStore {
    let loaded = rustls_native_certs::load_native_certs();
    for error in &loaded.errors {
        tracing::warn!(%error, "cannot read some of the system's CA certificates");
    }
    let mut store = RootCertStore::empty();
    let (_, ignored) = store.add_parsable_certificates(loaded.certs);
    if store.is_empty() {
        tracing::warn!(
            ignored,
            "the system has no CA certificates: https providers without a \
             caBundle of their own will fail; set SSL_CERT_FILE"
        );
    }
    store
}
