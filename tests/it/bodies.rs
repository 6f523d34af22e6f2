//! Request bodies: every byte that is not ours to change arrives as it was sent.

use std::io::ErrorKind;

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::support::client::{Answer, Client};
use crate::support::gate::Gate;
use crate::support::proxy::{Launch, Proxy};
use crate::support::refusal::{Caller, body};
use crate::support::upstream::{Closing, Connection, Recorded, Upstream, chunk, json_answer};
use crate::support::wire::{End, Piece};
use crate::support::yaml::{all_to, provider, route};

const CHAT: &str = "/v1/chat/completions";
const LIMIT: usize = 32 << 20;

fn obliging() -> Upstream {
    Upstream::replying(|_| json_answer("200 OK", "{}"))
}

fn proxy_to(upstream: &Upstream) -> Proxy {
    Proxy::start(&(provider("there", &upstream.url(), "") + &all_to("there")))
}

/// Every call goes out under another model.
fn renaming(upstream: &Upstream) -> Proxy {
    let rules = "[{ targets: [{ provider: { name: there }, model: \"new/é\" }] }]";
    Proxy::start(&(provider("there", &upstream.url(), "") + &route("r", rules)))
}

/// Sends bytes as one body with `content-length`.
fn post(client: &mut Client, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
    let head = head(target, headers, body.len());
    // An answer may come, and the connection end, before all of it is sent.
    drop(client.try_send([head.as_bytes(), body].concat()));
    client.answer()
}

fn head(target: &str, headers: &[(&str, &str)], length: usize) -> String {
    let lines = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n"));
    let lines: String = lines.collect();
    format!("POST {target} HTTP/1.1\r\nhost: a\r\n{lines}content-length: {length}\r\n\r\n")
}

/// What reaches the upstream of this body.
#[track_caller]
fn sent(proxy: &Proxy, upstream: &Upstream, target: &str, body: &[u8]) -> Recorded {
    let before = upstream.requests().len();
    let answer = post(&mut proxy.client(), target, &[], body);
    assert_eq!(answer.status(), 200, "{}", answer.text());
    upstream.wait_requests(before + 1).swap_remove(before)
}

/// Bodies that a parser would not give back as it got them; each holds `"model":"m"` once at its
/// top level, written in that way.
fn odd_bodies() -> Vec<Vec<u8>> {
    let mut odd: Vec<Vec<u8>> = [
        "{\"z\":1,\"model\":\"m\",\"a\":2}",
        " \r\n\t{ \"model\" : \"m\" ,\n\n\"a\"\t:\t[ 1 , 2 ] }\n\n",
        "{\"model\":\"m\",\"n\":[1.0,1e2,1E+2,-0,-0.0,0.1,100000000000000000000,1e400,\
         9223372036854775808,0.1000000000000000055511151231257827]}",
        "{\"model\":\"m\",\"s\":\"\\u0041\\/\\u00e9\\ud83d\\ude00\\n\\u0000\"}",
        "{\"model\":\"m\",\"lone\":\"\\ud800\",\"pair\":\"\\udc00\\ud800\"}",
        "{\"model\":\"m\",\"messages\":[{\"model\":\"inner\",\"a\":1,\"a\":2}],\"x\":1,\"x\":2}",
        "{\"model\":\"m\",\"messages\":[1],\"messages\":[2]}",
        "{\"model\":\"m\",\"stream\":\"true\",\"stream_options\":1}",
        "{\"model\":\"m\",\"stream\":1,\"messages\":{},\"max_tokens\":\"9\"}",
        "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":7}]}",
        "{\"model\":\"m\",\"thinking\":{\"signature\":\"EqQBCkYIBxgCKkB/+=\"},\"\":null,\"é\":\"日本\"}",
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec();
    odd.push(b"\xef\xbb\xbf{\"model\":\"m\"}".to_vec());
    odd.push(b"{\"model\":\"m\",\"bad\":\"\xff\xfe\xc3\x28\",\"\xf0\x28\":1}".to_vec());
    odd.push(deep(10_000, b"{\"model\":\"m\",\"deep\":"));
    odd.push(deep(1_000_000, b"{\"model\":\"m\",\"deep\":"));
    odd.push([b"{\"model\":\"m\",\"s\":\"", &vec![b'x'; 3 << 20][..], b"\"}"].concat());
    odd
}

