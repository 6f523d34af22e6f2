//! HTTP/1.1 in raw bytes over tokio: as much of it as both ends of the soak need.

use std::io::{self, ErrorKind};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A connection with what was read ahead of need.
pub(crate) struct Wire {
    stream: TcpStream,
    ahead: Vec<u8>,
}

/// The head of a request or an answer.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) first_line: String,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
}

/// What is left of a body.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Body {
    Chunked,
    Length(usize),
    Done,
}

// === impl Wire ===

impl Wire {
    pub(crate) fn new(stream: TcpStream) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        Ok(Self { stream, ahead: Vec::new() })
    }

    pub(crate) async fn connect(address: std::net::SocketAddr) -> io::Result<Self> {
        Self::new(TcpStream::connect(address).await?)
    }

    pub(crate) async fn write(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        self.stream.write_all(bytes.as_ref()).await
    }

    /// The next head; `None` when the peer left between two messages.
    pub(crate) async fn head(&mut self) -> io::Result<Option<Head>> {
        let mut searched = 0;
        let end = loop {
            let from = searched;
            let found = self.ahead[from..].windows(4).position(|four| four == b"\r\n\r\n");
            if let Some(at) = found {
                break from + at + 4;
            }
            searched = self.ahead.len().saturating_sub(3);
            if self.more().await? == 0 {
                return match self.ahead.is_empty() {
                    true => Ok(None),
                    false => Err(ErrorKind::UnexpectedEof.into()),
                };
            }
        };
        let raw: Vec<u8> = self.ahead.drain(..end).collect();
        Ok(Some(Head::parse(&String::from_utf8_lossy(&raw))))
    }

    /// The next bytes of a body; `None` at its end.
    pub(crate) async fn piece(&mut self, body: &mut Body) -> io::Result<Option<Vec<u8>>> {
        match *body {
            Body::Done => Ok(None),
            Body::Length(0) => {
                *body = Body::Done;
                Ok(None)
            }
            Body::Length(left) => {
                if self.ahead.is_empty() && self.more().await? == 0 {
                    return Err(ErrorKind::UnexpectedEof.into());
                }
                let piece: Vec<u8> = self.ahead.drain(..left.min(self.ahead.len())).collect();
                *body = Body::Length(left - piece.len());
                Ok(Some(piece))
            }
            Body::Chunked => self.chunk(body).await,
        }
    }

    /// All of a body.
    pub(crate) async fn rest(&mut self, mut body: Body) -> io::Result<Vec<u8>> {
        let mut all = Vec::new();
        while let Some(piece) = self.piece(&mut body).await? {
            all.extend(piece);
        }
        Ok(all)
    }

    /// Waits until the peer leaves.
    pub(crate) async fn left(&mut self) {
        self.ahead.clear();
        while self.more().await.is_ok_and(|count| count > 0) {
            self.ahead.clear();
        }
    }

    /// From now on, dropping it ends with RST.
    pub(crate) fn reset(&self) -> io::Result<()> {
        socket2::SockRef::from(&self.stream).set_linger(Some(std::time::Duration::ZERO))
    }

    async fn chunk(&mut self, body: &mut Body) -> io::Result<Option<Vec<u8>>> {
        let line = self.line().await?;
        let size = usize::from_str_radix(&line, 16).map_err(io::Error::other)?;
        while self.ahead.len() < size + 2 {
            if self.more().await? == 0 {
                return Err(ErrorKind::UnexpectedEof.into());
            }
        }
        let mut piece: Vec<u8> = self.ahead.drain(..size + 2).collect();
        piece.truncate(size);
        if size == 0 {
            *body = Body::Done;
            return Ok(None);
        }
        Ok(Some(piece))
    }

    async fn line(&mut self) -> io::Result<String> {
        loop {
            if let Some(end) = self.ahead.windows(2).position(|two| two == b"\r\n") {
                let line: Vec<u8> = self.ahead.drain(..end + 2).collect();
                return Ok(String::from_utf8_lossy(&line[..end]).into_owned());
            }
            if self.more().await? == 0 {
                return Err(ErrorKind::UnexpectedEof.into());
            }
        }
    }

    async fn more(&mut self) -> io::Result<usize> {
        self.stream.read_buf(&mut self.ahead).await
    }
}

// === impl Head ===

impl Head {
    fn parse(text: &str) -> Self {
        let mut lines = text.trim_end().split("\r\n");
        let first_line = lines.next().unwrap_or_default().to_owned();
        let named = lines.filter_map(|line| line.split_once(':'));
        let headers =
            named.map(|(name, value)| (name.to_lowercase(), value.trim().to_owned())).collect();
        Self { first_line, headers }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(have, _)| have == name);
        found.map(|(_, value)| value.as_str())
    }

    pub(crate) fn status(&self) -> u64 {
        let status = self.first_line.split(' ').nth(1);
        status.and_then(|status| status.parse().ok()).unwrap_or_default()
    }

    pub(crate) fn body(&self) -> Body {
        match (self.header("transfer-encoding"), self.header("content-length")) {
            (Some("chunked"), _) => Body::Chunked,
            (_, Some(length)) => length.parse().map_or(Body::Done, Body::Length),
            _ => Body::Done,
        }
    }
}
