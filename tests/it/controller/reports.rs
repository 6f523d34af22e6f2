//! Who may report, and what becomes of it.

use std::sync::Arc;

use http::Request;
use pillion::controller::certificates::{self, Serving};
use pillion::controller::reports::report::PATH;
use prometheus::Gauge;
use rcgen::{CertificateParams, KeyPair};
use rustls::client::ResolvesClientCert;
use rustls::crypto::ring::default_provider;
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, RootCertStore, SignatureScheme};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::sidecar::{Caller, Refused, Sidecar, request};
use super::stand::{Stand, TOKEN, Town, Wish, app, locally};
use crate::support::GUARD;

/// A certificate that signs itself, and its key.
struct Pair {
    certificate: CertificateDer<'static>,
    key: KeyPair,
    pem: String,
}

/// Shows whatever it is told to.
#[derive(Debug)]
struct Shown(Arc<CertifiedKey>);

impl Pair {
    fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        let certificate = params.self_signed(&key).unwrap();
        Self { certificate: certificate.der().clone(), key, pem: certificate.pem() }
    }

    fn serving(&self) -> Arc<Serving> {
        let serving = Serving::new(Gauge::new("expires", "help").unwrap());
        serving.load(self.pem.as_bytes(), self.key.serialize_pem().as_bytes()).unwrap();
        serving
    }

    /// How another replica with this certificate connects.
    fn replica(&self) -> Arc<ClientConfig> {
        certificates::client_config(self.serving()).unwrap()
    }

    /// How a sidecar connects.
    fn sidecar(&self) -> Arc<ClientConfig> {
        self.showing(None)
    }

    /// Believes this certificate, and shows another one.
    fn showing(&self, shown: Option<(&Self, &KeyPair)>) -> Arc<ClientConfig> {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.clone()).unwrap();
        let provider = default_provider();
        let key_of = |key: &KeyPair| {
            let der = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
            provider.key_provider.load_private_key(der).unwrap()
        };
        let shown =
            shown.map(|(pair, key)| CertifiedKey::new(vec![pair.certificate.clone()], key_of(key)));
        let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots);
        let mut config = match shown {
            None => config.with_no_client_auth(),
            Some(shown) => config.with_client_cert_resolver(Arc::new(Shown(Arc::new(shown)))),
        };
        config.alpn_protocols = vec![b"h2".to_vec()];
        Arc::new(config)
    }
}

impl ResolvesClientCert for Shown {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }

    fn has_certs(&self) -> bool {
        true
    }
}

async fn stand(pair: &Pair) -> Stand {
    let server = certificates::server_config(pair.serving()).unwrap();
    let mut town = Town::new();
    town.pod(&app());
    Stand::serving(town, Wish::default(), server, [pair.sidecar(), pair.sidecar()]).await
}

/// Asks to report.
async fn ask(stand: &Stand, tls: &Arc<ClientConfig>) -> Result<Sidecar, Refused> {
    let caller = Caller::connect(stand.address, tls).await;
    caller.ask(Request::post(format!("https://localhost{PATH}")).body(()).unwrap()).await
}

/// Is it let in so far that it could ask?
async fn is_let_in(stand: &Stand, tls: Arc<ClientConfig>) -> bool {
    let tcp = TcpStream::connect(stand.address).await.unwrap();
    let shaken = TlsConnector::from(tls).connect("localhost".try_into().unwrap(), tcp).await;
    let Ok(mut stream) = shaken else { return false };
    // In TLS 1.3 a client hears of its refusal with the first bytes that it reads.
    timeout(GUARD, stream.read_u8()).await.unwrap().is_ok()
}

#[tokio::test]
async fn only_who_has_the_replicas_own_certificate_may_report() {
    locally(async {
        let (pair, other) = (Pair::new(), Pair::new());
        let stand = stand(&pair).await;
        assert!(ask(&stand, &pair.replica()).await.is_ok());
        assert!(is_let_in(&stand, pair.replica()).await);
        // A sidecar is let in without any certificate, and may not report, whatever its token.
        let refused = ask(&stand, &pair.sidecar()).await.err().unwrap();
        assert_eq!(refused.status, 403);
        assert!(refused.text.contains("replicas of the controller only"), "{}", refused.text);
        let caller = Caller::connect(stand.address, &pair.sidecar()).await;
        assert!(caller.ask(request(Some(TOKEN))).await.is_ok());
        // Who shows another certificate, or the right one without its key, is not let in.
        assert!(!is_let_in(&stand, pair.showing(Some((&other, &other.key)))).await);
        assert!(!is_let_in(&stand, pair.showing(Some((&pair, &other.key)))).await);
        assert!(is_let_in(&stand, pair.showing(Some((&pair, &pair.key)))).await);
        // Nor does a replica tell anything to whoever is none.
        let tcp = TcpStream::connect(stand.address).await.unwrap();
        let name = "localhost".try_into().unwrap();
        assert!(TlsConnector::from(other.replica()).connect(name, tcp).await.is_err());
    })
    .await;
}

#[tokio::test]
async fn a_report_counts_as_long_as_its_stream() {
    locally(async {
        let pair = Pair::new();
        let stand = stand(&pair).await;
        let mut replica = ask(&stand, &pair.replica()).await.unwrap();
        let news = async || timeout(GUARD, stand.reports.changed()).await.unwrap();
        for pods in [r#"["t","a","1"],["t","b","2"]"#, r#"["t","b","2"]"#] {
            replica.answer(&format!(r#"{{"replica":"r","sidecars":[{{"pods":[{pods}]}}]}}"#));
            news().await;
            assert_eq!(stand.reports.list().len(), pods.matches("t").count());
        }
        drop(replica);
        news().await;
        assert_eq!(stand.reports.list().len(), 0);
        // What cannot be read ends the stream.
        let mut replica = ask(&stand, &pair.replica()).await.unwrap();
        replica.answer("garbage");
        assert!(replica.bundle().await.is_none());
    })
    .await;
}
