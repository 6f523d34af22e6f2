//! The tools tried on each other: what they claim to see is what was sent.

use std::fs;
use std::io::ErrorKind;

use super::client::{Client, request};
use super::gate::Gate;
use super::h2::{H2Reply, H2Upstream};
use super::manifests::Manifests;
use super::stream::Stream;
use super::tls::Ca;
use super::upstream::{Closing, LAST_CHUNK, STREAM_HEAD, Upstream, chunk, json_answer};
use super::wire::{End, Piece};

#[test]
fn requests_are_recorded_as_they_were_sent() {
    let upstream = Upstream::replying(|_| json_answer("200 OK", "{\"ok\": true}"));
    let mut client = Client::connect(upstream.address());
    let sent = "POST /v1/x?a=%2F HTTP/1.1\r\nHoSt: a\r\nX-B: 1\r\nx-b:2 \r\n\
                Transfer-Encoding: chunked\r\n\r\n3;ext=1\r\nabc\r\n2\r\nde\r\n0\r\nt: 1\r\n\r\n";
    let answer = client.send(sent).answer();
    assert_eq!((answer.status(), answer.is_whole()), (200, true));
    assert_eq!(answer.json()["ok"], true);
    assert_eq!(answer.head.header("Content-Type"), Some("application/json"));

    let body = "{\"model\":\"m\"}";
    assert_eq!(client.post("/v1/y", &[("x-c", "3")], body).text(), "{\"ok\": true}");
    assert_eq!(client.get("/v1/z", &[]).status(), 200);

    let requests = upstream.wait_requests(3);
    assert_eq!(requests.len(), upstream.requests().len());
    let [first, second, third] = &requests[..] else { panic!("{requests:?}") };
    assert!(sent.as_bytes().starts_with(&first.head.raw));
    assert_eq!((first.method(), first.target(), first.text()), ("POST", "/v1/x?a=%2F", "abcde"));
    assert_eq!(first.end, End::Whole(vec![("t".to_owned(), "1".to_owned())]));
    assert_eq!(first.head.headers[0], ("HoSt".to_owned(), "a".to_owned()));
    assert_eq!(first.head.all("X-B"), ["1", "2"]);
    assert_eq!((second.text(), second.connection), (body, 0));
    assert_eq!((third.method(), third.body.len()), ("GET", 0));
    assert_eq!(upstream.connections(), 1);
    assert!(upstream.url().starts_with("http://127.0.0.1:"));
    drop(client);
    assert_eq!(upstream.wait_closed(0), Closing::Done);
}

#[test]
fn a_stream_is_seen_chunk_by_chunk_and_its_cut_is_no_end() {
    let gate = Gate::default();
    let script_gate = gate.clone();
    let upstream = Upstream::start(move |connection| {
        connection.request()?;
        connection.write(STREAM_HEAD)?;
        connection.write(chunk("data: 1\n\n"))?;
        script_gate.pass();
        connection.write(chunk("data: 2\n\n"))?;
        match connection.index {
            0 => connection.write(LAST_CHUNK),
            1 => connection.close(),
            _ => connection.reset(),
        }
    });
    for end in [End::Whole(Vec::new()), End::Cut(ErrorKind::UnexpectedEof)] {
        let mut client = Client::connect(upstream.address());
        client.send(request("POST", "/", &[], "{}"));
        assert_eq!(client.head().status(), 200);
        assert_eq!(client.piece(), Piece::Bytes(b"data: 1\n\n".to_vec()));
        gate.open();
        assert_eq!(client.piece(), Piece::Bytes(b"data: 2\n\n".to_vec()));
        assert_eq!(client.piece(), Piece::End(end));
        assert!(client.is_closed());
    }
    let answer = Client::connect(upstream.address()).post("/", &[], "{}");
    assert!(matches!(answer.end, End::Cut(_)), "{:?}", answer.end);
}

#[test]
fn a_client_that_leaves_is_seen() {
    let upstream = Upstream::start(|connection| {
        connection.request()?;
        connection.write(STREAM_HEAD)?;
        connection.wait_left()
    });
    let leave: [fn(Client); 3] = [drop, Client::reset, |mut client| client.finish()];
    for (index, leave) in leave.into_iter().enumerate() {
        let mut client = Client::connect(upstream.address());
        client.send(request("POST", "/", &[], "{}"));
        client.head();
        leave(client);
        let closing = upstream.wait_closed(index);
        assert!(matches!(closing, Closing::Left(_)), "{closing:?}");
    }
}

#[test]
fn a_request_cut_off_is_recorded_as_cut() {
    let upstream = Upstream::replying(|_| json_answer("200 OK", "{}"));
    let mut client = Client::connect(upstream.address());
    client.send("POST / HTTP/1.1\r\ncontent-length: 5\r\n\r\nab").finish();
    assert_eq!(upstream.wait_closed(0), Closing::Left(ErrorKind::UnexpectedEof));
    let requests = upstream.requests();
    assert_eq!(
        (requests[0].text(), requests[0].end.clone()),
        ("ab", End::Cut(ErrorKind::UnexpectedEof))
    );
    assert!(client.try_send("cde").is_err() || client.is_closed());
}