fn deep(levels: usize, before: &[u8]) -> Vec<u8> {
    [before, &vec![b'['; levels], &vec![b']'; levels], b"}"].concat()
}

/// FAULTS 21, 22, 23, 24, 25: nothing is rewritten.
#[test]
fn fault_21_to_25_odd_bodies_arrive_byte_for_byte() {
    let upstream = obliging();
    let proxy = proxy_to(&upstream);
    for target in [CHAT, "/v1/messages", "/v1/responses", "/v1beta/models/m:generateContent"] {
        for odd in odd_bodies() {
            let arrived = sent(&proxy, &upstream, target, &odd).body;
            assert!(arrived == odd, "{target} {}", shown(&odd));
        }
    }
}

/// FAULTS 21, 22, 24: a rename touches the bytes of the name and no other.
#[test]
fn fault_21_to_24_a_rename_is_a_splice() {
    let upstream = obliging();
    let proxy = renaming(&upstream);
    for odd in odd_bodies() {
        let mut expected = odd.clone();
        let at = odd.windows(3).position(|window| window == b"\"m\"").unwrap();
        expected.splice(at..at + 3, "\"new/é\"".bytes());
        let arrived = sent(&proxy, &upstream, "/v1/messages", &odd);
        assert!(arrived.body == expected, "{}", shown(&odd));
        let length = expected.len().to_string();
        assert_eq!(arrived.head.header("content-length"), Some(length.as_str()));
    }
    let escaped = b"{\"mod\\u0065l\":\"\\u006d\",\"a\":1}";
    let arrived = sent(&proxy, &upstream, CHAT, escaped);
    assert_eq!(arrived.text(), "{\"mod\\u0065l\":\"new/é\",\"a\":1}");
}

fn shown(body: &[u8]) -> String {
    String::from_utf8_lossy(&body[..body.len().min(80)]).into_owned()
}

/// FAULTS 23: no body on which two parsers disagree.
#[test]
fn fault_23_a_model_that_stands_twice_is_refused() {
    let upstream = obliging();
    let proxy = proxy_to(&upstream);
    for bad in [
        "{\"model\":\"a\",\"model\":\"b\"}",
        "{\"model\":\"a\",\"mod\\u0065l\":\"b\"}",
        "{\"model\":\"a\",\"stream\":true,\"stream\":false}",
        "{\"model\":7}",
        "{\"model\":null}",
        "{\"model\":{\"a\":1}}",
        "{\"model\":\"\\ud800\"}",
        "{\"model\":\"a\"",
        "{\"model\":\"a\"} x",
        "[]",
        "model",
    ] {
        for caller in [Caller::Chat, Caller::Messages] {
            let answer = proxy.client().post(&caller.target("m"), &[], bad);
            let told = format!("400 bad_request {}/invalid_request_error", caller.dialect());
            assert_eq!(answer.refusal(), told, "{bad}");
        }
    }
    assert_eq!(upstream.connections(), 0);
}

/// FAULTS 26.
#[test]
fn fault_26_compressed_bodies_are_routed_and_arrive_untouched() {
    let upstream = obliging();
    let rules = "[{ matches: [{ model: m }], targets: [{ provider: { name: there } }] }, \
                  { matches: [{ model: old }], targets: [{ provider: { name: there }, model: new }] }]";
    let proxy = Proxy::start(&(provider("there", &upstream.url(), "") + &route("r", rules)));
    let gzip = |text: &str| {
        use std::io::Write;
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    };
    // A zstd frame of one raw block, as RFC 8878 has it.
    let zstd = |text: &str| {
        let length = u8::try_from(text.len()).unwrap();
        let block = (u32::from(length) << 3 | 1).to_le_bytes();
        [&[0x28, 0xb5, 0x2f, 0xfd, 0x20, length], &block[..3], text.as_bytes()].concat()
    };
    let mut client = proxy.client();
    for (coding, packed) in [("gzip", gzip(&body("m"))), ("zstd", zstd(&body("m")))] {
        let before = upstream.requests().len();
        let coded = [("content-encoding", coding)];
        assert_eq!(post(&mut client, CHAT, &coded, &packed).status(), 200, "{coding}");
        let request = &upstream.wait_requests(before + 1)[before];
        assert_eq!(request.body, packed);
        assert_eq!(request.head.header("content-encoding"), Some(coding));
    }
    let told = "400 bad_request openai/invalid_request_error";
    for (coding, packed) in [
        ("gzip", gzip(&body("old"))),
        ("gzip", b"not gzip".to_vec()),
        ("gzip", gzip(&body("m"))[..12].to_vec()),
        ("compress", body("m").into_bytes()),
    ] {
        let coded = [("content-encoding", coding)];
        assert_eq!(post(&mut proxy.client(), CHAT, &coded, &packed).refusal(), told);
    }
    let elsewhere = post(&mut client, CHAT, &[("content-encoding", "gzip")], &gzip(&body("no")));
    assert_eq!(elsewhere.refusal(), "404 no_route openai/invalid_request_error");
    assert_eq!(proxy.metric("pillion_request_body_bytes"), Some(0.0));
}

