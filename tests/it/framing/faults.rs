//! The rows of FAULTS about framing, each with raw bytes on both sides.

use super::strict::{self, Answer};
use super::{Arrived, PASSED, exchange, hasty, recording, requests_of, until_closed};
use crate::support::proxy::Proxy;
use crate::support::refusal::Caller;
use crate::support::upstream::{Closing, Upstream, json_answer};
use crate::support::wire::End;

/// A path whose body is held and read, and one whose body is passed on.
const PATHS: [&str; 2] = ["/v1/chat/completions", PASSED];

/// Sends a request with these header lines and this body to each of the paths: it is refused and
/// the connection closed, and no whole request arrives.
#[track_caller]
fn refused(proxy: &Proxy, arrived: &Arrived, headers: &str, body: &str) -> Vec<Answer> {
    let refusals = PATHS.map(|path| {
        let request = format!("POST {path} HTTP/1.1\r\nhost: a\r\n{headers}\r\n{body}");
        let answers = strict::answers(&exchange(proxy, request.as_bytes()), &[]);
        let [answer] = &answers[..] else { panic!("{headers:?} {body:?}: {answers:?}") };
        assert!([400, 501].contains(&answer.status), "{headers:?} {body:?}: {answer:?}");
        answer.clone()
    });
    let whole = requests_of(arrived).into_iter().filter(|request| request.whole).count();
    assert_eq!(whole, 0, "{headers:?} {body:?}");
    refusals.to_vec()
}

#[test]
fn fault_01_length_and_chunks_together() {
    let (upstream, arrived) = recording();
    let proxy = hasty(&upstream.url());
    let (length, chunked) = ("content-length: 5\r\n", "transfer-encoding: chunked\r\n");
    for headers in [[length, chunked], [chunked, length]] {
        refused(&proxy, &arrived, &headers.concat(), "0\r\n\r\n");
    }
    refused(&proxy, &arrived, "Content-Length: 5\r\nTransfer-Encoding: identity\r\n", "01234");
    assert_eq!(upstream.connections(), 0, "nothing was begun");
}

#[test]
fn fault_02_lengths_that_are_no_length() {
    let (upstream, arrived) = recording();
    let proxy = hasty(&upstream.url());
    for length in ["+1", "0x10", "-1", "1_0", "", "18446744073709551616", "1, 1", "1 1", "a"] {
        refused(&proxy, &arrived, &format!("content-length: {length}\r\n"), "x");
    }
    let two = "content-length: 1\r\ncontent-length: 2\r\n";
    refused(&proxy, &arrived, two, "xy");
    assert_eq!(upstream.connections(), 0, "nothing was begun");
}

#[test]
fn fault_03_transfer_codings_that_are_not_chunked() {
    let (upstream, arrived) = recording();
    let proxy = hasty(&upstream.url());
    for coding in [
        "xchunked",
        ",chunked",
        "chunked,",
        "chunked, chunked",
        "chunked, gzip",
        "gzip, chunked",
        "identity",
        "\"chunked\"",
        "chunked;q=1",
        "",
    ] {
        refused(&proxy, &arrived, &format!("transfer-encoding: {coding}\r\n"), "0\r\n\r\n");
    }
    let twice = "transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n";
    refused(&proxy, &arrived, twice, "0\r\n\r\n");
    assert_eq!(upstream.connections(), 0, "nothing was begun");
}

#[test]
fn fault_04_chunks_that_are_none() {
    let (upstream, arrived) = recording();
    let proxy = hasty(&upstream.url());
    let extensions = format!("1;{}\r\nx\r\n0\r\n\r\n", "x".repeat(17 << 10));
    for body in [
        "0x1\r\nx\r\n0\r\n\r\n",
        "+1\r\nx\r\n0\r\n\r\n",
        "-1\r\nx\r\n0\r\n\r\n",
        "1_0\r\nx\r\n0\r\n\r\n",
        "1 \r\nx\r\n0\r\n\r\n",
        "\r\nx\r\n0\r\n\r\n",
        "g\r\nx\r\n0\r\n\r\n",
        "10000000000000001\r\nx\r\n0\r\n\r\n",
        "1\nx\n0\n\n",
        "1\r\nx\n0\r\n\r\n",
        "1\r\nx\r\n0\r\n\n",
        "1\rx\r\n0\r\n\r\n",
        "1\r\nxy\r\n0\r\n\r\n",
        "1\r\nx0\r\n\r\n",
        "0\r\nx: y\n\r\n",
        &extensions,
    ] {
        refused(&proxy, &arrived, "transfer-encoding: chunked\r\n", body);
    }
}

