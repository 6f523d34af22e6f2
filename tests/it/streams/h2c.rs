//! Callers with HTTP/2 by prior knowledge, and providers with HTTP/2 by ALPN.

use bytes::Bytes;
use h2::Reason;
use socket2::{Domain, Socket, Type};

use super::{ask, expect, proxy_to, rest, whole};
use crate::support::client::Client;
use crate::support::dialects::{CHAT, DIALECTS, streaming};
use crate::support::gate::Gate;
use crate::support::h2::{H2Recorded, H2Reply, H2Upstream};
use crate::support::h2_client::{H2Client, H2End};
use crate::support::metrics::wait_sum;
use crate::support::proxy::{Launch, Proxy};
use crate::support::stream::Stream;
use crate::support::tls::Ca;
use crate::support::upstream::{Closing, LAST_CHUNK, chunk};
use crate::support::yaml::{all_to, provider};

#[test]
fn an_h2c_caller_gets_a_stream_from_an_http_1_provider_as_it_comes() {
    for dialect in DIALECTS {
        let gate = Gate::default();
        let held = gate.clone();
        let upstream = streaming(dialect.first, move |connection| {
            held.pass();
            connection.write(chunk(dialect.last))?;
            connection.write(LAST_CHUNK)
        });
        let proxy = proxy_to(&upstream.url());
        let mut client = H2Client::connect(proxy.address());
        let mut answer = client.post(dialect.target, dialect.body);
        assert_eq!(answer.head.status(), 200);
        assert_eq!(client.piece(&mut answer), Ok(dialect.first.as_bytes().to_vec()));
        gate.open();
        assert_eq!(client.rest(&mut answer), (dialect.last.to_owned(), H2End::Whole));
        // What goes upstream is HTTP/1.1 with a host of its own.
        let sent = &upstream.requests()[0];
        let host = upstream.address().to_string();
        assert_eq!(sent.head.header("host"), Some(host.as_str()));
        assert_eq!((sent.text(), sent.target()), (dialect.body, dialect.target));
    }
}

#[test]
fn an_h2c_caller_sees_a_break_as_a_reset_or_an_error_event() {
    for dialect in DIALECTS {
        let whole = streaming(dialect.first, |connection| connection.close());
        let proxy = proxy_to(&whole.url());
        let mut client = H2Client::connect(proxy.address());
        let mut answer = client.post(dialect.target, dialect.body);
        let (text, end) = client.rest(&mut answer);
        let after = text.strip_prefix(dialect.first).unwrap();
        assert!(after.starts_with(dialect.error), "{after:?}");
        assert_eq!(end, H2End::Whole);
    }
    let within = streaming("data: {\"cut", |connection| connection.close());
    let proxy = proxy_to(&within.url());
    let mut client = H2Client::connect(proxy.address());
    let mut answer = client.post(CHAT.target, CHAT.body);
    let (_, end) = client.rest(&mut answer);
    assert!(matches!(end, H2End::Reset(_)), "{end:?}");
}

#[test]
fn fault_14_an_h2c_caller_that_leaves_one_call_keeps_the_others() {
    let upstream = streaming(CHAT.first, |connection| connection.wait_left());
    let proxy = proxy_to(&upstream.url());
    let mut client = H2Client::connect(proxy.address());
    let mut first = client.post(CHAT.target, CHAT.body);
    let mut second = client.post(CHAT.target, CHAT.body);
    client.piece(&mut first).unwrap();
    client.piece(&mut second).unwrap();
    wait_sum(&proxy, "pillion_open_streams", &[], 2.0);
    client.cancel(first);
    assert!(matches!(upstream.wait_closed(0), Closing::Left(_)));
    wait_sum(&proxy, "pillion_open_streams", &[], 1.0);
    drop((client, second));
    assert!(matches!(upstream.wait_closed(1), Closing::Left(_)));
    wait_sum(&proxy, "pillion_open_connections", &[], 0.0);
    for line in proxy.wait_access_log(2) {
        assert_eq!((&line["outcome"], &line["input_tokens"]), (&"client_closed".into(), &7.into()));
    }
}

fn over_h2(reply: H2Reply) -> (H2Upstream, Proxy) {
    scripted(move |_| reply.clone())
}

