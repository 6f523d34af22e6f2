//! Answers that are none, or are framed wrongly; and connections that die.

use std::io;

use super::{API, refused};
use crate::support::client::request;
use crate::support::gate::Gate;
use crate::support::proxy::Proxy;
use crate::support::refusal::{Caller, body};
use crate::support::upstream::{Connection, Upstream, chunk, json_answer};
use crate::support::wire::{End, Piece};
use crate::support::yaml::{all_to, provider};

fn proxy_to(upstream: &Upstream) -> Proxy {
    Proxy::start(&(provider("there", &upstream.url(), "") + &all_to("there")))
}

/// An upstream that reads a request, writes the bytes of that number, and closes; the number is
/// the model that is asked for.
fn saying(answers: Vec<Vec<u8>>) -> Upstream {
    Upstream::start(move |connection| {
        let Some(request) = connection.request()? else {
            return Ok(());
        };
        let digits = request.text().replace(|c: char| !c.is_ascii_digit(), "");
        let number: usize = digits.parse().unwrap();
        connection.write(&answers[number])?;
        connection.close()
    })
}

#[test]
fn garbage_is_no_answer() {
    let garbage = [
        &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..],
        b"SSH-2.0-OpenSSH_9.9\r\n\r\n",
        b"HTTP/1.1 2000 Many\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: many\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\ncont",
        b"",
    ];
    let upstream = saying(garbage.map(<[u8]>::to_vec).to_vec());
    let proxy = proxy_to(&upstream);
    for (number, garbage) in garbage.iter().enumerate() {
        let answer = Caller::Messages.ask(&mut proxy.client(), &number.to_string());
        let shown = String::from_utf8_lossy(garbage);
        assert_eq!(answer.refusal(), "502 upstream_broken anthropic/api_error", "{shown}");
        assert_eq!(upstream.requests().len(), number + 1, "{shown} was tried again");
    }
    refused(&proxy, "0", "502 upstream_broken", API);
}

/// FAULTS 57.
#[test]
fn fault_57_answer_heads_have_a_limit_and_a_form() {
    let many = |count: usize| (0..count).map(|n| format!("x-{n}: 1\r\n")).collect::<String>();
    let long = |kib: usize| format!("x-long: {}\r\n", "x".repeat(kib << 10));
    let two_types = "content-type: text/html\r\ncontent-type: application/json\r\n";
    let cases = [
        (many(98), 200),
        (many(101), 502),
        (long(60), 200),
        (long(65), 502),
        (long(4096), 502),
        ("x-control: a\x01b\r\n".to_owned(), 502),
        ("x-nul: a\0b\r\n".to_owned(), 502),
        ("x-bare: a\rb\r\n".to_owned(), 502),
        (two_types.to_owned(), 502),
    ];
    let answers = cases.iter().map(|(headers, _)| {
        format!("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n{headers}\r\n{{}}").into_bytes()
    });
    let upstream = saying(answers.collect());
    let proxy = proxy_to(&upstream);
    for (number, (headers, status)) in cases.iter().enumerate() {
        let answer = Caller::Chat.ask(&mut proxy.client(), &number.to_string());
        assert_eq!(answer.status(), *status, "{}", &headers[..headers.len().min(50)]);
        if *status == 502 {
            assert_eq!(answer.refusal(), "502 upstream_broken openai/server_error");
        }
    }
}

/// Answers the first request well and the second one in this way; later connections are sound.
fn second_goes_wrong(
    wrong: impl Fn(&mut Connection) -> io::Result<()> + Send + Sync + 'static,
) -> Upstream {
    Upstream::start(move |connection| {
        if connection.request()?.is_none() {
            return Ok(());
        }
        connection.write(json_answer("200 OK", "\"first\""))?;
        match (connection.request()?, connection.index) {
            (None, _) => Ok(()),
            (Some(_), 0) => wrong(connection),
            (Some(_), _) => connection.write(json_answer("200 OK", "\"later\"")),
        }
    })
}

