//! Tells whoever holds the Lease, while it is another replica, who is connected to this one.
//!
//! Never gives up, and holds nothing back: a report is made from what is true when it is sent, at
//! once after a change and then at most every [`GAP`]. It is taken up again with whoever holds the
//! Lease next.

use std::convert::Infallible;
use std::error::Error;
use std::net::SocketAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::Stream;
use futures_util::stream::unfold;
use http::{Request, Response, StatusCode};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Incoming;
use hyper::client::conn::http2;
use hyper_util::rt::{TokioIo, TokioTimer};
use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_rustls::TlsConnector;

use super::Report;
use super::report::PATH;
use crate::controller::lease::Lease;
use crate::controller::sidecars::{Rings, Sidecars};
use crate::net::task::{self, LocalExecutor};
use crate::telemetry::causes;

/// Between two reports: a start with hundreds of sidecars is a few.
const GAP: Duration = Duration::from_millis(200);
/// The way there, and the wait for the answer's head, may take this long each.
const PATIENCE: Duration = Duration::from_secs(5);
/// A holder that does not answer a ping is gone: noticed within the sum of both.
const PING_INTERVAL: Duration = Duration::from_secs(5);
const PING_TIMEOUT: Duration = Duration::from_secs(4);
/// After a stream that ended or did not come; up to half as long again.
const PAUSE: Duration = Duration::from_secs(1);
/// So many failures in a row are told.
const CLEAR: u32 = 4;

type Reports = StreamBody<Pin<Box<dyn Stream<Item = Result<Frame<Bytes>, Infallible>>>>>;
type BoxError = Box<dyn Error + Send + Sync>;

/// What it takes.
#[derive(Debug, Clone)]
pub struct Reporter {
    /// Which replica this is.
    pub identity: String,
    /// Who is connected to it.
    pub sidecars: Rc<Sidecars>,
    /// Who holds the Lease.
    pub lease: Lease,
    /// The way to another replica: `certificates::client_config`.
    pub tls: Arc<ClientConfig>,
}

/// Reports for as long as it is polled: sidecars that have not left yet still count.
pub async fn run(reporter: Reporter) {
    let mut failures = 0;
    loop {
        let address = reporter.holder().await;
        tokio::select! {
            ended = reporter.report_to(address) => {
                failures = tell(address, ended, failures);
                sleep(PAUSE.mul_f64(1.0 + 0.5 * fastrand::f64())).await;
            }
            () = reporter.another_than(address) => failures = 0,
        }
    }
}

// === impl Reporter ===

impl Reporter {
    /// Waits until another replica holds the Lease, and says where.
    async fn holder(&self) -> SocketAddr {
        let mut lease = self.lease.clone();
        loop {
            match lease.other() {
                Some(address) => return address,
                None => lease.changed().await,
            }
        }
    }

    /// Waits until it is not that one any more.
    async fn another_than(&self, address: SocketAddr) {
        let mut lease = self.lease.clone();
        while lease.other() == Some(address) {
            lease.changed().await;
        }
    }

    /// Reports for as long as the stream lasts; an error if there was none.
    async fn report_to(&self, address: SocketAddr) -> Result<(), BoxError> {
        let mut body = self.open(address).await?.into_body();
        while let Some(Ok(_)) = body.frame().await {}
        Ok(())
    }

    async fn open(&self, address: SocketAddr) -> Result<Response<Incoming>, BoxError> {
        let stream = timeout(PATIENCE, self.dial(address)).await??;
        let (mut sender, connection) = builder().handshake(TokioIo::new(stream)).await?;
        // It ends with the response, which whoever waits for it may drop.
        drop(task::spawn(async move { drop(connection.await) }));
        let request = Request::post(format!("https://{address}{PATH}")).body(self.reports())?;
        let response = timeout(PATIENCE, sender.send_request(request)).await??;
        match response.status() {
            StatusCode::OK => {
                tracing::info!(%address, "reporting to the replica that writes status");
                Ok(response)
            }
            status => Err(format!("it refuses with {status}").into()),
        }
    }

    async fn dial(
        &self,
        address: SocketAddr,
    ) -> std::io::Result<tokio_rustls::client::TlsStream<TcpStream>> {
        let tcp = TcpStream::connect(address).await?;
        let _ = tcp.set_nodelay(true);
        let connector = TlsConnector::from(Arc::clone(&self.tls));
        connector.connect(ServerName::IpAddress(address.ip().into()), tcp).await
    }

    /// The first at once, then after changes. Made only while it can be sent: the newest wins.
    fn reports(&self) -> Reports {
        let state = (self.clone(), self.sidecars.rings(), None);
        let lines = unfold(state, |(reporter, mut rings, last)| async move {
            due(&mut rings, last).await;
            let line = Report::of(&reporter.identity, reporter.sidecars.list()).line().ok()?;
            Some((Ok(Frame::data(line)), (reporter, rings, Some(Instant::now()))))
        });
        StreamBody::new(Box::pin(lines))
    }
}

/// Waits until there is something to say, and it is not too early to say it.
async fn due(rings: &mut Rings, last: Option<Instant>) {
    if let Some(last) = last {
        rings.next().await;
        sleep_until(last + GAP).await;
    }
}

fn builder() -> http2::Builder<LocalExecutor> {
    let mut builder = http2::Builder::new(LocalExecutor);
    builder
        .timer(TokioTimer::new())
        .keep_alive_interval(PING_INTERVAL)
        .keep_alive_timeout(PING_TIMEOUT)
        .keep_alive_while_idle(true);
    builder
}

/// Says it once, and not before it is clear that the holder has not merely given way to the next
/// one, of which the Lease tells within seconds. Gives the failures in a row.
fn tell(address: SocketAddr, ended: Result<(), BoxError>, failures: u32) -> u32 {
    let Err(trouble) = ended else {
        tracing::debug!(%address, "the stream of reports has ended");
        return 0;
    };
    let why = causes(&*trouble).map(ToString::to_string).collect::<Vec<_>>().join(": ");
    if failures + 1 == CLEAR {
        tracing::warn!(
            %address,
            why,
            "no report to the replica that writes status: it does not count this one's sidecars; \
             it is tried again"
        );
    } else {
        tracing::debug!(%address, why, "no report to the replica that writes status");
    }
    failures.saturating_add(1)
}
