//! FAULTS 50: compressed answers pass as they are, and are read all the same.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::{expect, proxy_to, rest, whole};
use crate::support::client::request;
use crate::support::codings::CODINGS;
use crate::support::dialects::CHAT;
use crate::support::gate::Gate;
use crate::support::upstream::{LAST_CHUNK, Upstream, chunk};
use crate::support::wire::End;

const JSON: &str = r#"{"choices":[{"message":{"content":"hi"}}],"usage":{"prompt_tokens":7,"completion_tokens":3}}"#;

fn head(content_type: &str, coding: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\ncontent-type: {content_type}\r\ncontent-encoding: {coding}\r\n\
         transfer-encoding: chunked\r\n\r\n"
    )
}

#[test]
fn fault_50_compressed_answers_pass_untouched_and_are_counted() {
    let stream = CHAT.whole();
    for (coding, encode) in CODINGS {
        for (content_type, text) in [("application/json", JSON), ("text/event-stream", &stream)] {
            let coded = encode(text.as_bytes());
            let sent = [head(content_type, coding).as_bytes(), &chunk(&coded), LAST_CHUNK].concat();
            let upstream = Upstream::replying(move |_| sent.clone());
            let proxy = proxy_to(&upstream.url());
            let accept = [("accept-encoding", coding)];
            let answer = proxy.client().post(CHAT.target, &accept, CHAT.body);
            assert_eq!(answer.head.header("content-encoding"), Some(coding));
            assert!(answer.is_whole() && answer.body == coded, "{coding} {content_type}");
            let sent = &upstream.requests()[0];
            assert_eq!(sent.head.header("accept-encoding"), Some(coding));
            let line = &proxy.wait_access_log(1)[0];
            assert_eq!(line["input_tokens"], 7, "{coding} {content_type}: {line}");
            assert_eq!(line["output_tokens"], 3);
        }
    }
}

#[test]
fn fault_50_a_compressed_stream_that_breaks_off_breaks_the_connection() {
    for (coding, encode) in CODINGS {
        let coded = encode(CHAT.first.as_bytes());
        let sent = [head("text/event-stream", coding).as_bytes(), &chunk(&coded)].concat();
        let upstream = Upstream::start(move |connection| {
            connection.request()?;
            connection.write(&sent)?;
            connection.close()
        });
        let proxy = proxy_to(&upstream.url());
        let answer = proxy.client().post(CHAT.target, &[], CHAT.body);
        assert!(!answer.is_whole(), "{coding}");
    }
}

#[test]
fn fault_50_a_provider_that_compresses_unasked_is_relayed_at_once() {
    // Pillion asked for the usage and for no compression; this provider does not listen.
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(CHAT.first.as_bytes()).unwrap();
    encoder.flush().unwrap();
    let first = encoder.get_ref().clone();
    encoder.write_all(CHAT.last.as_bytes()).unwrap();
    let coded = encoder.finish().unwrap();
    let (gate, second) = (Gate::default(), coded[first.len()..].to_vec());
    let (held, begun) = (gate.clone(), first.clone());
    let upstream = Upstream::start(move |connection| {
        connection.request()?;
        connection.write(head("text/event-stream", "gzip"))?;
        connection.write(chunk(&begun))?;
        held.pass();
        connection.write(chunk(&second))?;
        connection.write(LAST_CHUNK)
    });
    let proxy = proxy_to(&upstream.url());
    let mut client = proxy.client();
    client.send(request("POST", CHAT.target, &[], "{\"model\":\"m\",\"stream\":true}"));
    client.head();
    expect(&mut client, &first);
    gate.open();
    expect(&mut client, &coded[first.len()..]);
    let (after, end): (String, End) = rest(&mut client);
    assert_eq!((after.as_str(), end), ("", whole()));
    assert_eq!(proxy.wait_access_log(1)[0]["input_tokens"], 7);
}