/// FAULTS 44.
#[test]
fn fault_44_a_reused_connection_that_dies_is_replaced_once() {
    type Wrong = fn(&mut Connection) -> io::Result<()>;
    let ways: [Wrong; 2] = [Connection::reset, Connection::close];
    for wrong in ways {
        let upstream = second_goes_wrong(wrong);
        let proxy = proxy_to(&upstream);
        let mut client = proxy.client();
        assert_eq!(Caller::Chat.ask(&mut client, "a").text(), "\"first\"");
        let answer = Caller::Chat.ask(&mut client, "b");
        assert_eq!((answer.status(), answer.text()), (200, "\"first\""));
        let requests = upstream.wait_requests(3);
        let arrived: Vec<_> = requests.iter().map(|r| (r.connection, r.text())).collect();
        let (a, b) = (body("a"), body("b"));
        assert_eq!(arrived, [(0, &*a), (0, &*b), (1, &*b)]);
        assert_eq!(proxy.metric("pillion_upstream_retries_total"), Some(1.0));
    }
}

/// FAULTS 44: whatever came of the answer, the provider has worked, and may bill twice.
#[test]
fn fault_44_no_second_try_once_the_answer_has_begun() {
    for begun in ["H", "HTTP/1.1 200 OK\r\ncontent-le", "HTTP/1.1 100 Continue\r\n\r\n"] {
        for dying in [Connection::reset, Connection::close] {
            let upstream = second_goes_wrong(move |connection| {
                connection.write(begun)?;
                dying(connection)
            });
            let proxy = proxy_to(&upstream);
            let mut client = proxy.client();
            assert_eq!(Caller::Chat.ask(&mut client, "a").status(), 200);
            let answer = Caller::Chat.ask(&mut client, "b");
            assert_eq!(answer.refusal(), "502 upstream_broken openai/server_error", "{begun}");
            assert_eq!(upstream.requests().len(), 2, "{begun}");
        }
    }
}

/// FAULTS 44: neither is a fresh connection's death, nor that of an upload, which is gone.
#[test]
fn fault_44_no_second_try_on_a_fresh_connection_or_of_an_upload() {
    let upstream = Upstream::start(|connection| {
        connection.request()?;
        connection.reset()
    });
    let proxy = proxy_to(&upstream);
    let answer = Caller::Chat.ask(&mut proxy.client(), "m");
    assert_eq!(answer.refusal(), "502 upstream_broken openai/server_error");
    assert_eq!(upstream.connections(), 1);

    let upstream = second_goes_wrong(Connection::reset);
    let proxy = proxy_to(&upstream);
    let mut client = proxy.client();
    assert_eq!(client.post("/v1/files", &[], "a").status(), 200);
    let answer = client.post("/v1/files", &[], "b");
    assert_eq!(answer.refusal(), "502 upstream_broken openai/server_error");
    assert_eq!(upstream.requests().len(), 2);
}

/// A connection that the upstream closed while it was idle is noticed before it is used.
#[test]
fn an_idle_connection_that_was_closed_is_not_used() {
    let closed = Gate::default();
    let closing = closed.clone();
    let upstream = Upstream::start(move |connection| {
        connection.request()?;
        connection.write(json_answer("200 OK", "{}"))?;
        connection.close()?;
        closing.open();
        Ok(())
    });
    let proxy = proxy_to(&upstream);
    let mut client = proxy.client();
    assert_eq!(client.post("/v1/files", &[], "a").status(), 200);
    closed.pass();
    // An upload cannot be sent twice, so a dead connection would be a failure.
    assert_eq!(client.post("/v1/files", &[], "b").status(), 200);
    assert_eq!(upstream.connections(), 2);
    assert_eq!(proxy.metric("pillion_upstream_retries_total"), Some(0.0));
}

/// FAULTS 51.
#[test]
fn fault_51_an_answer_shorter_than_it_says_is_cut_not_whole() {
    for (framing, begun) in [
        ("content-length: 10", b"{\"a\"".to_vec()),
        ("transfer-encoding: chunked", chunk("{\"a\"")),
        ("transfer-encoding: chunked", b"9\r\n{\"a\"".to_vec()),
    ] {
        let seen = Gate::default();
        let closing = seen.clone();
        let upstream = Upstream::start(move |connection| {
            connection.request()?;
            connection.write(format!("HTTP/1.1 200 OK\r\n{framing}\r\n\r\n"))?;
            connection.write(&begun)?;
            closing.pass();
            connection.close()
        });
        let proxy = proxy_to(&upstream);
        let mut client = proxy.client();
        client.send(request("POST", "/v1/chat/completions", &[], &body("m")));
        assert_eq!(client.head().status(), 200);
        assert_eq!(client.piece(), Piece::Bytes(b"{\"a\"".to_vec()));
        seen.open();
        assert!(matches!(client.piece(), Piece::End(End::Cut(_))), "{framing}");
        let line = &proxy.wait_access_log(1)[0];
        assert_eq!(line["outcome"], "upstream_broken", "{line}");
    }
}