/// A provider with HTTP/2 only, behind TLS, and a proxy that trusts it.
fn scripted(
    script: impl Fn(&H2Recorded) -> H2Reply + Send + Sync + 'static,
) -> (H2Upstream, Proxy) {
    let ca = Ca::new();
    let config = ca.server(&["127.0.0.1"], &[b"h2"]);
    let upstream = H2Upstream::start(Some(config), h2::server::Builder::new(), script);
    let pem = ca.pem().lines().map(|line| format!("      {line}\n")).collect::<String>();
    let tls = format!("  tls:\n    caBundle: |\n{pem}");
    let url = format!("https://{}", upstream.address());
    let proxy = Launch::new().start(&(provider("there", &url, &tls) + &all_to("there")));
    (upstream, proxy)
}

/// H2 scripts send no content type; the end of what they say is their framing's.
#[test]
fn streams_come_from_an_h2_provider_to_callers_of_both_kinds() {
    let (upstream, proxy) = over_h2(H2Reply::Whole(vec![CHAT.first, CHAT.last]));
    let mut client = proxy.client();
    ask(&mut client, &CHAT).head();
    assert_eq!(rest(&mut client), (CHAT.whole(), whole()));
    let mut client = H2Client::connect(proxy.address());
    let mut answer = client.post(CHAT.target, CHAT.body);
    assert_eq!(client.rest(&mut answer), (CHAT.whole(), H2End::Whole));
    let sent = upstream.wait_requests(2);
    assert_eq!(sent[1].body, CHAT.body.as_bytes());
    assert_eq!(sent[1].head.uri().path(), CHAT.target);
    assert_eq!(upstream.connections(), 1);
}

#[test]
fn fault_45_a_reset_of_an_h2_provider_is_no_clean_end() {
    let (_upstream, proxy) = over_h2(H2Reply::Cut(vec![CHAT.first], Reason::INTERNAL_ERROR));
    let answer = ask(&mut proxy.client(), &CHAT).answer();
    assert!(!answer.is_whole());
    assert_eq!(answer.text(), CHAT.first);
    let mut client = H2Client::connect(proxy.address());
    let mut answer = client.post(CHAT.target, CHAT.body);
    assert!(matches!(client.rest(&mut answer).1, H2End::Reset(_)));
}

#[test]
fn fault_14_leaving_resets_the_stream_of_an_h2_provider() {
    let (upstream, proxy) = over_h2(H2Reply::Silent(vec![CHAT.first]));
    let mut client = proxy.client();
    ask(&mut client, &CHAT).head();
    expect(&mut client, CHAT.first);
    drop(client);
    assert_eq!(upstream.wait_reset(), Reason::CANCEL);
    wait_sum(&proxy, "pillion_open_streams", &[], 0.0);
    assert_eq!(proxy.wait_access_log(1)[0]["outcome"], "client_closed");
}

/// A client that the kernel keeps little for, so that what it leaves unread stays in the proxy.
fn narrow(proxy: &Proxy) -> Client {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.set_recv_buffer_size(64 << 10).unwrap();
    socket.connect(&proxy.address().into()).unwrap();
    Client::over(Stream::Plain(socket.into()))
}

/// FAULTS 58, 59: neither the connection's window nor its budget of small frames belongs to one
/// reader.
#[test]
fn fault_59_a_reader_who_stops_holds_up_nobody_else_on_its_h2_connection() {
    const EVENTS: usize = 30_000;
    let event = format!(": {}\n\n", "x".repeat(96));
    let frame = Bytes::from(event.clone());
    let (upstream, proxy) =
        scripted(move |request| match &request.body[..] == CHAT.body.as_bytes() {
            true => H2Reply::Answer(http::Response::new(()), vec![frame.clone(); EVENTS]),
            false => H2Reply::Whole(vec!["{}"]),
        });
    let mut stopped = narrow(&proxy);
    ask(&mut stopped, &CHAT).head();
    let mut other = proxy.client();
    for _ in 0..500 {
        assert_eq!(other.post(CHAT.target, &[], "{\"model\":\"m\"}").text(), "{}");
    }
    assert_eq!(rest(&mut stopped), (event.repeat(EVENTS), whole()));
    assert_eq!(upstream.connections(), 1);
}