/// FAULTS 20.
#[test]
fn fault_20_32_mib_are_taken_and_33_are_not() {
    let upstream = obliging();
    let proxy = proxy_to(&upstream);
    let mut largest = b"{\"model\":\"m\",\"s\":\"".to_vec();
    largest.resize(LIMIT - 2, b'x');
    largest.extend_from_slice(b"\"}");
    let arrived = sent(&proxy, &upstream, CHAT, &largest);
    assert!(arrived.body == largest, "{} bytes", arrived.body.len());

    for caller in [Caller::Chat, Caller::Messages] {
        // Refused by the length that is declared, before a byte of it came.
        let mut client = proxy.client();
        client.send(head(&caller.target("m"), &[], 33 << 20));
        let kind = match caller {
            Caller::Messages => "request_too_large",
            _ => "invalid_request_error",
        };
        let told = format!("413 body_too_large {}/{kind}", caller.dialect());
        assert_eq!(client.answer().refusal(), told);
    }
    // Without a length it is refused where the limit is passed.
    let mut client = proxy.client();
    let _ = client
        .try_send(format!("POST {CHAT} HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n"));
    for piece in largest.chunks(1 << 20) {
        let _ = client.try_send(chunk(piece));
    }
    let _ = client.try_send(chunk("more"));
    assert_eq!(client.answer().refusal(), "413 body_too_large openai/invalid_request_error");
    assert_eq!(upstream.requests().len(), 1);
}

/// FAULTS 10.
#[test]
fn fault_10_a_body_is_invited_only_where_it_is_wanted() {
    let upstream = obliging();
    let proxy = proxy_to(&upstream);
    let expecting = [("expect", "100-continue")];
    let mut client = proxy.client();
    client.send(head(CHAT, &expecting, 13));
    assert_eq!(client.head().first_line, "HTTP/1.1 100 Continue");
    client.send(body("m"));
    assert_eq!(client.head().status(), 200, "a second 100 is one too many");
    let request = &upstream.wait_requests(1)[0];
    assert_eq!((request.text(), request.head.header("expect")), (&*body("m"), None));

    for (target, length, status) in
        [(CHAT, 33 << 20, 413), ("/v1/%2e%2e/chat/completions", 10, 400), ("/nowhere", 10, 404)]
    {
        let mut client = proxy.client();
        client.send(head(target, &expecting, length));
        assert_eq!(client.answer().status(), status, "{target}");
        assert!(client.is_closed(), "{target}: the body would be taken for a request");
    }
    assert_eq!(upstream.requests().len(), 1);
}