/// FAULTS 51: what stands behind an answer is nobody's answer.
#[test]
fn fault_51_bytes_after_an_answer_are_dropped_with_their_connection() {
    let upstream = Upstream::start(|connection| {
        while connection.request()?.is_some() {
            let stray = "HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\n\"stray\"";
            let both = [&json_answer("200 OK", "\"mine\""), stray.as_bytes()].concat();
            connection.write(both)?;
        }
        Ok(())
    });
    let proxy = proxy_to(&upstream);
    let mut client = proxy.client();
    for number in 0..5 {
        let answer = Caller::Chat.ask(&mut client, "m");
        assert_eq!((answer.status(), answer.text()), (200, "\"mine\""), "{number}");
    }
    assert_eq!(upstream.connections(), 5);
}

/// FAULTS 52.
#[test]
fn fault_52_interim_answers_are_never_taken_for_the_final_one() {
    let upstream = Upstream::replying(|_| {
        let interim = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\nx-a: 1\r\n\r\n\
                       HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n";
        [interim.as_bytes(), &json_answer("200 OK", "{}")].concat()
    });
    let proxy = proxy_to(&upstream);
    let mut client = proxy.client();
    for _ in 0..2 {
        let answer = Caller::Messages.ask(&mut client, "m");
        assert_eq!((answer.status(), answer.text()), (200, "{}"));
        assert_eq!((answer.head.header("x-a"), answer.head.header("link")), (None, None));
    }
    assert_eq!(upstream.connections(), 1);
}

/// FAULTS 52.
#[test]
fn fault_52_answers_that_have_no_body_are_given_none() {
    for status in ["204 No Content", "304 Not Modified"] {
        let upstream = Upstream::replying(move |_| {
            format!("HTTP/1.1 {status}\r\ncontent-type: text/plain\r\n\r\nstray").into()
        });
        let proxy = proxy_to(&upstream);
        let mut client = proxy.client();
        for _ in 0..2 {
            let answer = Caller::Chat.ask(&mut client, "m");
            assert_eq!(answer.status().to_string(), status[..3]);
            assert!(answer.body.is_empty(), "{status}");
        }
        assert_eq!(upstream.connections(), 2, "{status}");
    }
    let upstream = Upstream::replying(|_| json_answer("200 OK", "\"a body\""));
    let proxy = proxy_to(&upstream);
    let mut client = proxy.client();
    for _ in 0..2 {
        client.send("HEAD /v1/files/f HTTP/1.1\r\nhost: a\r\n\r\n");
        let head = client.answer_to_head();
        assert_eq!((head.status(), head.header("content-length")), (200, Some("8")));
    }
    assert_eq!(client.get("/", &[]).status(), 200);
    assert_eq!(upstream.connections(), 2);
    let lines = proxy.wait_access_log(3);
    assert!(lines.iter().all(|line| line["outcome"] == "served"), "{lines:?}");
}

/// FAULTS 53.
#[test]
fn fault_53_trailers_do_not_become_headers() {
    let upstream = Upstream::replying(|_| {
        let head = "HTTP/1.1 200 OK\r\ntrailer: x-late\r\ntransfer-encoding: chunked\r\n\r\n";
        [head.as_bytes(), &chunk("{}"), b"0\r\nx-late: 1\r\ncontent-length: 99\r\n\r\n"].concat()
    });
    let proxy = proxy_to(&upstream);
    let mut client = proxy.client();
    for _ in 0..2 {
        let answer = Caller::Chat.ask(&mut client, "m");
        assert_eq!((answer.status(), answer.text()), (200, "{}"));
        assert_eq!((answer.head.header("x-late"), answer.head.header("trailer")), (None, None));
        assert_eq!(answer.end, End::Whole(Vec::new()));
    }
    assert_eq!(upstream.connections(), 1);
}
