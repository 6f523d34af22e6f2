//! HTTP/2 upstream connections: shared by many calls, so each has a task that drives it.

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::client::conn::http2;
use hyper_util::rt::{TokioIo, TokioTimer};

use super::Broken;
use crate::net::stream::Stream;
use crate::net::task::{self, LocalExecutor};
use crate::proxy::outgoing::Outgoing;

/// A dead peer is noticed after this long without an answer to a ping.
const PING_TIMEOUT: Duration = Duration::from_secs(10);
/// How often a connection with open calls is pinged.
const PING_INTERVAL: Duration = Duration::from_secs(20);
/// Large enough that a fast stream is not throttled by round trips.
const STREAM_WINDOW: u32 = 1 << 20;
/// So large that the streams' own windows are what bounds memory: a window that all streams share
/// lets one caller who does not read hold up the calls of all others. `h2` derives from it, too,
/// how many small frames may wait to be read before it gives the whole connection up
/// (`too_many_data_frames`), and events are small. As large as that of Go's client.
const CONNECTION_WINDOW: u32 = 1 << 30;

/// A shared connection.
#[derive(Debug, Clone)]
pub struct Connection {
    sender: http2::SendRequest<Outgoing>,
    streams: Rc<Cell<usize>>,
    /// As many streams as the peer allows at once.
    limit: Rc<Cell<usize>>,
}

/// One stream of a connection, counted until it ends.
#[derive(Debug)]
pub struct Lease {
    streams: Rc<Cell<usize>>,
}

/// Speaks HTTP/2 on a stream.
pub async fn handshake(stream: Stream) -> hyper::Result<Connection> {
    let (sender, mut connection) = http2::Builder::new(LocalExecutor)
        .timer(TokioTimer::new())
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .keep_alive_interval(PING_INTERVAL)
        .keep_alive_timeout(PING_TIMEOUT)
        .handshake(TokioIo::new(stream))
        .await?;
    let limit = Rc::new(Cell::new(connection.current_max_send_streams()));
    let allowed = Rc::clone(&limit);
    let driving = poll_fn(move |cx| {
        let polled = Pin::new(&mut connection).poll(cx);
        allowed.set(connection.current_max_send_streams());
        polled
    });
    drop(task::spawn(async move {
        if let Err(error) = driving.await {
            tracing::debug!(%error, "an HTTP/2 connection to a provider ended");
        }
    }));
    Ok(Connection { sender, streams: Rc::default(), limit })
}

// === impl Connection ===

impl Connection {
    /// Has it ended?
    pub fn is_closed(&self) -> bool {
        self.sender.is_closed()
    }

    /// Would another stream be opened at once?
    pub fn has_room(&self) -> bool {
        !self.is_closed() && self.streams.get() < self.limit.get()
    }

    /// Is no stream open?
    pub fn is_idle(&self) -> bool {
        self.streams.get() == 0
    }

    /// Sends a request and waits for the answer's head.
    pub(super) async fn send(
        mut self,
        request: Request<Outgoing>,
    ) -> Result<(Response<Incoming>, Lease), Broken> {
        let lease = Lease::open(&self.streams);
        let answer = self.sender.send_request(request).await;
        let response = answer.map_err(|error| refused_or_broken(&error))?;
        Ok((response, lease))
    }
}

/// REFUSED_STREAM promises that nothing was processed (RFC 9113, 8.7), and so does a GOAWAY for
/// streams beyond its last one.
fn refused_or_broken(error: &hyper::Error) -> Broken {
    let source = std::error::Error::source(error);
    let reason =
        source.and_then(|cause| cause.downcast_ref::<h2::Error>()).and_then(h2::Error::reason);
    match reason {
        Some(h2::Reason::REFUSED_STREAM) => Broken::BeforeAnswer(super::chain(error)),
        _ => Broken::from_hyper(error),
    }
}

// === impl Lease ===

impl Lease {
    fn open(streams: &Rc<Cell<usize>>) -> Self {
        streams.set(streams.get() + 1);
        Self { streams: Rc::clone(streams) }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.streams.set(self.streams.get() - 1);
    }
}
