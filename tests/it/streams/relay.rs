//! Bytes go on as they come, whatever they are.

use std::sync::Mutex;
use std::sync::mpsc::channel;

use super::{ask, expect, proxy_to, rest, whole};
use crate::support::client::request;
use crate::support::dialects::{CHAT, DIALECTS, MESSAGES, streaming};
use crate::support::gate::Gate;
use crate::support::upstream::{LAST_CHUNK, STREAM_HEAD, Upstream, chunk};
use crate::support::wire::Piece;

#[test]
fn the_first_event_is_there_while_the_second_is_held_back() {
    for dialect in DIALECTS {
        let gate = Gate::default();
        let held = gate.clone();
        let upstream = streaming(dialect.first, move |connection| {
            held.pass();
            connection.write(chunk(dialect.last))?;
            connection.write(LAST_CHUNK)
        });
        let proxy = proxy_to(&upstream.url());
        let mut client = proxy.client();
        let head = ask(&mut client, &dialect).head();
        assert_eq!(head.header("content-type"), Some("text/event-stream"));
        expect(&mut client, dialect.first);
        gate.open();
        assert_eq!(rest(&mut client), (dialect.last.to_owned(), whole()));
        // The connection is kept, on both sides.
        assert_eq!(ask(&mut client, &dialect).answer().text(), dialect.whole());
        assert_eq!(upstream.connections(), 1, "{}", dialect.api);
    }
}

const TYPES: [&str; 7] = [
    "application/x-ndjson",
    "multipart/mixed; boundary=part",
    "application/vnd.amazon.eventstream",
    "application/octet-stream",
    "text/plain",
    "audio/mpeg",
    "text/event-stream-not-quite",
];

#[test]
fn any_content_type_is_relayed_as_it_comes() {
    let bytes: Vec<u8> = (0..=255).cycle().take(3000).collect();
    for content_type in TYPES {
        for framing in ["transfer-encoding: chunked", "content-length: 6000", "connection: close"] {
            let (gate, sent) = (Gate::default(), bytes.clone());
            let held = gate.clone();
            let upstream = Upstream::start(move |connection| {
                connection.request()?;
                let framed = |bytes: &[u8]| match framing {
                    "transfer-encoding: chunked" => chunk(bytes),
                    _ => bytes.to_vec(),
                };
                connection.write(format!(
                    "HTTP/1.1 200 OK\r\ncontent-type: {content_type}\r\n{framing}\r\n\r\n"
                ))?;
                connection.write(framed(&sent))?;
                held.pass();
                connection.write(framed(&sent))?;
                if framing == "transfer-encoding: chunked" {
                    connection.write(LAST_CHUNK)?;
                }
                Ok(())
            });
            let proxy = proxy_to(&upstream.url());
            let mut client = proxy.client();
            client.send(request("POST", "/v1/audio/speech", &[], "{\"model\":\"m\"}"));
            assert_eq!(client.head().header("content-type"), Some(content_type));
            expect(&mut client, &bytes);
            gate.open();
            expect(&mut client, &bytes);
            assert_eq!(client.piece(), Piece::End(whole()), "{content_type}, {framing}");
        }
    }
}

#[test]
fn fault_46_a_drip_goes_on_byte_by_byte() {
    let dripped = "event: content_block_delta\r\ndata: {\"type\":\"content_block_delta\",\"delta\":\
                   {\"text\":\"h\u{e9}\u{1f600}\"}}\r\n\r\n";
    let (next, asked) = channel::<()>();
    let asked = Mutex::new(asked);
    let upstream = Upstream::start(move |connection| {
        connection.request()?;
        connection.write(STREAM_HEAD)?;
        for byte in dripped.bytes() {
            asked.lock().unwrap().recv().unwrap();
            connection.write(chunk([byte]))?;
        }
        asked.lock().unwrap().recv().unwrap();
        connection.write(chunk(MESSAGES.last))?;
        connection.write(LAST_CHUNK)
    });
    let proxy = proxy_to(&upstream.url());
    let mut client = proxy.client();
    ask(&mut client, &MESSAGES).head();
    for byte in dripped.bytes() {
        next.send(()).unwrap();
        assert_eq!(client.piece(), Piece::Bytes(vec![byte]));
    }
    next.send(()).unwrap();
    assert_eq!(rest(&mut client), (MESSAGES.last.to_owned(), whole()));
}

