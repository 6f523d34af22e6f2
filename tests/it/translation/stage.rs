//! An upstream that plays what a test tells it, and a proxy before it.

use std::io::{Error, ErrorKind};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

use super::sides::Side;
use crate::support::breaks::Break;
use crate::support::client::{Answer, Client, request};
use crate::support::proxy::{Launch, Proxy};
use crate::support::upstream::{STREAM_HEAD, Upstream, chunk};
use crate::support::wire::{End, Piece};

/// The stage.
pub(super) struct Stage {
    pub(super) proxy: Proxy,
    acts: Sender<(String, Break)>,
    go: Sender<()>,
    _upstream: Upstream,
}

impl Stage {
    pub(super) fn of(side: &Side) -> Self {
        let (acts, to_play) = channel();
        let (go, begun) = channel();
        let (to_play, begun) = (Mutex::new(to_play), Mutex::new(begun));
        let upstream = Upstream::start(move |connection| {
            while connection.request()?.is_some() {
                let (text, how): (String, Break) = next(&to_play)?;
                connection.write(STREAM_HEAD)?;
                connection.write(chunk(text))?;
                next(&begun)?;
                how.happen(connection)?;
            }
            Ok(())
        });
        let proxy = super::proxy(side.api, &upstream);
        Self { proxy, acts, go, _upstream: upstream }
    }

    /// What a caller reads of a stream that is `text`, and breaks off once `until` has been read.
    pub(super) fn play(
        &self,
        client: &Side,
        text: &str,
        (until, how): (&str, Break),
    ) -> (String, End) {
        self.acts.send((text.to_owned(), how)).unwrap();
        let mut wire = self.proxy.client();
        ask(&mut wire, client);
        let mut told = String::new();
        read_until(&mut wire, &mut told, until);
        self.go.send(()).unwrap();
        let end = loop {
            match wire.piece() {
                Piece::Bytes(bytes) => told += std::str::from_utf8(&bytes).unwrap(),
                Piece::End(end) => break end,
            }
        };
        (told, end)
    }
}

fn next<T>(from: &Mutex<Receiver<T>>) -> Result<T, Error> {
    from.lock().unwrap().recv().map_err(|_| ErrorKind::ConnectionAborted.into())
}

/// Asks for a stream, and reads the head of the answer.
#[track_caller]
pub(super) fn ask(wire: &mut Client, client: &Side) {
    wire.send(request("POST", client.target, &[], &client.call(true)));
    assert_eq!(wire.head().status(), 200);
}

/// Reads on until this has come.
#[track_caller]
pub(super) fn read_until(wire: &mut Client, told: &mut String, until: &str) {
    while !told.contains(until) {
        match wire.piece() {
            Piece::Bytes(bytes) => *told += std::str::from_utf8(&bytes).unwrap(),
            Piece::End(end) => panic!("{end:?} after {told:?}"),
        }
    }
}

/// A proxy before an upstream of this API, whose only rule has these timeouts.
pub(super) fn timed(launch: Launch, side: &Side, upstream: &Upstream, timeouts: &str) -> Proxy {
    let yaml = super::manifests(side.api, upstream);
    let timeouts = format!("name: all, timeouts: {{ {timeouts} }}");
    launch.start(&yaml.replace("name: all", &timeouts))
}

/// An upstream that gives one answer to every call, which a test may change, and a proxy before it.
pub(super) struct Always {
    pub(super) client: Side,
    pub(super) proxy: Proxy,
    answer: Arc<Mutex<(Vec<u8>, After)>>,
    _upstream: Upstream,
}

/// What becomes of the connection.
#[derive(Clone, Copy, PartialEq, Eq)]
enum After {
    Stays,
    Closes,
}

impl Always {
    pub(super) fn between((client, side): (Side, Side)) -> Self {
        let answer = Arc::new(Mutex::new((Vec::new(), After::Stays)));
        let said = answer.clone();
        let upstream = Upstream::start(move |connection| {
            while connection.request()?.is_some() {
                let (answer, after) = said.lock().unwrap().clone();
                connection.write(answer)?;
                if after == After::Closes {
                    return connection.close();
                }
            }
            Ok(())
        });
        let proxy = super::proxy(side.api, &upstream);
        Self { client, proxy, answer, _upstream: upstream }
    }

    pub(super) fn says(&self, answer: Vec<u8>) -> &Self {
        *self.answer.lock().unwrap() = (answer, After::Stays);
        self
    }

    /// The same, and then the connection ends.
    pub(super) fn says_and_closes(&self, answer: impl Into<Vec<u8>>) -> &Self {
        *self.answer.lock().unwrap() = (answer.into(), After::Closes);
        self
    }

    pub(super) fn ask(&self, stream: bool) -> Answer {
        self.proxy.client().post(self.client.target, &[], &self.client.call(stream))
    }
}
