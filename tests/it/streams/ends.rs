//! FAULTS 45: a stream that breaks off never looks like one that ended.

use super::{ask, expect, proxy_to, rest, whole};
use crate::support::breaks::{BREAKS, Break};
use crate::support::dialects::{CHAT, DIALECTS, Dialect, MESSAGES};
use crate::support::gate::Gate;
use crate::support::upstream::{STREAM_HEAD, Upstream, chunk};
use crate::support::wire::End;

/// An upstream that sends `text` and breaks off once the client has it.
fn breaking(text: String, how: Break, gate: Gate) -> Upstream {
    Upstream::start(move |connection| {
        connection.request()?;
        connection.write(STREAM_HEAD)?;
        connection.write(chunk(&text))?;
        gate.pass();
        how.happen(connection)
    })
}

/// What follows `text` at the client, and its line in the access log.
fn broken(dialect: &Dialect, text: &str, how: Break) -> (String, End, serde_json::Value) {
    let gate = Gate::default();
    let upstream = breaking(text.to_owned(), how, gate.clone());
    let proxy = proxy_to(&upstream.url());
    let mut client = proxy.client();
    assert_eq!(ask(&mut client, dialect).head().status(), 200);
    expect(&mut client, text);
    gate.open();
    let (after, end) = rest(&mut client);
    (after, end, proxy.wait_access_log(1).remove(0))
}

#[test]
fn fault_45_between_events_a_break_becomes_an_error_event_of_the_dialect() {
    for dialect in DIALECTS {
        for how in BREAKS {
            let (after, end, line) = broken(&dialect, dialect.first, how);
            let place = format!("{} {how:?}: {after:?}", dialect.api);
            assert!(after.starts_with(dialect.error), "{place}");
            assert!(after.contains("the provider broke off its answer"), "{place}");
            assert!(after.ends_with("\n\n") || after.ends_with("\r\n\r\n"), "{place}");
            assert_eq!(end, whole(), "{place}");
            let reported = (&line["outcome"], &line["input_tokens"], &line["output_tokens"]);
            let expected = ("upstream_broken".into(), 7.into(), 3.into());
            assert_eq!(reported, (&expected.0, &expected.1, &expected.2), "{place}");
            assert_eq!(line["status"], 200);
        }
    }
}

#[test]
fn fault_45_within_an_event_a_break_breaks_the_connection() {
    for dialect in DIALECTS {
        for how in BREAKS {
            let text = [dialect.first, "data: {\"cut"].concat();
            let (after, end, line) = broken(&dialect, &text, how);
            assert_eq!(after, "", "{} {how:?}", dialect.api);
            assert!(matches!(end, End::Cut(_)), "{} {how:?}: {end:?}", dialect.api);
            assert_eq!(line["outcome"], "upstream_broken");
            assert_eq!(line["input_tokens"], 7, "{} {how:?}", dialect.api);
        }
    }
}

#[test]
fn fault_45_a_break_before_the_first_event_is_told_as_well() {
    for how in BREAKS {
        let (after, end, _) = broken(&MESSAGES, ": hello\n\n", how);
        assert!(after.starts_with(MESSAGES.error), "{how:?}: {after:?}");
        assert_eq!(end, whole());
    }
}

#[test]
fn fault_45_after_the_last_event_a_break_is_no_news() {
    for dialect in DIALECTS {
        let (after, end, line) = broken(&dialect, &dialect.whole(), Break::CleanEnd);
        assert_eq!((after.as_str(), end), ("", whole()), "{}", dialect.api);
        assert_eq!(line["outcome"], "served");
    }
}

#[test]
fn fault_45_a_declared_length_does_not_make_a_stream_whole() {
    for dialect in DIALECTS {
        let upstream = Upstream::replying(move |_| {
            let (first, length) = (dialect.first, dialect.first.len());
            format!(
                "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\
                 content-length: {length}\r\n\r\n{first}"
            )
            .into_bytes()
        });
        let proxy = proxy_to(&upstream.url());
        let answer = ask(&mut proxy.client(), &dialect).answer();
        let after = answer.text().strip_prefix(dialect.first).unwrap();
        assert!(after.starts_with(dialect.error), "{after:?}");
    }
}

#[test]
fn fault_45_bodies_that_are_no_streams_break_too() {
    for framing in ["content-length: 100", "transfer-encoding: chunked"] {
        let upstream = Upstream::start(move |connection| {
            connection.request()?;
            connection.write(format!(
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n{framing}\r\n\r\n"
            ))?;
            match framing {
                "content-length: 100" => connection.write("{\"a\":")?,
                _ => connection.write(chunk("{\"a\":"))?,
            }
            connection.close()
        });
        let proxy = proxy_to(&upstream.url());
        let answer = proxy.client().post(CHAT.target, &[], "{\"model\":\"m\"}");
        assert_eq!((answer.text(), answer.is_whole()), ("{\"a\":", false), "{framing}");
        assert_eq!(proxy.wait_access_log(1)[0]["outcome"], "upstream_broken");
    }
}
