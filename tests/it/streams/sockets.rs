//! Streams are read from one socket and written to the other without hyper: what that must not
//! change.

use super::{ask, expect, proxy_to, rest, whole};
use crate::support::client::request;
use crate::support::dialects::{CHAT, DIALECTS, MESSAGES};
use crate::support::gate::Gate;
use crate::support::upstream::{LAST_CHUNK, STREAM_HEAD, Upstream, chunk};

const INTERIM: &[u8] = b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n";

#[test]
fn calls_that_are_sent_during_a_stream_wait_for_its_end() {
    for dialect in DIALECTS {
        let gate = Gate::default();
        let held = gate.clone();
        let upstream = Upstream::start(move |connection| {
            while connection.request()?.is_some() {
                let begin = [INTERIM, STREAM_HEAD, &chunk(dialect.first)].concat();
                connection.write(begin)?;
                held.pass();
                connection.write([&chunk(dialect.last), LAST_CHUNK].concat())?;
            }
            Ok(())
        });
        let proxy = proxy_to(&upstream.url());
        let mut client = proxy.client();
        let call = request("POST", dialect.target, &[], dialect.body);
        // With the first call, at once; and while its answer comes, in two parts.
        client.send([&call[..], &call].concat()).head();
        expect(&mut client, dialect.first);
        let (some, more) = call.split_at(20);
        client.send(some);
        gate.open();
        assert_eq!(rest(&mut client), (dialect.last.to_owned(), whole()));
        client.send(more);
        for _ in 0..2 {
            assert_eq!(client.answer().text(), dialect.whole(), "{}", dialect.api);
        }
        assert_eq!(upstream.connections(), 1, "{}", dialect.api);
    }
}

#[test]
fn what_is_no_chunk_ends_a_stream_visibly() {
    for bad in ["zz\r\n", "\r\n", "10000000000000000\r\n", "2\r\nabc", "0\r\nno trailer\r\n\r\n"] {
        let upstream = Upstream::start(move |connection| {
            connection.request()?;
            connection.write([STREAM_HEAD, &chunk(MESSAGES.first), bad.as_bytes()].concat())?;
            connection.wait_left()
        });
        let proxy = proxy_to(&upstream.url());
        let answer = ask(&mut proxy.client(), &MESSAGES).answer();
        let after = answer.text().strip_prefix(MESSAGES.first).unwrap();
        match bad {
            // Its first bytes begin an event.
            "2\r\nabc" => assert_eq!((after, answer.is_whole()), ("ab", false)),
            _ => assert!(after.starts_with(MESSAGES.error) && answer.is_whole(), "{bad}: {after}"),
        }
        assert_eq!(proxy.wait_access_log(1)[0]["outcome"], "upstream_broken", "{bad}");
        upstream.wait_closed(0);
    }
}

#[test]
fn what_stands_behind_a_stream_is_not_the_next_answer() {
    for (end, connections) in
        [("0\r\nx-late: 1\r\n\r\n", 1), ("0 ;x\r\n\r\n", 1), ("0\r\n\r\nx", 2)]
    {
        let upstream = Upstream::start(move |connection| {
            while connection.request()?.is_some() {
                let stream = [STREAM_HEAD, &chunk(CHAT.whole()), end.as_bytes()].concat();
                connection.write(stream)?;
            }
            Ok(())
        });
        let proxy = proxy_to(&upstream.url());
        let mut client = proxy.client();
        for _ in 0..2 {
            let answer = ask(&mut client, &CHAT).answer();
            assert_eq!((answer.text(), answer.is_whole()), (&*CHAT.whole(), true), "{end:?}");
            assert_eq!(answer.head.header("x-late"), None);
        }
        assert_eq!(upstream.connections(), connections, "{end:?}");
    }
}