#[test]
fn fault_48_an_event_of_10_mb_passes_and_is_read() {
    let text = "x".repeat(10 << 20);
    let event = format!(
        "data: {{\"choices\":[{{\"delta\":{{\"content\":\"{text}\"}}}}],\"usage\":{{\"prompt_tokens\":7,\
         \"completion_tokens\":3}}}}\n\n"
    );
    let sent = [&event, CHAT.last].concat();
    let body = sent.clone();
    let upstream = Upstream::replying(move |_| [STREAM_HEAD, &chunk(&body), LAST_CHUNK].concat());
    let proxy = proxy_to(&upstream.url());
    // Once as the client asked, once with the usage asked for by Pillion.
    for asked in [CHAT.body, "{\"model\":\"m\",\"stream\":true}"] {
        let answer = proxy.client().post(CHAT.target, &[], asked);
        assert!(answer.is_whole() && answer.text() == sent, "{asked}");
    }
    for line in proxy.wait_access_log(2) {
        assert_eq!((&line["input_tokens"], &line["outcome"]), (&7.into(), &"served".into()));
    }
}

#[test]
fn fault_48_a_stream_without_a_line_feed_passes() {
    let endless = ["data: ", &"x".repeat(10 << 20)].concat();
    let sent = endless.clone();
    let upstream = Upstream::replying(move |_| [STREAM_HEAD, &chunk(&sent), LAST_CHUNK].concat());
    let proxy = proxy_to(&upstream.url());
    // It ends within an event, which is no clean end.
    let answer = proxy.client().post(CHAT.target, &[], CHAT.body);
    assert!(!answer.is_whole());
    assert!(answer.text() == endless);
}

/// What stands for the events in [`forms`], and ends the stream.
const EVENT: &str = r#"{"choices":[{"delta":{"content":"h"},"finish_reason":"stop"}],"usage":{"prompt_tokens":7,"completion_tokens":3}}"#;

fn forms() -> [String; 9] {
    [
        format!("data:{EVENT}\n\n"),
        format!("data: {EVENT}\r\n\r\n"),
        format!("data: {EVENT}\r\r"),
        format!(": comment\n\ndata: {EVENT}\n: another\n\n"),
        format!("data: {}\ndata: {}\n\n", &EVENT[..12], &EVENT[12..]),
        format!("\u{feff}data: {EVENT}\n\n"),
        format!("data: {EVENT}"),
        format!("data: {EVENT}\n"),
        format!("retry: 10\nid: 7\nevent: unheard-of\ndata: {EVENT}\nunknown: field\n\n"),
    ]
}

#[test]
fn fault_49_every_form_of_event_passes_and_is_read() {
    for form in forms() {
        let sent = form.clone();
        let upstream =
            Upstream::replying(move |_| [STREAM_HEAD, &chunk(&sent), LAST_CHUNK].concat());
        let proxy = proxy_to(&upstream.url());
        for asked in [CHAT.body, "{\"model\":\"m\",\"stream\":true}"] {
            let answer = proxy.client().post(CHAT.target, &[], asked);
            assert!(answer.is_whole(), "{form:?}");
            assert_eq!(answer.text(), form);
        }
        for line in proxy.wait_access_log(2) {
            assert_eq!(line["input_tokens"], 7, "{form:?}: {line}");
            assert_eq!(line["output_tokens"], 3, "{form:?}");
        }
    }
}

#[test]
fn fault_16_an_http_1_0_client_gets_a_stream_that_ends_with_the_connection() {
    let upstream = streaming(CHAT.first, |connection| {
        connection.write(chunk(CHAT.last))?;
        connection.write(LAST_CHUNK)
    });
    let proxy = proxy_to(&upstream.url());
    let length = CHAT.body.len();
    let (target, body) = (CHAT.target, CHAT.body);
    let old = format!("POST {target} HTTP/1.0\r\ncontent-length: {length}\r\n\r\n{body}");
    let answer = proxy.client().send(old).answer();
    assert_eq!(answer.head.all("transfer-encoding"), [""; 0]);
    assert_eq!(answer.head.all("content-length"), [""; 0]);
    assert_eq!((answer.text(), answer.is_whole()), (&*CHAT.whole(), true));

    let mut client = proxy.client();
    client.send(request("POST", target, &[("connection", "close")], body));
    let answer = client.answer();
    assert_eq!((answer.text(), answer.is_whole()), (&*CHAT.whole(), true));
    assert!(client.is_closed());
}
