//! What comes on a connection: the heads of answers and the bodies behind them, however the bytes
//! are cut. Pure: does not know where they come from.

use bytes::Bytes;
use http::{Method, Response};

use super::body::{Body, Data};
use super::head::{self, BadHead};

/// The reader of one connection's answers.
#[derive(Debug)]
pub struct Reader {
    /// What has come that nobody has read.
    ahead: Bytes,
    body: Body,
    /// May another answer come?
    keep_alive: bool,
}

impl Default for Reader {
    fn default() -> Self {
        Self { ahead: Bytes::new(), body: Body::Length(0), keep_alive: true }
    }
}

// === impl Reader ===

impl Reader {
    /// The head of the answer to a request of this method, once all of it has come; interim ones
    /// are passed over (RFC 9110, 15.2). `bytes` came behind what was given before.
    ///
    /// # Errors
    /// [`BadHead`] when it is none.
    pub fn head(&mut self, bytes: &[u8], method: &Method) -> Result<Option<Response<()>>, BadHead> {
        self.add(bytes);
        while let Some((head, length)) = head::read(&self.ahead, method)? {
            drop(self.ahead.split_to(length));
            if !head.is_interim() {
                self.body = Body::new(head.framing);
                self.keep_alive = head.keep_alive;
                return Ok(Some(head.response));
            }
        }
        Ok(None)
    }

    fn add(&mut self, bytes: &[u8]) {
        self.ahead = match self.ahead.is_empty() {
            true => Bytes::copy_from_slice(bytes),
            false => {
                let mut all = Vec::from(std::mem::take(&mut self.ahead));
                all.extend_from_slice(bytes);
                all.into()
            }
        };
    }

    /// The data of the body that came with its head, if any did.
    pub fn ahead(&mut self) -> Option<Bytes> {
        let ahead = std::mem::take(&mut self.ahead);
        (!ahead.is_empty()).then(|| self.data(ahead))
    }

    /// What of the next bytes is data of the body. What stands behind its end belongs to no answer:
    /// it is kept, so that the connection is not used again.
    pub fn data(&mut self, mut bytes: Bytes) -> Bytes {
        let (taken, data) = self.body.read(&bytes);
        self.ahead = bytes.split_off(taken);
        match data {
            Data::AsSent => bytes,
            Data::Unwrapped(data) => data.into(),
        }
    }

    /// The same, copied.
    pub fn data_in(&mut self, bytes: &[u8]) -> Bytes {
        let (taken, data) = self.body.read(bytes);
        self.ahead = Bytes::copy_from_slice(&bytes[taken..]);
        match data {
            Data::AsSent => Bytes::copy_from_slice(&bytes[..taken]),
            Data::Unwrapped(data) => data.into(),
        }
    }

    /// No other answer may come.
    pub fn last(&mut self) {
        self.keep_alive = false;
    }

    /// The connection has ended.
    ///
    /// # Errors
    /// Where it ended, if that is within the body.
    pub fn close(&mut self) -> Result<(), &'static str> {
        self.last();
        self.body.close()
    }

    /// Has all of the body come?
    pub fn has_ended(&self) -> bool {
        self.body.has_ended()
    }

    /// How much of it is still to come, where that was told.
    pub fn left(&self) -> Option<u64> {
        self.body.left()
    }

    /// Why nothing more of it will come.
    pub fn fault(&self) -> Option<String> {
        self.body.fault().map(|fault| fault.to_string())
    }

    /// Is the answer over, with nothing behind it, and may another one come?
    pub fn is_clean(&self) -> bool {
        self.keep_alive && self.ahead.is_empty() && self.has_ended()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What an answer comes to, cut into pieces of this size: its data, and whether another answer
    /// may follow; or why there is none.
    fn read(bytes: &str, size: usize) -> Result<(String, bool), String> {
        let (mut reader, mut data, mut head) = (Reader::default(), Vec::new(), None);
        for piece in bytes.as_bytes().chunks(size) {
            if head.is_some() {
                data.extend_from_slice(&reader.data_in(piece));
            } else {
                let read = reader.head(piece, &Method::POST);
                head = read.map_err(|error| error.to_string())?;
                let ahead = head.as_ref().and_then(|_| reader.ahead());
                data.extend_from_slice(&ahead.unwrap_or_default());
            }
            if let Some(fault) = reader.fault() {
                return Err(fault);
            }
        }
        head.ok_or("no head")?;
        let clean = reader.is_clean();
        if !reader.has_ended() {
            reader.close()?;
        }
        Ok((String::from_utf8(data).unwrap(), clean))
    }

    #[track_caller]
    fn check(bytes: &str, expected: Result<(&str, bool), &str>) {
        for size in 1..=bytes.len() {
            let read = read(bytes, size);
            let read = read.as_ref().map(|(data, clean)| (&**data, *clean)).map_err(|it| &**it);
            assert_eq!(read, expected, "{bytes:?} by {size}");
        }
    }

    #[test]
    fn an_answer_is_its_data_however_it_is_cut() {
        check("HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabc", Ok(("abc", true)));
        check("HTTP/1.1 204 No Content\r\n\r\n", Ok(("", true)));
        check("HTTP/1.1 200 OK\r\n\r\nabc", Ok(("abc", false)));
        let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
        check(&format!("{chunked}2\r\nab\r\n1\r\nc\r\n0\r\n\r\n"), Ok(("abc", true)));
        let interim = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\na: b\r\n\r\n";
        check(&format!("{interim}{chunked}0\r\n\r\n"), Ok(("", true)));
        let closing = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 1\r\n\r\na";
        check(closing, Ok(("a", false)));
    }

    #[test]
    fn what_is_cut_off_is_told() {
        let short = "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nabc";
        check(short, Err("the connection ended before the length that was told"));
        let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n";
        check(chunked, Err("the connection ended before the last chunk"));
        check("HTTP/1.1 200 OK\r\n", Err("no head"));
        let bad = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nx";
        check(bad, Err("a chunk's size is no hexadecimal number of 64 bits"));
    }

    /// They belong to no answer: who sent them is not trusted with another request.
    #[test]
    fn what_stands_behind_an_answer_spoils_its_connection() {
        for end in ["content-length: 1\r\n\r\na", "transfer-encoding: chunked\r\n\r\n0\r\n\r\n"] {
            let bytes = format!("HTTP/1.1 200 OK\r\n{end}HTTP/1.1 200 OK\r\n");
            let (_, clean) = read(&bytes, bytes.len()).unwrap();
            assert!(!clean);
        }
    }
}
