//! Against the API server itself: real tokens of real pods, and certificates among replicas.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use k8s_openapi::api::core::v1::{ConfigMap, Pod, Secret};
use kube::Api;
use kube::api::DeleteParams;
use kube::config::{KubeConfigOptions, Kubeconfig};
use pillion::controller::certificates::keeper::{CONFIG_MAP, Keeper, SECRET};
use pillion::controller::certificates::{Lifetimes, Serving, Source, Wishes, server_config};
use pillion::controller::connections::Connections;
use pillion::controller::metrics::Metrics;
use pillion::controller::push::metrics::PushMetrics;
use pillion::controller::run::{Controller, Options, Outside};
use pillion::controller::status;
use pillion::net::drain::{self, DrainSignal, Stage};
use pillion_cluster::{Cluster, TokenWish};
use prometheus::{Gauge, Registry};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivatePkcs8KeyDer, ServerName};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::sidecar::{Refused, Sidecar};
use super::stand::locally;
use crate::support::GUARD;
use crate::support::cluster::shared;

const POD: &str = "
apiVersion: v1
kind: Pod
metadata: { name: app }
spec: { containers: [{ name: app, image: app }] }
";

/// A controller of one namespace.
struct Running {
    cluster: &'static Cluster,
    namespace: String,
    address: SocketAddr,
    tls: Arc<ClientConfig>,
    signal: DrainSignal,
    task: JoinHandle<()>,
}

// === impl Running ===

impl Running {
    async fn start() -> Self {
        let cluster = shared().await;
        let namespace = cluster.namespace().await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let registry = Registry::new();
        let own = namespace.parse().unwrap();
        let options = Options {
            namespaces: BTreeSet::from([namespace.parse().unwrap()]),
            own_namespace: own,
            identity: "test".to_owned(),
            address: None,
            webhook_configuration: None,
        };
        let outside = Outside {
            connections: connections(cluster).await,
            listener,
            certificates: Source::Kept { names: Vec::new() },
            metrics: Metrics::register(&registry).unwrap(),
            push_metrics: PushMetrics::register(&registry).unwrap(),
            status_metrics: status::metrics::Metrics::register(&registry).unwrap(),
        };
        let controller = Controller::new(options, outside);
        let (signal, drain) = drain::channel();
        let task = tokio::task::spawn_local(async { controller.run(drain).await.unwrap() });
        let tls = trusting(&authorities(cluster, &namespace).await);
        Self { cluster, namespace, address, tls, signal, task }
    }

    async fn pod(&self) -> Pod {
        let applied = self.cluster.apply(&self.namespace, POD).await.unwrap();
        applied[0].clone().try_parse().unwrap()
    }

    async fn token(&self, pod: Option<&Pod>, audience: Option<&str>) -> String {
        let namespace = &self.namespace;
        let service_account = "default";
        let wish = TokenWish { namespace, service_account, pod, audience, seconds: 600 };
        self.cluster.token(wish).await.unwrap()
    }

    async fn open(&self, token: &str) -> Result<Sidecar, Refused> {
        Sidecar::open(self.address, &self.tls, token).await
    }

    async fn is_refused(&self, token: &str, status: u16, remedy: &str) {
        let Err(refused) = self.open(token).await else { panic!("let in; expected {status}") };
        assert_eq!(refused.status, status, "{}", refused.text);
        assert!(refused.text.contains(remedy), "{}", refused.text);
    }

    async fn end(self) {
        self.signal.advance(Stage::Cut);
        timeout(GUARD, self.task).await.unwrap().unwrap();
    }
}

async fn connections(cluster: &Cluster) -> Connections {
    let file = Kubeconfig::read_from(cluster.kubeconfig()).unwrap();
    let options = KubeConfigOptions::default();
    let mut config = kube::Config::from_custom_kubeconfig(file, &options).await.unwrap();
    config.proxy_url = None;
    Connections::new(config).unwrap()
}