#[test]
fn lengths_and_chunks_go_on_as_such() {
    let upstream = obliging();
    let proxy = proxy_to(&upstream);
    let chunked = |target: &str| {
        let mut client = proxy.client();
        client.send(format!(
            "POST {target} HTTP/1.1\r\nhost: a\r\ncontent-type: application/octet-stream\r\n\
             transfer-encoding: chunked\r\n\r\n"
        ));
        client.send(chunk("{\"model\"")).send(chunk(":\"m\"}")).send("0\r\nx-t: 1\r\n\r\n");
        assert_eq!(client.answer().status(), 200);
        let before = upstream.requests().len();
        upstream.requests().swap_remove(before - 1)
    };
    // Passed on as it comes: nobody knows its length.
    let passed = chunked("/v1/files");
    assert_eq!(passed.text(), body("m"));
    assert_eq!(passed.head.header("transfer-encoding"), Some("chunked"));
    assert_eq!(passed.head.header("content-length"), None);
    assert_eq!(passed.end, End::Whole(Vec::new()), "trailers mean nothing here");

    // Held, so its length is known.
    let mut client = proxy.client();
    client.send(format!("POST {CHAT} HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n"));
    client.send(chunk("{\"model\"")).send(chunk(":\"m\"}")).send("0\r\n\r\n");
    assert_eq!(client.answer().status(), 200);
    let held = upstream.wait_requests(2).swap_remove(1);
    assert_eq!((held.text(), held.head.header("content-length")), (&*body("m"), Some("13")));
    assert_eq!(held.head.header("transfer-encoding"), None);

    let counted = sent(&proxy, &upstream, "/v1/files", b"0123456789");
    assert_eq!(counted.head.header("content-length"), Some("10"));
    let empty = sent(&proxy, &upstream, "/v1/batches", b"");
    assert_eq!((empty.body.len(), empty.head.header("content-length")), (0, Some("0")));
    assert_eq!(empty.head.header("transfer-encoding"), None);
}

const FORM: (&str, &str) = ("content-type", "multipart/form-data; boundary=\"b 1\"");

/// A form with a file of all bytes, and a model behind it.
fn form(model: &str) -> Vec<u8> {
    let file: Vec<u8> = (0..=255).chain(*b"\r\n--b 2\r\n").collect();
    [
        b"--b 1\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.wav\"\r\n\r\n",
        &file[..],
        b"\r\n--b 1\r\ncontent-disposition: form-data; name=model\r\n\r\n",
        model.as_bytes(),
        b"\r\n--b 1--\r\nepilogue",
    ]
    .concat()
}

#[test]
fn a_form_is_routed_by_its_model_and_renamed_in_place() {
    let upstream = obliging();
    let rules = "[{ matches: [{ model: whisper-1 }], targets: [{ provider: { name: there } }] }, \
                  { matches: [{ model: old }], targets: [{ provider: { name: there }, model: new-name }] }]";
    let proxy = Proxy::start(&(provider("there", &upstream.url(), "") + &route("r", rules)));
    let target = "/v1/audio/transcriptions";
    for (asked, sent) in [("whisper-1", "whisper-1"), ("old", "new-name")] {
        let before = upstream.requests().len();
        assert_eq!(post(&mut proxy.client(), target, &[FORM], &form(asked)).status(), 200);
        let request = upstream.wait_requests(before + 1).swap_remove(before);
        assert_eq!(request.body, form(sent));
        assert_eq!(request.head.header("content-type"), Some(FORM.1));
        let length = form(sent).len().to_string();
        assert_eq!(request.head.header("content-length"), Some(length.as_str()));
    }
    let other = post(&mut proxy.client(), target, &[FORM], &form("other"));
    assert_eq!(other.refusal(), "404 no_route openai/invalid_request_error");
}

#[test]
fn a_form_is_renamed_where_no_rule_asks_for_a_model() {
    let upstream = obliging();
    let proxy = renaming(&upstream);
    let answer = post(&mut proxy.client(), "/v1/audio/speech", &[FORM], &form("m"));
    assert_eq!(answer.status(), 200);
    assert_eq!(upstream.wait_requests(1)[0].body, form("new/é"));
}

#[test]
fn an_upload_flows_through_before_it_is_whole() {
    for target in ["/v1/files", "/v1/audio/transcriptions"] {
        let arrived = Gate::default();
        let opened = arrived.clone();
        let upstream = Upstream::start(move |connection| {
            let Some(head) = connection.head()? else {
                return Ok(());
            };
            // The head is here although the client waits with its body.
            opened.open();
            connection.body_of(head)?;
            connection.write(json_answer("200 OK", "{}"))
        });
        let proxy = proxy_to(&upstream);
        let form = form("m");
        let (begin, rest) = form.split_at(100);
        let mut client = proxy.client();
        client.send(head(target, &[FORM], form.len())).send(begin);
        arrived.pass();
        client.send(rest);
        assert_eq!(client.answer().status(), 200);
        assert_eq!(upstream.wait_requests(1)[0].body, form);
    }
}

