//! Stands between a controller and the API server, speaks HTTP/2 over TLS with both, and lies.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::Stream;
use futures_util::stream::unfold;
use http::{Request, Response, StatusCode};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Incoming;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use kube::client::Body;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use pillion::net::task::LocalExecutor;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{LocalSet, spawn_local};
use tokio::time::sleep;
use tokio_rustls::TlsAcceptor;

use crate::support::GUARD;
use crate::support::tls::Ca;

/// What it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mood {
    /// Hands on everything.
    Honest,
    /// Breaks off every connection after this time, in the middle of whatever it is.
    Cutting(Duration),
    /// Takes every request for one with a version that has grown too old, if it is a watch.
    Forgetting,
    /// Answers every request with this.
    Refusing(u16),
    /// Hands on requests, and nothing of what is answered, until the mood changes.
    Silent,
}

/// The liar; ends with the process.
pub(crate) struct Liar {
    mood: watch::Sender<Mood>,
    facts: Arc<Mutex<Facts>>,
    kubeconfig: PathBuf,
    folder: TempDir,
}

/// What it has seen and done.
#[derive(Debug, Default)]
struct Facts {
    lies: usize,
    tokens: BTreeSet<String>,
}

type Answer = StreamBody<Pin<Box<dyn Stream<Item = Result<Frame<Bytes>, kube::Error>>>>>;

impl Liar {
    /// Before the API server of this kubeconfig, for whoever has its token.
    pub(crate) fn before(kubeconfig: &Path) -> Self {
        let text = fs::read_to_string(kubeconfig).unwrap();
        let (honest, ca) = (serde_json::from_str::<Value>(&text).unwrap(), Ca::new());
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let folder = TempDir::new().unwrap();
        let ours = kubeconfig_of(&honest, listener.local_addr().unwrap(), &ca, &folder);
        let (mood, moods) = watch::channel(Mood::Honest);
        let facts = Arc::<Mutex<Facts>>::default();
        let house = House { moods, facts: Arc::clone(&facts), honest };
        let tls = ca.server(&["127.0.0.1"], &[b"h2"]);
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let serving = serve(listener, TlsAcceptor::from(tls), house);
            LocalSet::new().block_on(&runtime.unwrap(), serving);
        });
        Self { mood, facts, kubeconfig: ours, folder }
    }

    /// The way to it; the token is in a file.
    pub(crate) fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    /// From now on. Connections that stand are broken off, unless it only falls silent or speaks
    /// again.
    pub(crate) fn is(&self, mood: Mood) {
        self.facts.lock().unwrap().lies = 0;
        self.mood.send_replace(mood);
    }

    /// Waits until it has lied so often in this mood.
    #[track_caller]
    pub(crate) fn has_lied(&self, times: usize) {
        self.wait(GUARD, |facts| facts.lies >= times);
    }

    /// Another token is in the file from now on.
    pub(crate) fn rotate(&self, token: &str) {
        fs::write(self.folder.path().join("token"), token).unwrap();
    }

    /// Waits until somebody has come with the token.
    #[track_caller]
    pub(crate) fn has_seen(&self, token: &str, within: Duration) {
        let bearer = format!("Bearer {token}");
        self.wait(within, |facts| facts.tokens.contains(&bearer));
    }

    #[track_caller]
    fn wait(&self, within: Duration, wanted: impl Fn(&Facts) -> bool) {
        let began = Instant::now();
        while !wanted(&self.facts.lock().unwrap()) {
            assert!(began.elapsed() < within, "nobody came in the mood {:?}", *self.mood.borrow());
            thread::sleep(Duration::from_millis(5));
        }
    }
}

/// The same, but the server is ours.
fn kubeconfig_of(honest: &Value, address: SocketAddr, ca: &Ca, folder: &TempDir) -> PathBuf {
    let file = |name: &str, content: &str| {
        let path = folder.path().join(name);
        fs::write(&path, content).unwrap();
        path
    };
    let token = honest["users"][0]["user"]["token"].as_str().unwrap();
    let mut ours = honest.clone();
    ours["clusters"][0]["cluster"] = json!({
        "server": format!("https://{address}"),
        "certificate-authority": file("ca.pem", &ca.pem()),
    });
    ours["users"][0]["user"] = json!({"tokenFile": file("token", token)});
    file("kubeconfig", &ours.to_string())
}

/// What every connection needs.
#[derive(Clone)]
struct House {
    moods: watch::Receiver<Mood>,
    facts: Arc<Mutex<Facts>>,
    honest: Value,
}

async fn serve(listener: std::net::TcpListener, tls: TlsAcceptor, house: House) {
    listener.set_nonblocking(true).unwrap();
    let listener = TcpListener::from_std(listener).unwrap();
    loop {
        let (tcp, _) = listener.accept().await.unwrap();
        spawn_local(connection(tcp, tls.clone(), house.clone()));
    }
}