#[test]
fn a_script_may_answer_before_the_body() {
    let upstream = Upstream::start(|connection| {
        let head = connection.head()?.unwrap();
        connection.write("HTTP/1.1 100 Continue\r\n\r\n")?;
        connection.body_of(head)?;
        connection.write("HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 200 OK\r\n")?;
        connection.write("content-length: 7\r\n\r\n")
    });
    let mut client = Client::connect(upstream.address());
    client.send("PUT / HTTP/1.1\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n");
    assert_eq!(client.answer().status(), 100);
    assert_eq!(client.send("ab").answer().status(), 204);
    assert_eq!(client.answer_to_head().header("content-length"), Some("7"));
    assert!(client.is_closed());
    assert_eq!(upstream.requests()[0].text(), "ab");
}

#[test]
fn tls_and_alpn() {
    let ca = Ca::new();
    assert!(ca.pem().contains("BEGIN CERTIFICATE"));
    let server = ca.server(&["llm.test", "127.0.0.1"], &[b"h2", b"http/1.1"]);
    let upstream = Upstream::start_tls(server, |connection| {
        connection.request()?;
        let alpn = connection.alpn()?.unwrap();
        connection.write(json_answer("200 OK", std::str::from_utf8(&alpn).unwrap()))?;
        connection.write("HTTP/1.1 200 OK\r\n\r\nun")?;
        connection.truncate()
    });
    assert!(upstream.url_as("llm.test").starts_with("https://llm.test:"));
    let connect =
        |ca: &Ca, name| Stream::connect_tls(upstream.address(), name, ca.client(&[b"http/1.1"]));
    let mut client = Client::over(connect(&ca, "llm.test").unwrap());
    assert_eq!(client.get("/", &[]).text(), "http/1.1");
    let truncated = client.answer();
    assert_eq!(truncated.text(), "un");
    assert_eq!(truncated.end, End::Cut(ErrorKind::UnexpectedEof));

    assert!(connect(&ca, "other.test").is_err());
    assert!(connect(&Ca::new(), "llm.test").is_err());
    assert!(matches!(upstream.wait_closed(1), Closing::Handshake(_)));
}

#[test]
fn folders_are_swapped_as_the_kubelet_does() {
    let manifests = Manifests::new();
    let read = |name: &str| fs::read_to_string(manifests.path().join(name)).ok();
    manifests.write("a.yaml", "1").mount("one", &[("b.yaml", "1")]);
    assert_eq!((read("a.yaml"), read("b.yaml")), (Some("1".into()), Some("1".into())));
    manifests.remove("a.yaml").mount("two", &[("b.yaml", "2")]);
    assert_eq!((read("a.yaml"), read("b.yaml")), (None, Some("2".into())));
}

/// Sends one request and reads the answer: the bytes, and how it went wrong if it did.
async fn call(
    client: &mut h2::client::SendRequest<bytes::Bytes>,
    body: &'static str,
) -> (Vec<u8>, Option<h2::Reason>) {
    let request = http::Request::post("http://llm.test/v1/x").body(()).unwrap();
    let mut client = client.clone().ready().await.unwrap();
    let (answer, mut send) = client.send_request(request, false).unwrap();
    send.send_data(body.into(), true).unwrap();
    let mut bytes = Vec::new();
    let mut body = match answer.await {
        Ok(answer) => answer.into_body(),
        Err(error) => return (bytes, error.reason()),
    };
    while let Some(data) = body.data().await {
        match data {
            Ok(data) => bytes.extend_from_slice(&data),
            Err(error) => return (bytes, error.reason()),
        }
        if bytes == b"silent" {
            break;
        }
    }
    (bytes, None)
}

#[test]
fn http2_is_spoken_frame_by_frame() {
    let ca = Ca::new();
    let tls = ca.server(&["llm.test"], &[b"h2"]);
    let mut settings = h2::server::Builder::new();
    settings.max_concurrent_streams(1);
    let upstream = H2Upstream::start(Some(tls), settings, |request| match &request.body[..] {
        b"whole" => H2Reply::Whole(vec!["a", "b"]),
        b"cut" => H2Reply::Cut(vec!["a"], h2::Reason::INTERNAL_ERROR),
        b"silent" => H2Reply::Silent(vec!["silent"]),
        b"last" => H2Reply::Last,
        _ => H2Reply::Reset(h2::Reason::REFUSED_STREAM),
    });
    let talk = async {
        let tcp = tokio::net::TcpStream::connect(upstream.address()).await.unwrap();
        let connector = tokio_rustls::TlsConnector::from(ca.client(&[b"h2"]));
        let tls = connector.connect("llm.test".try_into().unwrap(), tcp).await.unwrap();
        let (mut client, connection) = h2::client::handshake(tls).await.unwrap();
        let connection = tokio::task::spawn_local(connection);
        assert_eq!(call(&mut client, "whole").await, (b"ab".to_vec(), None));
        let cut = (b"a".to_vec(), Some(h2::Reason::INTERNAL_ERROR));
        assert_eq!(call(&mut client, "cut").await, cut);
        let refused = (Vec::new(), Some(h2::Reason::REFUSED_STREAM));
        assert_eq!(call(&mut client, "refuse").await, refused);
        assert_eq!(call(&mut client, "silent").await.0, b"silent");
        assert_eq!(call(&mut client, "last").await, (Vec::new(), None));
        // It ends; whether our own GOAWAY still reached the upstream is a race that nobody minds.
        drop(connection.await.unwrap());
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    tokio::task::LocalSet::new().block_on(&runtime, talk);
    assert_eq!(upstream.wait_reset(), h2::Reason::CANCEL);
    let requests = upstream.wait_requests(5);
    assert_eq!((requests[0].connection, upstream.connections()), (0, 1));
    assert_eq!(requests[0].head.uri().path(), "/v1/x");
}
