//! Streams through a real Pillion: never buffered, never ended by a lie, gone when the caller is.

mod codings;
mod ends;
mod h2c;
mod leaving;
mod pressure;
mod relay;
mod silence;
mod sockets;
mod usage;

use crate::support::client::{Client, request};
use crate::support::dialects::Dialect;
use crate::support::proxy::{Launch, Proxy};
use crate::support::wire::{End, Piece};
use crate::support::yaml::{provider, route};

/// A proxy that sends everything to one upstream; `timeouts` are YAML in flow style.
fn through(launch: Launch, url: &str, timeouts: &str) -> Proxy {
    let rule = format!("targets: [{{ provider: {{ name: there }} }}], timeouts: {{ {timeouts} }}");
    let route = route("streams", &format!("[{{ name: all, {rule} }}]"));
    launch.start(&(provider("there", url, "") + &route))
}

fn proxy_to(url: &str) -> Proxy {
    through(Launch::new(), url, "")
}

/// Sends the dialect's call.
fn ask<'a>(client: &'a mut Client, dialect: &Dialect) -> &'a mut Client {
    client.send(request("POST", dialect.target, &[], dialect.body))
}

/// Reads on until `text` has come, and nothing else.
#[track_caller]
fn expect(client: &mut Client, text: impl AsRef<[u8]>) {
    let (text, mut got) = (text.as_ref(), Vec::new());
    while got.len() < text.len() {
        match client.piece() {
            Piece::Bytes(bytes) => got.extend(bytes),
            Piece::End(end) => panic!("{end:?} after {:?}", String::from_utf8_lossy(&got)),
        }
    }
    let show = String::from_utf8_lossy;
    assert!(got == text, "{:?}, not {:?}", show(&got), show(text));
}

/// What is left of an answer, and how it ended.
fn rest(client: &mut Client) -> (String, End) {
    let mut got = Vec::new();
    loop {
        match client.piece() {
            Piece::Bytes(bytes) => got.extend(bytes),
            Piece::End(end) => return (String::from_utf8(got).unwrap(), end),
        }
    }
}

fn whole() -> End {
    End::Whole(Vec::new())
}
