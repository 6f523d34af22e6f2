//! A request's body as lines, each bounded.

use bytes::{Buf, Bytes, BytesMut};
use http_body::Body;
use http_body_util::BodyExt;
use thiserror::Error;

/// Lines, as they come.
#[derive(Debug)]
pub(super) struct Lines<B> {
    body: Option<B>,
    buffer: BytesMut,
    limit: usize,
}

/// Why there is no line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(super) enum NoLine {
    /// No end of line within the limit.
    #[error("a line is too long")]
    TooLong,
    /// The stream was reset, or the connection broke.
    #[error("the stream broke off")]
    Broken,
    /// The other side has said that no more will come.
    #[error("the stream has ended")]
    Ended,
}

// === impl Lines ===

impl<B: Body<Data = Bytes> + Unpin> Lines<B> {
    /// None of them, its end included, longer than `limit`.
    pub(super) fn new(body: B, limit: usize) -> Self {
        Self { body: Some(body), buffer: BytesMut::new(), limit }
    }

    /// The next line, without its end. May be dropped at any time and called again.
    pub(super) async fn next(&mut self) -> Result<BytesMut, NoLine> {
        loop {
            if let Some(line) = self.line()? {
                return Ok(line);
            }
            self.read().await?;
        }
    }

    async fn read(&mut self) -> Result<(), NoLine> {
        let body = self.body.as_mut().ok_or(NoLine::Ended)?;
        match body.frame().await {
            Some(Ok(frame)) => {
                self.buffer.extend_from_slice(frame.data_ref().unwrap_or(&Bytes::new()));
            }
            Some(Err(_)) => return Err(NoLine::Broken),
            None => self.body = None,
        }
        Ok(())
    }

    fn line(&mut self) -> Result<Option<BytesMut>, NoLine> {
        let Some(end) = memchr::memchr(b'\n', &self.buffer) else {
            return if self.buffer.len() < self.limit { Ok(None) } else { Err(NoLine::TooLong) };
        };
        if end >= self.limit {
            return Err(NoLine::TooLong);
        }
        let line = self.buffer.split_to(end);
        self.buffer.advance(1);
        Ok(Some(line))
    }
}
