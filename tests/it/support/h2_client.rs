//! An HTTP/2 client with prior knowledge, blocking, for callers that speak h2c.

use std::net::SocketAddr;

use bytes::Bytes;
use h2::client::SendRequest;
use h2::{Reason, RecvStream, SendStream};
use http::{Request, Response};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio::time::timeout;

use super::GUARD;

/// One connection, driven while one of its methods waits.
pub(crate) struct H2Client {
    runtime: Runtime,
    sender: SendRequest<Bytes>,
}

/// One answer, whose body is still to come.
pub(crate) struct H2Answer {
    pub(crate) head: Response<()>,
    body: RecvStream,
    request: SendStream<Bytes>,
}

/// How a body ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum H2End {
    Whole,
    Reset(Option<Reason>),
}

impl H2Client {
    pub(crate) fn connect(address: SocketAddr) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let sender = runtime.block_on(async {
            let stream = TcpStream::connect(address).await.unwrap();
            let (sender, connection) = h2::client::handshake(stream).await.unwrap();
            #[expect(
                clippy::disallowed_methods,
                reason = "the test's own runtime, not a worker's"
            )]
            tokio::spawn(connection);
            sender
        });
        Self { runtime, sender }
    }

    /// Sends a call and waits for the head of its answer.
    #[track_caller]
    pub(crate) fn post(&mut self, target: &str, body: &'static str) -> H2Answer {
        let uri = format!("http://pillion.test{target}");
        let request = Request::post(uri).body(()).unwrap();
        let call = async {
            let sender = self.sender.clone().ready().await.unwrap();
            let (answer, mut sending) = { sender }.send_request(request, false).unwrap();
            sending.send_data(Bytes::from_static(body.as_bytes()), true).unwrap();
            (answer.await.unwrap(), sending)
        };
        let (answer, request) = self.runtime.block_on(timed(call));
        let (parts, body) = answer.into_parts();
        H2Answer { head: Response::from_parts(parts, ()), body, request }
    }

    /// The next DATA frame, or the end.
    #[track_caller]
    pub(crate) fn piece(&mut self, answer: &mut H2Answer) -> Result<Vec<u8>, H2End> {
        let body = &mut answer.body;
        let next = async {
            loop {
                match body.data().await {
                    None => return Err(H2End::Whole),
                    Some(Err(error)) => return Err(H2End::Reset(error.reason())),
                    Some(Ok(data)) if data.is_empty() => {}
                    Some(Ok(data)) => {
                        body.flow_control().release_capacity(data.len()).unwrap();
                        return Ok(data.to_vec());
                    }
                }
            }
        };
        self.runtime.block_on(timed(next))
    }

    /// What is left of a body, and how it ended.
    #[track_caller]
    pub(crate) fn rest(&mut self, answer: &mut H2Answer) -> (String, H2End) {
        let mut all = Vec::new();
        loop {
            match self.piece(answer) {
                Ok(bytes) => all.extend(bytes),
                Err(end) => return (String::from_utf8(all).unwrap(), end),
            }
        }
    }

    /// Leaves one call; the connection goes on until it is dropped.
    pub(crate) fn cancel(&mut self, mut answer: H2Answer) {
        answer.request.send_reset(Reason::CANCEL);
        drop(answer);
        // The frame is written by the connection's task, which runs while something is awaited.
        self.runtime.block_on(async {
            for _ in 0..TURNS {
                tokio::task::yield_now().await;
            }
        });
    }
}

const TURNS: usize = 16;

async fn timed<F: Future>(future: F) -> F::Output {
    timeout(GUARD, future).await.unwrap_or_else(|_| panic!("the event did not come"))
}
