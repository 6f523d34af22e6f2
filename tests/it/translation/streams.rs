//! FAULTS 14, 45 to 47 and 61: how translated streams end.

use super::sides::{CHAT, MESSAGES, PAIRS, RESPONSES, Side};
use super::stage::{Stage, ask, read_until, timed};
use crate::support::breaks::{BREAKS, Break};
use crate::support::client::Client;
use crate::support::proxy::Launch;
use crate::support::upstream::{Closing, LAST_CHUNK, STREAM_HEAD, Upstream, chunk};
use crate::support::wire::{End, Piece};

fn whole() -> End {
    End::Whole(Vec::new())
}

/// An upstream that begins a stream and leaves it open.
fn silent(side: Side) -> Upstream {
    Upstream::start(move |connection| {
        connection.request()?;
        connection.write(STREAM_HEAD)?;
        connection.write(chunk(side.hello))?;
        connection.wait_left()
    })
}

/// The rest of an answer.
fn rest(wire: &mut Client, told: &mut String) -> End {
    loop {
        match wire.piece() {
            Piece::Bytes(bytes) => *told += std::str::from_utf8(&bytes).unwrap(),
            Piece::End(end) => return end,
        }
    }
}

#[test]
fn fault_45_a_translated_stream_that_breaks_off_ends_with_an_error_event() {
    for (client, upstream) in PAIRS {
        let stage = Stage::of(&upstream);
        let half = [upstream.hello, "data: {\"cut"].concat();
        let mut count = 0;
        for (text, until) in [(upstream.hello, "hello"), (&half, "hello"), (": wait\n\n", "")] {
            for how in BREAKS {
                let (told, end) = stage.play(&client, text, (until, how));
                let place = format!("{} to {}, {how:?}: {told}", client.api, upstream.api);
                assert!(client.tells_an_error(&told), "{place}");
                assert_eq!(end, whole(), "{place}");
                assert_eq!(client.said(&told), until, "{place}");
                count += 1;
                let line = &stage.proxy.wait_access_log(count)[count - 1];
                assert_eq!(line["outcome"], "upstream_broken", "{place}");
                let told_early = upstream.api == MESSAGES.api && !until.is_empty();
                let input = told_early.then_some(6);
                assert_eq!(line["input_tokens"].as_u64(), input, "{place}");
            }
        }
    }
}

/// Some servers never send `[DONE]`, so a body that ends as it should is enough behind a
/// `finish_reason`; one that breaks is not. In the other dialects the last event says what it all
/// cost: without it, nothing has ended.
#[test]
fn fault_45_only_chat_streams_end_without_their_last_event() {
    for (client, upstream) in PAIRS {
        let stage = Stage::of(&upstream);
        let text = [upstream.hello, upstream.cost].concat();
        for how in BREAKS {
            let (told, end) = stage.play(&client, &text, ("hello", how));
            let good = upstream.api == CHAT.api && how == Break::CleanEnd;
            let place = format!("{} to {}, {how:?}: {told}", client.api, upstream.api);
            assert_eq!(client.ends_well(&told), good, "{place}");
            assert_eq!(client.tells_an_error(&told), !good, "{place}");
            assert_eq!(end, whole(), "{place}");
        }
    }
}

#[test]
fn fault_45_behind_the_last_translated_event_nothing_follows() {
    for (client, upstream) in PAIRS {
        let stage = Stage::of(&upstream);
        // Its cost is no other.
        let again = upstream.hello.replace("\"output_tokens\":1", "\"output_tokens\":3");
        let more = [&upstream.stream(), again.as_str(), "data: {\"cut"].concat();
        for (text, how) in
            BREAKS.iter().flat_map(|how| [(upstream.stream(), *how), (more.clone(), *how)])
        {
            let (told, end) = stage.play(&client, &text, (client.end, how));
            let place = format!("{} to {}, {how:?}: {told}", client.api, upstream.api);
            assert!(client.ends_well(&told), "{place}");
            assert_eq!((client.said(&told).as_str(), end), ("hello", whole()), "{place}");
        }
        for line in stage.proxy.wait_access_log(6) {
            let counts = ["input_tokens", "cache_read_tokens", "output_tokens"];
            let counts = counts.map(|name| line[name].as_u64());
            assert_eq!(counts, [Some(6), Some(5), Some(3)], "{line}");
            assert_eq!(line["outcome"], "served", "{line}");
        }
    }
}