async fn connection(tcp: TcpStream, tls: TlsAcceptor, house: House) {
    let Ok(io) = tls.accept(tcp).await else { return };
    let client = Rc::new(client(&house.honest).await);
    let service = service_fn(|request| answer(request, Rc::clone(&client), house.clone()));
    let serving = http2::Builder::new(LocalExecutor).serve_connection(TokioIo::new(io), service);
    let mut moods = house.moods.clone();
    tokio::select! {
        _ = pin!(serving) => {}
        () = broken_off(&mut moods) => house.lied(),
    }
}

/// A client that says nothing of who it is.
async fn client(honest: &Value) -> Client {
    let mut honest: Kubeconfig = serde_json::from_value(honest.clone()).unwrap();
    honest.auth_infos[0].auth_info = None;
    let options = KubeConfigOptions::default();
    let mut config = Config::from_custom_kubeconfig(honest, &options).await.unwrap();
    config.proxy_url = None;
    config.read_timeout = None;
    Client::try_from(config).unwrap()
}

/// When the mood says so, or has become one that does not go on as before.
async fn broken_off(moods: &mut watch::Receiver<Mood>) {
    let mut before = *moods.borrow_and_update();
    loop {
        let cut = async {
            match before {
                Mood::Cutting(after) => sleep(after).await,
                _ => std::future::pending().await,
            }
        };
        tokio::select! {
            () = cut => return,
            changed = moods.changed() => {
                let now = *moods.borrow_and_update();
                if changed.is_err() || !(goes_on(before) && goes_on(now)) {
                    return;
                }
                before = now;
            }
        }
    }
}

fn goes_on(mood: Mood) -> bool {
    matches!(mood, Mood::Honest | Mood::Silent)
}

async fn answer(
    request: Request<Incoming>,
    client: Rc<Client>,
    house: House,
) -> Result<Response<Answer>, kube::Error> {
    let mood = *house.moods.borrow();
    let is_watch = request.uri().query().is_some_and(|query| query.contains("watch="));
    if let Some(token) = request.headers().get("authorization") {
        house.facts.lock().unwrap().tokens.insert(token.to_str().unwrap().to_owned());
    }
    match mood {
        Mood::Refusing(code) => {
            house.lied();
            Ok(status(StatusCode::from_u16(code).unwrap(), code, "busy"))
        }
        Mood::Forgetting if is_watch => {
            house.lied();
            let error = json!({"type": "ERROR", "object": failure(410, "Expired")});
            Ok(Response::new(text(format!("{error}\n"))))
        }
        _ => forward(request, &client, house).await,
    }
}

async fn forward(
    request: Request<Incoming>,
    client: &Client,
    house: House,
) -> Result<Response<Answer>, kube::Error> {
    let (mut head, body) = request.into_parts();
    head.uri = head.uri.path_and_query().unwrap().as_str().parse().unwrap();
    head.version = http::Version::HTTP_11;
    let body = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    let (head, body) = client.send(Request::from_parts(head, Body::from(body))).await?.into_parts();
    let frames = unfold((body, house), |(mut body, house)| async move {
        let frame = body.frame().await?;
        house.speaks().await;
        Some((frame, (body, house)))
    });
    let mut response = Response::new(StreamBody::new(Box::pin(frames) as Pin<Box<_>>));
    *response.status_mut() = head.status;
    for name in ["content-type", "retry-after"] {
        if let Some(value) = head.headers.get(name) {
            response.headers_mut().insert(name, value.clone());
        }
    }
    Ok(response)
}

fn failure(code: u16, reason: &str) -> Value {
    let (kind, version) = ("Status", "v1");
    json!({
        "kind": kind, "apiVersion": version, "metadata": {}, "status": "Failure",
        "message": "so says the liar", "reason": reason, "code": code,
    })
}

fn status(status: StatusCode, code: u16, reason: &str) -> Response<Answer> {
    let mut response = Response::new(text(failure(code, reason).to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert("content-type", "application/json".parse().unwrap());
    response
}

fn text(text: String) -> Answer {
    let once = RefCell::new(Some(Ok(Frame::data(Bytes::from(text)))));
    let frames = unfold(once, |once| async move {
        let frame = once.take()?;
        Some((frame, once))
    });
    StreamBody::new(Box::pin(frames))
}

// === impl House ===

impl House {
    fn lied(&self) {
        self.facts.lock().unwrap().lies += 1;
    }

    /// Waits until it may speak.
    async fn speaks(&self) {
        let mut moods = self.moods.clone();
        if *moods.borrow_and_update() == Mood::Silent {
            self.lied();
        }
        let _ = moods.wait_for(|mood| *mood != Mood::Silent).await;
    }
}