/// What the ConfigMap says, once it is there.
async fn authorities(cluster: &Cluster, namespace: &str) -> String {
    let maps: Api<ConfigMap> = Api::namespaced(cluster.client().unwrap(), namespace);
    let there = async {
        loop {
            let found = maps.get_opt(CONFIG_MAP).await.unwrap();
            if let Some(text) = found.and_then(|map| map.data?.remove("ca.crt")) {
                return text;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(GUARD, there).await.unwrap()
}

fn trusting(authorities: &str) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(authorities.as_bytes()) {
        roots.add(certificate.unwrap()).unwrap();
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let mut config = config.unwrap().with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec()];
    Arc::new(config)
}

#[tokio::test]
async fn a_pods_token_opens_its_stream_until_the_pod_is_gone() {
    locally(async {
        let running = Running::start().await;
        let pod = running.pod().await;
        let token = running.token(Some(&pod), Some("pillion.dev")).await;
        let unseen = running.token(Some(&pod), Some("pillion.dev")).await;
        let mut sidecar = running.open(&token).await.unwrap();
        assert_eq!(sidecar.bundle().await.unwrap().world.routes.len(), 0);
        let route = "
            apiVersion: pillion.dev/v1alpha1
            kind: LlmRoute
            metadata: { name: all }
            spec:
              rules:
                - name: all
                  targets: [{ provider: { name: none } }]
        ";
        running.cluster.apply(&running.namespace, route).await.unwrap();
        assert_eq!(sidecar.bundle().await.unwrap().world.routes.len(), 1);
        let pods: Api<Pod> = Api::namespaced(running.cluster.client().unwrap(), &running.namespace);
        pods.delete("app", &DeleteParams::default().grace_period(0)).await.unwrap();
        assert!(sidecar.bundle().await.is_none());
        // What was remembered of it is of no use.
        running.is_refused(&token, 403, "no pod").await;
        // The API server believes for some seconds what it has found good; not this one, which it
        // has never seen.
        running.is_refused(&unseen, 401, "not valid").await;
        running.end().await;
    })
    .await;
}

#[tokio::test]
async fn other_tokens_open_nothing() {
    locally(async {
        let running = Running::start().await;
        let pod = running.pod().await;
        let token = running.token(Some(&pod), Some("pillion.dev")).await;
        let foreign = running.token(Some(&pod), Some("vault")).await;
        running.is_refused(&foreign, 401, "audience `pillion.dev`").await;
        let api_servers = running.token(Some(&pod), None).await;
        running.is_refused(&api_servers, 401, "audience `pillion.dev`").await;
        let unbound = running.token(None, Some("pillion.dev")).await;
        running.is_refused(&unbound, 403, "bound to no pod").await;
        let still_valid = signed_again(running.cluster, &token, |_| {});
        assert!(running.open(&still_valid).await.is_ok(), "the test signs as the cluster does");
        let expired = signed_again(running.cluster, &token, |claims| {
            for claim in ["iat", "nbf", "exp"] {
                claims[claim] = (claims[claim].as_i64().unwrap() - 7200).into();
            }
        });
        running.is_refused(&expired, 401, "not expired").await;
        let (signed, _) = token.rsplit_once('.').unwrap();
        let (_, signature) = expired.rsplit_once('.').unwrap();
        running.is_refused(&format!("{signed}.{signature}"), 401, "not valid").await;
        running.end().await;
    })
    .await;
}

/// The token with other claims, under the cluster's own key.
fn signed_again(cluster: &Cluster, token: &str, change: impl FnOnce(&mut Value)) -> String {
    let parts: Vec<&str> = token.split('.').collect();
    let claims = URL_SAFE_NO_PAD.decode(parts[1]).unwrap();
    let mut claims: Value = serde_json::from_slice(&claims).unwrap();
    change(&mut claims);
    let signed = format!("{}.{}", parts[0], URL_SAFE_NO_PAD.encode(claims.to_string()));
    let file = cluster.kubeconfig().parent().unwrap().join("token.key");
    let key = PrivatePkcs8KeyDer::from_pem_file(file).unwrap();
    let random = SystemRandom::new();
    let der = key.secret_pkcs8_der();
    let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der, &random).unwrap();
    let signature = key.sign(&random, signed.as_bytes()).unwrap();
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// A replica's part in keeping certificates.
struct Replica {
    serving: Arc<Serving>,
    signal: DrainSignal,
}

fn replica(cluster: &Cluster, namespace: &str, lifetimes: Lifetimes) -> Rc<Replica> {
    let serving = Serving::new(Gauge::new("expires", "expires").unwrap());
    let wishes = Wishes { names: vec!["localhost".to_owned()], lifetimes };
    let client = cluster.client().unwrap();
    let keeper = Keeper::new(&client, namespace, wishes, Arc::clone(&serving));
    let (signal, drain) = drain::channel();
    tokio::task::spawn_local(keeper.run(drain));
    Rc::new(Replica { serving, signal })
}

impl Replica {
    /// The certificate that a client is shown; `None` unless it trusts it.
    async fn shown(&self, authorities: &str) -> Option<Vec<u8>> {
        let (near, far) = tokio::io::duplex(16 << 10);
        let acceptor = TlsAcceptor::from(server_config(Arc::clone(&self.serving)).unwrap());
        let connector = TlsConnector::from(trusting(authorities));
        let name = ServerName::try_from("localhost").unwrap();
        let (client, _) = tokio::join!(connector.connect(name, near), acceptor.accept(far));
        let client = client.ok()?;
        Some(client.get_ref().1.peer_certificates().unwrap()[0].to_vec())
    }
}

fn lifetimes([authority, serving, overlap]: [u64; 3]) -> Lifetimes {
    let [authority, serving, overlap] = [authority, serving, overlap].map(Duration::from_secs);
    Lifetimes { authority, serving, overlap, backdate: Duration::ZERO }
}

#[tokio::test]
async fn replicas_agree_on_a_certificate_and_bring_a_lost_one_back() {
    locally(async {
        let cluster = shared().await;
        let namespace = cluster.namespace().await.unwrap();
        let replicas: Vec<_> =
            (0..3).map(|_| replica(cluster, &namespace, Lifetimes::default())).collect();
        let ca = authorities(cluster, &namespace).await;
        let agree = async || {
            let mut shown = BTreeSet::new();
            for replica in &replicas {
                shown.insert(replica.shown(&ca).await);
            }
            (shown.len() == 1).then(|| shown.pop_first().unwrap()).flatten()
        };
        let first = until(&agree).await;
        let secrets: Api<Secret> = Api::namespaced(cluster.client().unwrap(), &namespace);
        let kept = secrets.get(SECRET).await.unwrap();
        secrets.delete(SECRET, &DeleteParams::default()).await.unwrap();
        let back = until(&async || secrets.get_opt(SECRET).await.unwrap()).await;
        assert!(kept.data == back.data && kept.metadata.uid != back.metadata.uid);
        assert_eq!(until(&agree).await, first);
        for replica in replicas {
            replica.signal.advance(Stage::Cut);
        }
    })
    .await;
}

/// Who trusts what the ConfigMap said a while ago is served by every replica, all the time.
#[tokio::test]
async fn authorities_change_without_anybody_being_refused() {
    locally(async {
        let cluster = shared().await;
        let namespace = cluster.namespace().await.unwrap();
        let lifetimes = lifetimes([12, 9, 2]);
        let replicas = [(); 2].map(|()| replica(cluster, &namespace, lifetimes));
        let first = authorities(cluster, &namespace).await;
        until(&async || replicas[0].shown(&first).await).await;
        until(&async || replicas[1].shown(&first).await).await;
        let mut known = first.clone();
        let changed = async {
            // Until nothing is signed by the first CA any more.
            while replicas[0].shown(&first).await.is_some() {
                for replica in &replicas {
                    assert!(replica.shown(&known).await.is_some());
                }
                known = authorities(cluster, &namespace).await;
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            assert!(replicas[0].shown(&known).await.is_some());
        };
        timeout(GUARD, changed).await.unwrap();
        assert!(known.contains(first.trim()) && known.matches("BEGIN").count() == 2);
        for replica in replicas {
            replica.signal.advance(Stage::Cut);
        }
    })
    .await;
}

async fn until<T>(found: &impl AsyncFn() -> Option<T>) -> T {
    let looking = async {
        loop {
            if let Some(found) = found().await {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(GUARD, looking).await.unwrap()
}