#[test]
fn fault_45_a_declared_length_does_not_make_a_translated_stream_whole() {
    for (client, upstream) in PAIRS {
        let server = Upstream::replying(move |_| {
            let (first, length) = (upstream.hello, upstream.hello.len());
            let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n";
            format!("{head}content-length: {length}\r\n\r\n{first}").into_bytes()
        });
        let proxy = super::proxy(upstream.api, &server);
        let answer = proxy.client().post(client.target, &[], &client.call(true));
        assert!(client.tells_an_error(answer.text()), "{}", answer.text());
        assert_eq!(answer.head.all("content-length"), [""; 0]);
    }
}

#[test]
fn fault_14_leaving_a_translated_stream_ends_the_upstream_call() {
    for (client, upstream) in PAIRS {
        let server = silent(upstream);
        let proxy = super::proxy(upstream.api, &server);
        let mut wire = proxy.client();
        ask(&mut wire, &client);
        read_until(&mut wire, &mut String::new(), "hello");
        drop(wire);
        assert!(matches!(server.wait_closed(0), Closing::Left(_)));
        let line = &proxy.wait_access_log(1)[0];
        assert_eq!((&line["outcome"], &line["status"]), (&"client_closed".into(), &200.into()));
        let input = (upstream.api == MESSAGES.api).then_some(6);
        assert_eq!(line["input_tokens"].as_u64(), input, "{line}");
    }
}

#[test]
fn fault_46_a_dripping_stream_is_put_together() {
    for (client, upstream) in PAIRS {
        let dripped = upstream.stream().replace("hello", "h\u{e9}\u{1f600}");
        let bodies = [dripped.clone(), dripped.replace('\n', "\r\n")];
        let server = Upstream::start(move |connection| {
            for body in &bodies {
                connection.request()?;
                connection.write(STREAM_HEAD)?;
                for byte in body.bytes() {
                    connection.write(chunk([byte]))?;
                }
                connection.write(LAST_CHUNK)?;
            }
            Ok(())
        });
        let proxy = super::proxy(upstream.api, &server);
        let mut wire = proxy.client();
        for _ in 0..2 {
            let answer = wire.post(client.target, &[], &client.call(true));
            let told = answer.text();
            // A server that speaks JSON may repeat the whole at the end.
            assert_eq!(client.said(told), "h\u{e9}\u{1f600}", "{told}");
            assert!(client.ends_well(told), "{told}");
        }
    }
}

#[test]
fn fault_47_silence_in_a_translated_stream_ends_with_an_error_event() {
    for (client, upstream) in [(CHAT, MESSAGES), (MESSAGES, CHAT), (RESPONSES, CHAT)] {
        let server = silent(upstream);
        let limits = "idle: 1s, keepAlive: 50ms";
        let proxy = timed(Launch::new(), &upstream, &server, limits);
        let mut wire = proxy.client();
        ask(&mut wire, &client);
        let mut told = String::new();
        assert_eq!(rest(&mut wire, &mut told), whole());
        assert!(client.tells_an_error(&told), "{told}");
        assert!(told.contains("fell silent") && told.contains("\n\n: keep-alive\n\n"), "{told}");
        assert!(matches!(server.wait_closed(0), Closing::Left(_)));
        assert_eq!(proxy.wait_access_log(1)[0]["outcome"], "idle_timeout");
    }
}

#[test]
fn fault_61_at_the_limit_translated_streams_end_with_an_error_event() {
    for (client, upstream) in [(CHAT, MESSAGES), (MESSAGES, CHAT), (RESPONSES, CHAT)] {
        let server = silent(upstream);
        let launch = Launch::new().flag("--grace", "100ms");
        let mut proxy = timed(launch, &upstream, &server, "");
        let mut wire = proxy.client();
        ask(&mut wire, &client);
        let mut told = String::new();
        read_until(&mut wire, &mut told, "hello");
        proxy.terminate();
        assert_eq!(rest(&mut wire, &mut told), whole());
        assert!(client.tells_an_error(&told), "{told}");
        assert!(told.contains("the proxy is shutting down"), "{told}");
        assert!(proxy.wait_exit().success());
    }
}
