//! FAULTS 59: a caller who does not read holds up its own provider, and not for ever.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::{ask, expect, rest, through, whole};
use crate::support::dialects::{CHAT, MESSAGES};
use crate::support::metrics::wait_sum;
use crate::support::process::resident;
use crate::support::proxy::{Launch, Proxy};
use crate::support::upstream::{Closing, LAST_CHUNK, STREAM_HEAD, Upstream, chunk};
use crate::support::wire::Piece;

/// More than the kernel's socket buffers and Pillion's own hold together.
const MUCH: u64 = 256 << 20;
/// What a provider may get rid of while its caller reads nothing: the socket buffers of two
/// connections (on Linux up to 4 MiB sent and 6 MiB received each) and what Pillion holds. Measured
/// over loopback: 8 MiB.
const BOUND: u64 = 32 << 20;
/// What Pillion itself may hold of it. Measured: 1.2 MiB, most of it hyper's read buffer.
const HELD: u64 = 4 << 20;

/// Events of 64 KiB until [`MUCH`] has gone or the reader has; counts what went.
fn gushing(written: Arc<AtomicU64>) -> Upstream {
    let event = format!(": {}\n\n", "x".repeat((64 << 10) - 4));
    Upstream::start(move |connection| {
        connection.request()?;
        connection.write(STREAM_HEAD)?;
        let framed = chunk(&event);
        while written.load(Ordering::SeqCst) < MUCH {
            connection.write(&framed)?;
            written.fetch_add(event.len() as u64, Ordering::SeqCst);
        }
        connection.write(chunk(CHAT.last))?;
        connection.write(LAST_CHUNK)
    })
}

#[test]
fn fault_59_a_reader_who_stops_is_given_up_and_its_provider_was_held_up() {
    let written = Arc::new(AtomicU64::new(0));
    let upstream = gushing(written.clone());
    let proxy = through(Launch::new().flag("--write-idle", "500ms"), &upstream.url(), "");
    // Warm, so that what is measured is the stream.
    let before = resident(proxy.pid());
    let mut client = proxy.client();
    ask(&mut client, &CHAT).head();
    assert!(matches!(upstream.wait_closed(0), Closing::Left(_)));
    let written = written.load(Ordering::SeqCst);
    assert!(written < BOUND, "{} MiB went upstream", written >> 20);
    let grown = resident(proxy.pid()).saturating_sub(before);
    assert!(grown < HELD, "{} KiB held", grown >> 10);
    assert_eq!(proxy.wait_access_log(1)[0]["outcome"], "client_closed");
    wait_sum(&proxy, "pillion_open_streams", &[], 0.0);
}

#[test]
fn a_slow_reader_gets_everything() {
    let total = 24 << 20;
    let event = format!(": {}\n\n", "x".repeat(1020));
    let sent = event.repeat(total / event.len()) + MESSAGES.last;
    let body = sent.clone();
    let upstream = Upstream::replying(move |_| [STREAM_HEAD, &chunk(&body), LAST_CHUNK].concat());
    let proxy: Proxy = through(Launch::new(), &upstream.url(), "");
    let mut slow = proxy.client();
    ask(&mut slow, &MESSAGES).head();
    let Piece::Bytes(first) = slow.piece() else { panic!("no piece") };
    // Others are served meanwhile.
    let mut other = proxy.client();
    ask(&mut other, &MESSAGES).head();
    expect(&mut other, &sent);
    let (after, end) = rest(&mut slow);
    assert_eq!((first.len() + after.len(), end), (sent.len(), whole()));
    assert!(sent.as_bytes().starts_with(&first) && sent.ends_with(&after));
}