#[test]
fn an_answer_may_come_before_the_upload_is_over() {
    let upstream = Upstream::start(|connection| {
        connection.head()?;
        connection.write(json_answer("413 Payload Too Large", "{\"error\":{}}"))?;
        connection.close()
    });
    let proxy = proxy_to(&upstream);
    let mut client = proxy.client();
    client.send(head("/v1/files", &[], 1 << 20)).send("only the beginning");
    assert_eq!(client.answer().status(), 413);
}

/// More than sockets take in before somebody reads.
fn large() -> Vec<u8> {
    let mut large = b"{\"model\":\"m\",\"s\":\"".to_vec();
    large.resize(16 << 20, b'x');
    large.extend_from_slice(b"\"}");
    large
}

#[test]
fn an_answer_may_come_before_a_held_body_is_out() {
    for then in [Connection::close, Connection::reset] {
        let upstream = Upstream::start(move |connection| {
            connection.head()?;
            connection.write(json_answer("413 Payload Too Large", "{\"error\":{}}"))?;
            then(connection)
        });
        let proxy = proxy_to(&upstream);
        let answer = post(&mut proxy.client(), CHAT, &[], &large());
        assert_eq!((answer.status(), answer.text()), (413, "{\"error\":{}}"));
        assert_eq!(upstream.connections(), 1, "it was answered, and is not sent again");
    }
}

#[test]
fn a_held_body_goes_on_while_its_answer_comes() {
    let upstream = Upstream::start(|connection| {
        let head = connection.head()?.unwrap();
        connection.write("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")?;
        connection.write(chunk("begun"))?;
        connection.body_of(head)?;
        connection.write(chunk(", done"))?;
        connection.write("0\r\n\r\n")
    });
    let proxy = proxy_to(&upstream);
    let answer = post(&mut proxy.client(), CHAT, &[], &large());
    assert_eq!((answer.status(), answer.text()), (200, "begun, done"));
    assert!(upstream.wait_requests(1)[0].body == large());
}

/// FAULTS 13.
#[test]
fn fault_13_a_client_that_leaves_in_its_body_completes_nothing() {
    let upstream = obliging();
    let proxy = proxy_to(&upstream);
    // Passed on: the upstream sees the beginning and then a broken connection.
    for (number, framing) in
        ["content-length: 100", "transfer-encoding: chunked"].iter().enumerate()
    {
        let mut client = proxy.client();
        client.send(format!("POST /v1/files HTTP/1.1\r\nhost: a\r\n{framing}\r\n\r\n"));
        client.send(chunk("0123456789"));
        client.reset();
        let request = upstream.wait_requests(number + 1).swap_remove(number);
        assert!(matches!(request.end, End::Cut(_)), "{framing}: {request:?}");
        assert!(matches!(upstream.wait_closed(number), Closing::Left(_)));
    }
    // Held: nothing was begun.
    for framing in ["content-length: 100", "transfer-encoding: chunked"] {
        let mut client = proxy.client();
        client.send(format!("POST {CHAT} HTTP/1.1\r\nhost: a\r\n{framing}\r\n\r\n"));
        client.send(chunk("{\"model\":\"m\""));
        client.reset();
    }
    let lines = proxy.wait_access_log(4);
    assert_eq!(upstream.connections(), 2);
    for line in &lines {
        assert_ne!(line["outcome"], "served", "{line}");
    }
}

