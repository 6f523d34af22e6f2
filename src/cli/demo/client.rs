//! The demo's client: sends a call as an SDK would, and hears the answer word by word.

use std::net::SocketAddr;

use anyhow::Context;
use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

use super::script::Call;
use crate::net::task;

/// What came back.
pub(super) struct Reply {
    pub(super) headers: HeaderMap,
    /// What the model said, or the error's message.
    pub(super) text: String,
}

/// Sends a call; `hear` is told each piece of text as it comes.
pub(super) async fn send(
    proxy: SocketAddr,
    call: &Call,
    mut hear: impl FnMut(&str),
) -> anyhow::Result<Reply> {
    let (head, mut body) = begin(proxy, call).await?.into_parts();
    let is_stream = head.headers.get("content-type").is_some_and(is_events);
    let (mut text, mut unread) = (String::new(), Vec::new());
    while let Some(frame) = body.frame().await {
        let frame = frame.context("the answer broke off")?;
        unread.extend_from_slice(frame.data_ref().map_or(&[][..], |data| data));
        for piece in said(&mut unread).into_iter().filter(|_| is_stream) {
            hear(&piece);
            text.push_str(&piece);
        }
    }
    if !is_stream {
        text = whole_text(&unread);
    }
    Ok(Reply { headers: head.headers, text: text.trim().to_owned() })
}

// === impl Reply ===

impl Reply {
    /// A header of the answer.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

async fn begin(proxy: SocketAddr, call: &Call) -> anyhow::Result<Response<Incoming>> {
    let stream = TcpStream::connect(proxy).await?;
    stream.set_nodelay(true)?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    drop(task::spawn(connection));
    let mut request = Request::builder().method("POST").uri(call.target);
    for (name, value) in &call.headers {
        request = request.header(*name, value);
    }
    let request = request.body(Full::new(Bytes::from(call.body.clone())))?;
    sender.send_request(request).await.context("no answer came")
}

fn is_events(content_type: &http::HeaderValue) -> bool {
    content_type.as_bytes().starts_with(b"text/event-stream")
}

/// Takes the events that are complete out of `unread`; gives their text.
fn said(unread: &mut Vec<u8>) -> Vec<String> {
    let mut pieces = Vec::new();
    while let Some(end) = memchr::memmem::find(unread, b"\n\n") {
        let event: Vec<u8> = unread.drain(..end + 2).collect();
        let lines = event.split(|byte| *byte == b'\n');
        let data = lines.filter_map(|line| line.strip_prefix(b"data: "));
        pieces.extend(data.filter_map(|data| delta(&serde_json::from_slice(data).ok()?)));
    }
    pieces
}

fn delta(event: &Value) -> Option<String> {
    let places = ["/choices/0/delta/content", "/delta/text", "/delta"];
    let mut texts = places.iter().filter_map(|place| event.pointer(place)?.as_str());
    texts.next().map(str::to_owned)
}

fn whole_text(body: &[u8]) -> String {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let places = [
        "/choices/0/message/content",
        "/content/0/text",
        "/output/0/content/0/text",
        "/error/message",
    ];
    let mut texts = places.iter().filter_map(|place| body.pointer(place)?.as_str());
    texts.next().unwrap_or_default().to_owned()
}
