//! One stream from a controller: opened under the token of the file now, read line by line.

use std::io;
use std::time::Duration;

use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::client::conn::http2;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::time::{Instant, timeout};
use zeroize::Zeroizing;

use super::answers::{self, Answers, Sender};
use super::dial::{self, chain, small_file};
use super::lines::{Line, Lines};
use super::trouble::Trouble;
use super::{Address, Settings};
use crate::bundle::push::{Answer, PATH};
use crate::net::task::{self, LocalExecutor};
use crate::secret::{Digest, Secret};

/// A peer that does not answer a ping is gone: noticed within the sum of both.
const PING_INTERVAL: Duration = Duration::from_secs(5);
const PING_TIMEOUT: Duration = Duration::from_secs(4);
/// A controller may ask the API server who we are before it answers.
const HEAD: Duration = Duration::from_secs(10);
/// What is read of a refusal, and for how long.
const MAX_REFUSAL: usize = 512;
const REFUSAL: Duration = Duration::from_secs(2);
/// The memory that bytes on their way may take.
const WINDOW: u32 = 256 << 10;
/// A larger file is no token.
const MAX_TOKEN: u64 = 64 << 10;

/// An open stream.
pub(super) struct Session {
    token: Digest,
    body: Incoming,
    lines: Lines,
    answers: Sender,
    began: Instant,
}

/// The token of the file.
pub(super) fn read_token(settings: &Settings) -> Result<Secret, Trouble> {
    let path = &settings.token;
    let bytes = small_file(path, MAX_TOKEN).map(Zeroizing::new);
    let token = bytes.and_then(|bytes| Secret::new(&bytes).map_err(io::Error::other));
    token.map_err(|source| Trouble::Token { path: path.clone(), source })
}

// === impl Session ===

impl Session {
    /// Connects and asks for bundles.
    pub(super) async fn open(settings: &Settings) -> Result<Self, Trouble> {
        let token = read_token(settings)?;
        let (answers, body) = answers::channel();
        let request = request(&settings.controller, &token, body)?;
        let stream = TokioIo::new(dial::dial(settings).await?);
        let failed = |error: &hyper::Error| dial::unreachable(&settings.controller, error);
        let (mut sender, connection) =
            builder().handshake(stream).await.map_err(|error| failed(&error))?;
        // It ends with the stream, or with the wait for its head.
        drop(task::spawn(async move { drop(connection.await) }));
        let response = match timeout(HEAD, sender.send_request(request)).await {
            Ok(response) => response.map_err(|error| failed(&error))?,
            Err(_) => return Err(silent(&settings.controller)),
        };
        match response.status() {
            StatusCode::OK => {
                settings.trust.hear(response.headers());
                let (token, lines) = (token.digest(), Lines::default());
                let (body, began) = (response.into_body(), Instant::now());
                Ok(Self { token, body, lines, answers, began })
            }
            _ => Err(refusal(response).await),
        }
    }

    /// Whose stream it is.
    pub(super) fn token(&self) -> Digest {
        self.token
    }

    /// How long it has been open.
    pub(super) fn lived(&self) -> Duration {
        self.began.elapsed()
    }

    /// The next line. May be dropped at any time and called again: nothing is lost.
    pub(super) async fn next(&mut self) -> Result<Line, Trouble> {
        loop {
            let frame = match self.body.frame().await {
                None => return Err(Trouble::Ended),
                Some(Err(error)) => return Err(Trouble::Broken(chain(&error))),
                Some(Ok(frame)) => frame,
            };
            if let Some(line) = frame.data_ref().and_then(|data| self.lines.push(data)) {
                return Ok(line);
            }
        }
    }

    /// Answers the line before.
    pub(super) fn answer(&self, answer: Answer) {
        self.answers.send(answer);
    }
}

fn builder() -> http2::Builder<LocalExecutor> {
    let mut builder = http2::Builder::new(LocalExecutor);
    builder
        .timer(TokioTimer::new())
        .initial_stream_window_size(WINDOW)
        .initial_connection_window_size(WINDOW)
        .keep_alive_interval(PING_INTERVAL)
        .keep_alive_timeout(PING_TIMEOUT)
        .keep_alive_while_idle(true);
    builder
}

fn request(
    controller: &Address,
    token: &Secret,
    body: Answers,
) -> Result<Request<Answers>, Trouble> {
    let failed = |error: &(dyn std::error::Error + 'static)| dial::unreachable(controller, error);
    let token = token.header_value("Bearer ").map_err(|error| failed(&error))?;
    let agent = HeaderValue::from_static(concat!("pillion/", env!("CARGO_PKG_VERSION")));
    Request::builder()
        .method(Method::POST)
        .uri(format!("https://{controller}{PATH}"))
        .header(header::AUTHORIZATION, token)
        .header(header::USER_AGENT, agent)
        .body(body)
        .map_err(|error| failed(&error))
}

fn silent(controller: &Address) -> Trouble {
    let why = "it does not answer".to_owned();
    Trouble::Unreachable { address: controller.to_string(), why }
}

async fn refusal(response: Response<Incoming>) -> Trouble {
    let (head, mut body) = response.into_parts();
    let mut said = Vec::new();
    let reading = async {
        while said.len() < MAX_REFUSAL
            && let Some(Ok(frame)) = body.frame().await
        {
            said.extend_from_slice(frame.data_ref().map_or(&[][..], |data| data));
        }
    };
    // What has come by then must do.
    let _ = timeout(REFUSAL, reading).await;
    said.truncate(MAX_REFUSAL);
    let said = String::from_utf8_lossy(said.trim_ascii()).into_owned();
    let seconds = head.headers.get(header::RETRY_AFTER).and_then(|value| value.to_str().ok());
    let retry_after = seconds.and_then(|text| text.trim().parse().ok()).map(Duration::from_secs);
    Trouble::Refused { status: head.status, said, retry_after }
}
