//! The callers: a number of connections, each with one call under way at a time.
//!
//! Owns the clocks of a measurement: the window begins when all connections are warm. Knows nothing
//! of who answers. An answer that is not a 200 ends the benchmark: a fast refusal is no figure.

mod closed;
mod rate;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::http1::{self, Body};

pub(crate) use closed::closed;
pub(crate) use rate::rate;

/// What is sent where, for how long.
#[derive(Debug, Clone)]
pub(crate) struct Load {
    pub(crate) address: SocketAddr,
    pub(crate) request: Arc<[u8]>,
    pub(crate) warm_up: Duration,
    pub(crate) window: Duration,
}

/// What the callers saw in the window.
#[derive(Debug, Clone, Default)]
pub(crate) struct Seen {
    /// Whole calls, and the parts of those that the window's edges cut.
    pub(crate) calls: f64,
    /// From the request's first byte to the answer's last, in microseconds, sorted.
    pub(crate) latencies: Vec<u32>,
}

/// An answer as it comes in. Keeps the head and the last bytes only.
#[derive(Debug, Default)]
struct Reading {
    kept: Vec<u8>,
    expected: Option<http1::Head>,
    taken: usize,
}

// === impl Reading ===

impl Reading {
    /// Takes what one read brought. True when the answer is whole.
    fn take(&mut self, bytes: &[u8]) -> io::Result<bool> {
        self.taken += bytes.len();
        self.kept.extend_from_slice(bytes);
        let Some(head) = self.head()? else { return Ok(false) };
        match head.body {
            Body::Sized(size) => Ok(self.taken >= head.length + size),
            Body::Chunked => {
                let ended = http1::ends(&self.kept);
                let old = self.kept.len().saturating_sub(7);
                self.kept.drain(..old);
                Ok(ended)
            }
        }
    }

    /// Is ready for the next answer; gives the size of this one.
    fn next(&mut self) -> usize {
        self.kept.clear();
        self.expected = None;
        std::mem::take(&mut self.taken)
    }

    fn head(&mut self) -> io::Result<Option<http1::Head>> {
        if self.expected.is_none() {
            self.expected = http1::head(&self.kept);
            if self.expected.is_some() && !self.kept.starts_with(b"HTTP/1.1 200") {
                let line = self.kept.split(|byte| *byte == b'\r').next().unwrap_or_default();
                return Err(io::Error::other(String::from_utf8_lossy(line).into_owned()));
            }
        }
        Ok(self.expected)
    }
}

fn left() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "the peer closed the connection within an answer")
}

fn micros(time: Duration) -> u32 {
    u32::try_from(time.as_micros()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_end() {
        fn check(parts: &[&str], whole_after: usize) {
            let mut reading = Reading::default();
            for (number, part) in parts.iter().enumerate() {
                let whole = reading.take(part.as_bytes()).unwrap();
                assert_eq!(whole, number + 1 == whole_after, "{parts:?} at {number}");
            }
        }
        check(&["HTTP/1.1 200 OK\r\ncontent-length: 3\r\n", "\r\nab", "c"], 3);
        let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
        check(&[chunked, "3\r\nabc\r\n", "0\r\n\r\n"], 3);
        check(&[chunked, "3\r\nabc\r\n0", "\r", "\n\r\n"], 4);
        assert!(Reading::default().take(b"HTTP/1.1 503 No\r\n\r\n").is_err());
    }
}
