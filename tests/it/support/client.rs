//! A client that sends what it is told to, byte for byte, and shows how the answer was framed.

use std::io;
use std::net::SocketAddr;

use super::stream::Stream;
use super::wire::{Body, End, Framing, Head, Piece, Transcript, Wire};

/// One connection.
pub(crate) struct Client {
    wire: Wire,
    body: Body,
}

/// A whole answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) head: Head,
    /// Chunks joined.
    pub(crate) body: Vec<u8>,
    pub(crate) end: End,
}

impl Client {
    pub(crate) fn connect(address: SocketAddr) -> Self {
        Self::over(Stream::connect(address).unwrap())
    }

    pub(crate) fn over(stream: Stream) -> Self {
        Self::on(Wire::new(stream))
    }

    /// As [`connect`](Self::connect), with a copy of every byte of the answers.
    pub(crate) fn copying(address: SocketAddr, transcript: Transcript) -> Self {
        Self::on(Wire::copying(Stream::connect(address).unwrap(), transcript))
    }

    fn on(wire: Wire) -> Self {
        Self { wire, body: Body::new(Framing::None) }
    }

    /// Sends bytes as they are.
    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) -> &mut Self {
        self.wire.write(bytes.as_ref()).unwrap();
        self
    }

    /// As [`send`](Self::send), where the peer may have left already.
    pub(crate) fn try_send(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        self.wire.write(bytes.as_ref())
    }

    /// Sends a JSON request with `host`, `content-length` and these headers.
    pub(crate) fn post(&mut self, target: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        self.send(request("POST", target, headers, body)).answer()
    }

    /// Sends a request without a body.
    pub(crate) fn get(&mut self, target: &str, headers: &[(&str, &str)]) -> Answer {
        self.send(request("GET", target, headers, "")).answer()
    }

    /// The head of the next answer, as soon as it is there.
    #[track_caller]
    pub(crate) fn head(&mut self) -> Head {
        let head = self.wire.head().unwrap().unwrap_or_else(|| panic!("closed without an answer"));
        self.body = Body::new(match head.status() {
            100..200 | 204 | 304 => Framing::None,
            _ => head.framing(Framing::UntilClose),
        });
        head
    }

    /// The next piece of the answer's body, as it was framed.
    pub(crate) fn piece(&mut self) -> Piece {
        self.body.next(&mut self.wire)
    }

    /// The next answer, whole.
    #[track_caller]
    pub(crate) fn answer(&mut self) -> Answer {
        let head = self.head();
        let (body, end) = self.body.rest(&mut self.wire);
        Answer { head, body, end }
    }

    /// The answer to a `HEAD`, which has no body whatever its headers say.
    #[track_caller]
    pub(crate) fn answer_to_head(&mut self) -> Head {
        let head = self.head();
        self.body = Body::new(Framing::None);
        head
    }

    /// The next bytes, not read as HTTP/1.1: at least `count`, or `None` when the peer closes first.
    pub(crate) fn raw(&mut self, count: usize) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        while bytes.len() < count {
            match self.wire.some().unwrap() {
                more if more.is_empty() => return None,
                more => bytes.extend_from_slice(&more),
            }
        }
        Some(bytes)
    }

    /// What has come, as it is; empty when the peer has ended its direction.
    pub(crate) fn some(&mut self) -> io::Result<Vec<u8>> {
        self.wire.some()
    }

    /// Has the peer closed without sending anything more? Waits for it.
    pub(crate) fn is_closed(&mut self) -> bool {
        match self.wire.some() {
            Ok(bytes) => bytes.is_empty(),
            Err(error) => error.kind() == io::ErrorKind::ConnectionReset,
        }
    }

    /// Ends the sending direction; the answer can still be read.
    pub(crate) fn finish(&mut self) {
        self.wire.stream().finish().unwrap();
    }

    /// Leaves with RST.
    pub(crate) fn reset(self) {
        self.wire.into_stream().reset().unwrap();
    }
}

impl Answer {
    pub(crate) fn status(&self) -> u16 {
        self.head.status()
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&self.body)))
    }

    pub(crate) fn is_whole(&self) -> bool {
        matches!(self.end, End::Whole(_))
    }
}

/// A request; `content-length` is there whenever the body is not empty or the method is POST.
pub(crate) fn request(method: &str, target: &str, headers: &[(&str, &str)], body: &str) -> Vec<u8> {
    let mut request = format!("{method} {target} HTTP/1.1\r\nhost: pillion.test\r\n");
    for (name, value) in headers {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    if !body.is_empty() || method == "POST" {
        request.push_str(&format!("content-length: {}\r\n", body.len()));
    }
    request.push_str("\r\n");
    request.push_str(body);
    request.into_bytes()
}