#[test]
fn fault_05_heads_that_two_servers_could_read_differently() {
    let (upstream, arrived) = recording();
    let proxy = hasty(&upstream.url());
    for line in [
        "x: a\rb\r\n",
        "x: a\nb: c\r\n",
        "x: a\n",
        "x: a\0b\r\n",
        "x\0: a\r\n",
        "x: a\x01\r\n",
        "x: a\x7f\r\n",
        "x: a\r\n b\r\n",
        "x: a\r\n\tb\r\n",
        " x: a\r\n",
        "x : a\r\n",
        "x\t: a\r\n",
        "x y: a\r\n",
        ": a\r\n",
        "x\r\n",
        "x(: a\r\n",
        "\r: a\r\n",
    ] {
        refused(&proxy, &arrived, &format!("{line}content-length: 0\r\n"), "");
    }
    for head in ["GET /v1/files\0 HTTP/1.1\r\n", "GET\t/v1/files HTTP/1.1\r\n", "\n\nGET /\n"] {
        let got = exchange(&proxy, format!("{head}host: a\r\n\r\n").as_bytes());
        assert_eq!(strict::answers(&got, &[])[0].status, 400, "{head:?}");
    }
    assert_eq!(upstream.connections(), 0, "nothing was begun");
}

/// Answers come in the order of the requests; a bad one ends the connection, and only what stood
/// before it has been served.
#[test]
fn fault_09_pipelined_calls_are_answered_in_order_up_to_a_bad_one() {
    let upstream = Upstream::replying(|request| json_answer("200 OK", request.text()));
    let proxy = hasty(&upstream.url());
    let call = |model: &str| {
        let body = format!("{{\"model\":\"{model}\"}}");
        let length = body.len();
        format!(
            "POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\ncontent-length: {length}\r\n\r\n{body}"
        )
    };
    let good = [call("one"), call("two"), call("three")].concat();
    for (bad, statuses) in [
        ("", vec![200, 200, 200]),
        ("GET /v1/files HTTP/1.1\r\nhost : a\r\n\r\n", vec![200, 200, 200, 400]),
        ("POST /v1/files HTTP/1.1\r\nContent-Length: x\r\n\r\n", vec![200, 200, 200, 400]),
        ("\0\0\0\0\r\n\r\n", vec![200, 200, 200, 400]),
    ] {
        let before = upstream.requests().len();
        let all = match bad {
            "" => good.clone(),
            _ => [&good, bad, &call("never")].concat(),
        };
        let answers = strict::answers(&exchange(&proxy, all.as_bytes()), &[]);
        let got: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
        assert_eq!(got, statuses, "{bad:?}");
        for (answer, model) in answers.iter().zip(["one", "two", "three"]) {
            assert_eq!(answer.body, format!("{{\"model\":\"{model}\"}}").into_bytes());
        }
        assert_eq!(upstream.requests().len() - before, 3, "{bad:?}");
    }
}

/// Decided: a caller that ends its sending direction has left. TCP does not tell one that only
/// stopped sending from one that is gone, and an abandoned call must end at once (row 14).
#[test]
fn fault_12_a_caller_that_half_closes_has_left() {
    let upstream = Upstream::start(|connection| {
        connection.request()?;
        connection.wait_left()
    });
    let proxy = hasty(&upstream.url());
    for (number, caller) in Caller::ALL.into_iter().enumerate() {
        let mut client = proxy.client();
        let body = "{\"model\":\"m\"}";
        client.send(crate::support::client::request("POST", &caller.target("m"), &[], body));
        upstream.wait_requests(number + 1);
        client.finish();
        assert!(matches!(upstream.wait_closed(number), Closing::Left(_)));
        assert_eq!(until_closed(&mut client), b"", "an answer to nobody");
        let line = &proxy.wait_access_log(number + 1)[number];
        assert_eq!(line["outcome"], "client_closed", "{line}");
    }
    // A request that was whole and answered before the end is answered, of course.
    let mut client = proxy.client();
    let answer = client.get("/", &[]);
    client.finish();
    assert_eq!((answer.status(), answer.end), (200, End::Whole(Vec::new())));
    assert_eq!(until_closed(&mut client), b"");
}
