//! FAULTS 47: silence is borne up to the limit, and comments keep a stream alive until then.

use super::{ask, expect, rest, through, whole};
use crate::support::dialects::{CHAT, DIALECTS, MESSAGES, streaming};
use crate::support::gate::Gate;
use crate::support::proxy::Launch;
use crate::support::upstream::{Closing, LAST_CHUNK, chunk};
use crate::support::wire::{End, Piece};

const COMMENT: &str = ": keep-alive\n\n";

#[test]
fn fault_47_a_silent_stream_ends_with_an_error_event() {
    for dialect in DIALECTS {
        let upstream = streaming(dialect.first, |connection| connection.wait_left());
        let proxy = through(Launch::new(), &upstream.url(), "idle: 150ms");
        let mut client = proxy.client();
        ask(&mut client, &dialect).head();
        expect(&mut client, dialect.first);
        let (after, end) = rest(&mut client);
        assert!(after.starts_with(dialect.error), "{after:?}");
        assert!(after.contains("fell silent"), "{after:?}");
        assert_eq!(end, whole());
        // And the upstream is let go.
        assert!(matches!(upstream.wait_closed(0), Closing::Left(_)));
        let line = &proxy.wait_access_log(1)[0];
        assert_eq!((&line["outcome"], &line["input_tokens"]), (&"idle_timeout".into(), &7.into()));
        assert!(line["duration_ms"].as_f64().unwrap() >= 150.0);
    }
}

#[test]
fn fault_47_silence_within_an_event_breaks_the_connection_without_a_comment() {
    let upstream = streaming("data: {\"half", |connection| connection.wait_left());
    let proxy = through(Launch::new(), &upstream.url(), "idle: 200ms, keepAlive: 20ms");
    let mut client = proxy.client();
    ask(&mut client, &CHAT).head();
    expect(&mut client, "data: {\"half");
    let (after, end) = rest(&mut client);
    assert_eq!(after, "");
    assert!(matches!(end, End::Cut(_)), "{end:?}");
}

#[test]
fn fault_47_comments_come_between_events_until_the_idle_limit() {
    let upstream = streaming(MESSAGES.first, |connection| connection.wait_left());
    let proxy = through(Launch::new(), &upstream.url(), "idle: 1s, keepAlive: 50ms");
    let mut client = proxy.client();
    ask(&mut client, &MESSAGES).head();
    expect(&mut client, MESSAGES.first);
    let (after, end) = rest(&mut client);
    let (comments, error) = after.split_at(after.find(MESSAGES.error).unwrap());
    let count = comments.len() / COMMENT.len();
    assert_eq!(comments, COMMENT.repeat(count));
    assert!((2..=20).contains(&count), "{count} comments in a second");
    assert!(error.contains("fell silent"));
    assert_eq!(end, whole());
}

#[test]
fn comments_fill_a_silence_and_the_stream_goes_on() {
    let gate = Gate::default();
    let held = gate.clone();
    let upstream = streaming(CHAT.first, move |connection| {
        held.pass();
        connection.write(chunk(CHAT.last))?;
        connection.write(LAST_CHUNK)
    });
    let proxy = through(Launch::new(), &upstream.url(), "keepAlive: 20ms");
    let mut client = proxy.client();
    ask(&mut client, &CHAT).head();
    expect(&mut client, CHAT.first);
    expect(&mut client, COMMENT);
    expect(&mut client, COMMENT);
    gate.open();
    let (after, end) = rest(&mut client);
    let last = after.trim_start_matches(COMMENT);
    assert_eq!((last, end), (CHAT.last, whole()));
    // What Pillion adds is no part of what the provider said.
    let bytes = CHAT.whole().len();
    assert_eq!(proxy.wait_access_log(1)[0]["response_bytes"], bytes);
}

#[test]
fn comments_are_for_event_streams_only() {
    let upstream = crate::support::upstream::Upstream::start(|connection| {
        connection.request()?;
        connection.write(
            "HTTP/1.1 200 OK\r\ncontent-type: application/x-ndjson\r\n\
             transfer-encoding: chunked\r\n\r\n",
        )?;
        connection.write(chunk("{}\n\n"))?;
        connection.wait_left()
    });
    let proxy = through(Launch::new(), &upstream.url(), "idle: 200ms, keepAlive: 20ms");
    let mut client = proxy.client();
    ask(&mut client, &CHAT).head();
    expect(&mut client, "{}\n\n");
    assert!(matches!(client.piece(), Piece::End(End::Cut(_))));
}