/// FAULTS 11.
#[test]
fn fault_11_a_body_that_stops_coming() {
    let upstream = Upstream::replying(|_| json_answer("200 OK", "{}"));
    let yaml = provider("there", &upstream.url(), "") + &all_to("there");
    let proxy = Launch::new().flag("--body-idle", "100ms").start(&yaml);
    for (caller, kind) in
        [(Caller::Chat, "openai/server_error"), (Caller::Messages, "anthropic/timeout_error")]
    {
        let mut client = proxy.client();
        client.send(head(&caller.target("m"), &[], 100)).send("{\"model\":");
        let answer = client.answer();
        assert_eq!(answer.refusal(), format!("408 body_timeout {kind}"));
        assert!(client.is_closed());
    }
    // Passed on, the upstream must not take it for a whole one.
    let mut client = proxy.client();
    client.send(head("/v1/files", &[], 100)).send("0123456789");
    assert_eq!(client.answer().status(), 408);
    let cut = &upstream.wait_requests(1)[0];
    assert!(matches!(cut.end, End::Cut(ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset)));
    assert_eq!(upstream.requests().len(), 1);
}

/// FAULTS 11.
#[test]
fn fault_11_a_head_that_does_not_come() {
    let proxy = Launch::new().flag("--head-timeout", "100ms").start(&all_to("nobody"));
    for begin in ["", "P", "POST /v1/messages HTTP/1.1\r\nhost:"] {
        let mut client = proxy.client();
        client.send(begin);
        assert!(client.is_closed(), "{begin:?}");
    }
    // An idle connection after an answer is no better.
    let mut client = proxy.client();
    assert_eq!(client.get("/", &[]).status(), 200);
    assert!(client.is_closed());
}

/// FAULTS 6.
#[test]
fn fault_06_heads_have_a_limit() {
    let upstream = obliging();
    let proxy = proxy_to(&upstream);
    let with = |headers: String| format!("GET /v1/files HTTP/1.1\r\nhost: a\r\n{headers}\r\n");
    let many = |count: usize| with((0..count).map(|n| format!("x-{n}: 1\r\n")).collect());
    let long = |length: usize| with(format!("x-long: {}\r\n", "x".repeat(length)));
    let uri =
        |length: usize| format!("GET /v1/files?{} HTTP/1.1\r\nhost: a\r\n\r\n", "x".repeat(length));
    for (request, statuses) in [
        (many(99), &[200][..]),
        (many(100), &[431]),
        (many(5_000), &[431]),
        (long(60 << 10), &[200]),
        (long(64 << 10), &[431]),
        (long(1 << 20), &[431]),
        (uri(60 << 10), &[200]),
        (uri(66 << 10), &[414, 431]),
        (uri(1 << 20), &[414, 431]),
    ] {
        let mut client = proxy.client();
        let _ = client.try_send(&request);
        let status = client.head().status();
        assert!(statuses.contains(&status), "{status} for {}", &request[..60]);
        if status != 200 {
            while !matches!(client.piece(), Piece::End(_)) {}
        }
    }
    assert_eq!(upstream.requests().len(), 3);
}

#[test]
fn the_memory_for_bodies_is_bounded() {
    let upstream = obliging();
    let yaml = provider("there", &upstream.url(), "") + &all_to("there");
    let proxy = Launch::new().flag("--body-memory", "100Ki").start(&yaml);
    let large = format!("{{\"model\":\"m\",\"s\":\"{}\"}}", "x".repeat(60 << 10));
    let (begin, last) = large.split_at(large.len() - 1);
    let mut first = proxy.client();
    first.send(head(CHAT, &[], large.len())).send(begin);
    let held = || proxy.metric("pillion_request_body_bytes").unwrap();
    while held() < begin.len() as f64 {}
    for (caller, kind) in [
        (Caller::Chat, "openai/service_unavailable_error"),
        (Caller::Messages, "anthropic/overloaded_error"),
    ] {
        let answer = post(&mut proxy.client(), &caller.target("m"), &[], large.as_bytes());
        assert_eq!(answer.refusal(), format!("503 overloaded {kind}"));
        assert_eq!(answer.head.header("retry-after"), Some("1"));
        assert_eq!(answer.head.header("x-should-retry"), None);
    }
    // A small one still fits, and uploads are not held at all.
    assert_eq!(proxy.client().post(CHAT, &[], &body("m")).status(), 200);
    let upload = vec![0; 300 << 10];
    assert_eq!(post(&mut proxy.client(), "/v1/files", &[], &upload).status(), 200);
    assert_eq!(first.send(last).answer().status(), 200);
    assert_eq!(held(), 0.0);
    assert_eq!(post(&mut proxy.client(), CHAT, &[], large.as_bytes()).status(), 200);
}
