//! That a peer does what it is measured for: before the load, one call of each shape is read whole.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, bail, ensure};

use crate::answer::{self, WORD};
use crate::dialect::{Dialect, MODEL, Pair};
use crate::http1::{self, Body};
use crate::plan::AT_ONCE;
use crate::request::{self, MODEL_HEADER, Shape};

/// Makes a whole and a streamed call and compares every byte of the answers' bodies. `model` is
/// what the provider must find in the request.
pub(crate) fn calls(address: SocketAddr, model: &str) -> anyhow::Result<()> {
    let pair = Pair::Same;
    let whole = body(address, (pair, Shape::Whole), model).context("a whole call")?;
    ensure!(whole == answer::whole(pair.provider()).as_bytes(), "the JSON answer came changed");
    let streamed = body(address, (pair, AT_ONCE), model).context("a streamed call")?;
    let events = answer::events(pair.provider()).concat();
    ensure!(streamed == events.as_bytes(), "the stream came changed");
    Ok(())
}

/// Makes a whole and a streamed call in one dialect of a provider of another: the answers must be
/// in the caller's dialect and say all that the provider said.
pub(crate) fn translated(address: SocketAddr, pair: Pair) -> anyhow::Result<()> {
    let whole = body(address, (pair, Shape::Whole), MODEL).context("a whole call")?;
    let whole = String::from_utf8(whole)?;
    let (kind, usage, end) = match pair.caller() {
        Dialect::Chat => ("\"chat.completion\"", "\"completion_tokens\":120", "data: [DONE]\n\n"),
        Dialect::Messages => ("\"message\"", "\"output_tokens\":120", STOP),
    };
    for part in [kind, usage, &answer::text()] {
        ensure!(whole.contains(part), "no {part} in the JSON answer: {whole}");
    }
    let streamed = body(address, (pair, AT_ONCE), MODEL).context("a streamed call")?;
    let streamed = String::from_utf8(streamed)?;
    let said = answer::events(pair.provider()).concat();
    let words = |text: &str| text.matches(WORD).count();
    ensure!(words(&streamed) == words(&said), "words are missing: {streamed}");
    ensure!(streamed.contains(usage), "no {usage} in the stream: {streamed}");
    ensure!(streamed.ends_with(end), "the stream does not end with {end:?}: {streamed}");
    Ok(())
}

const STOP: &str = "data: {\"type\":\"message_stop\"}\n\n";

/// The status that a call with a body of `size` bytes gets.
pub(crate) fn status(address: SocketAddr, size: usize) -> anyhow::Result<u16> {
    let mut stream = connect(address)?;
    // A refusal may come before the whole request is sent.
    let _ = stream.write_all(&request::bytes(Pair::Same, Shape::Whole, size));
    let mut answer = [0; 64];
    let read = stream.read(&mut answer)?;
    let status = answer[..read].get(9..12).and_then(|code| std::str::from_utf8(code).ok());
    status.and_then(|code| code.parse().ok()).context("no status line")
}

fn body(address: SocketAddr, (pair, shape): (Pair, Shape), model: &str) -> anyhow::Result<Vec<u8>> {
    let mut stream = connect(address)?;
    let request = String::from_utf8(request::bytes(pair, shape, 1 << 10))?;
    let request = request.replacen("\r\n", &format!("\r\n{MODEL_HEADER}: {model}\r\n"), 1);
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    loop {
        let mut buffer = [0; 4 << 10];
        let read = stream.read(&mut buffer)?;
        answer.extend_from_slice(&buffer[..read]);
        if let Some(body) = whole(&answer)? {
            return Ok(body);
        }
        ensure!(read > 0, "the answer was cut short");
    }
}

/// The body, if it is here in full.
fn whole(answer: &[u8]) -> anyhow::Result<Option<Vec<u8>>> {
    let Some(head) = http1::head(answer) else { return Ok(None) };
    if !answer.starts_with(b"HTTP/1.1 200") {
        bail!("{}", String::from_utf8_lossy(&answer[..head.length]));
    }
    let body = &answer[head.length..];
    Ok(match head.body {
        Body::Sized(size) => body.get(..size).map(<[u8]>::to_vec),
        Body::Chunked => http1::unchunk(body),
    })
}

fn connect(address: SocketAddr) -> anyhow::Result<TcpStream> {
    let stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    Ok(stream)
}
