//! No connection, or none in time; and the ways out of a closed network.

use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use socket2::{Domain, Socket, Type};

use super::{API, TIMEOUT, refused};
use crate::support::gate::Gate;
use crate::support::proxy::{CANARY, Launch, Proxy};
use crate::support::refusal::Caller;
use crate::support::stream::nobodys_port;
use crate::support::tls::Ca;
use crate::support::tunnel::Tunnel;
use crate::support::upstream::{Closing, Upstream, json_answer};
use crate::support::yaml::{all_to, object, provider};

/// One rule for everything, with these timeouts.
fn with_timeouts(provider: &str, timeouts: &str) -> String {
    let rules = format!(
        "  rules: [{{ timeouts: {{ {timeouts} }}, targets: [{{ provider: {{ name: {provider} }} }}] }}]\n"
    );
    object("LlmRoute", "timed", &rules)
}

/// FAULTS 42.
#[test]
fn fault_42_a_refused_connection() {
    let (_taken, nobody) = nobodys_port();
    let proxy =
        Proxy::start(&(provider("there", &format!("http://{nobody}"), "") + &all_to("there")));
    refused(&proxy, "m", "502 connect_failed", API);
    let line = &proxy.wait_access_log(3)[0];
    let detail = line["detail"].as_str().unwrap();
    assert!(detail.contains(&nobody.to_string()) && detail.contains("refused"), "{line}");
    assert_eq!(proxy.metric("pillion_upstream_connects_total{result=\"failed\"}"), Some(3.0));
}

/// FAULTS 42.
#[test]
fn fault_42_a_name_without_an_address() {
    let yaml = provider("there", "http://nowhere.invalid", "") + &all_to("there");
    let proxy = Proxy::start(&yaml);
    refused(&proxy, "m", "502 connect_failed", API);
    let line = &proxy.wait_access_log(1)[0];
    let detail = line["detail"].as_str().unwrap();
    assert!(detail.contains("no address for nowhere.invalid"), "{line}");
}

/// A port that takes no connection and refuses none: its queue is full.
struct Blackhole {
    address: SocketAddr,
    _listener: Socket,
    _queue: Vec<TcpStream>,
}

impl Blackhole {
    fn new() -> Self {
        let listener = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
        listener.bind(&any.into()).unwrap();
        listener.listen(0).unwrap();
        let address = listener.local_addr().unwrap().as_socket().unwrap();
        let mut queue = Vec::new();
        // A connection within the queue stands at once; the first one beyond it never does.
        while let Ok(stream) = TcpStream::connect_timeout(&address, Duration::from_millis(100)) {
            queue.push(stream);
        }
        Self { address, _listener: listener, _queue: queue }
    }
}

/// FAULTS 42.
#[test]
fn fault_42_a_blackhole() {
    let blackhole = Blackhole::new();
    let yaml = provider("there", &format!("http://{}", blackhole.address), "")
        + &with_timeouts("there", "connect: 100ms");
    let proxy = Proxy::start(&yaml);
    refused(&proxy, "m", "504 connect_timeout", TIMEOUT);
}

/// FAULTS 42: the connect timeout covers TLS.
#[test]
fn fault_42_a_handshake_that_stops() {
    let upstream = Upstream::start(|connection| connection.wait_left());
    let base = format!("https://{}", upstream.address());
    let yaml = provider("there", &base, "") + &with_timeouts("there", "connect: 100ms");
    refused(&Proxy::start(&yaml), "m", "504 connect_timeout", TIMEOUT);
}

#[test]
fn an_answer_that_does_not_begin() {
    let upstream = Upstream::start(|connection| {
        connection.request()?;
        connection.wait_left()
    });
    let yaml = provider("there", &upstream.url(), "") + &with_timeouts("there", "firstByte: 100ms");
    let proxy = Proxy::start(&yaml);
    refused(&proxy, "m", "504 first_byte_timeout", TIMEOUT);
    // Each call had its own connection, which is closed: a late answer is nobody's.
    for index in 0..3 {
        assert!(matches!(upstream.wait_closed(index), Closing::Left(_)));
    }
    assert_eq!(upstream.requests().len(), 3, "a call was sent twice");
}

#[test]
fn the_wait_for_an_answer_begins_when_the_request_is_out() {
    let gate = Gate::default();
    let opened = gate.clone();
    let upstream = Upstream::start(move |connection| {
        let Some(head) = connection.head()? else {
            return Ok(());
        };
        opened.open();
        connection.body_of(head)?;
        connection.write(json_answer("200 OK", "{}"))
    });
    let yaml = provider("there", &upstream.url(), "") + &with_timeouts("there", "firstByte: 1s");
    let proxy = Launch::new().flag("--head-timeout", "2s").start(&yaml);
    let mut client = proxy.client();
    client.send("POST /v1/files HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\n{");
    gate.pass();
    // The time of a connection that says nothing: twice that of the answer's first byte.
    assert!(proxy.client().is_closed());
    client.send("}");
    assert_eq!(client.answer().status(), 200);
}

/// A provider over TLS that `ca` vouches for.
fn trusted(upstream: &Upstream, host: &str, ca: &Ca) -> String {
    let ca_bundle = serde_json::Value::from(ca.pem());
    provider("there", &upstream.url_as(host), &format!("  tls: {{ caBundle: {ca_bundle} }}\n"))
        + &all_to("there")
}

fn https(ca: &Ca) -> Upstream {
    Upstream::start_tls(ca.server(&["localhost"], &[b"http/1.1"]), |connection| {
        while connection.request()?.is_some() {
            connection.write(json_answer("200 OK", "{}"))?;
        }
        Ok(())
    })
}

#[test]
fn an_egress_proxy_is_gone_through_by_tunnel() {
    let ca = Ca::new();
    let upstream = https(&ca);
    let tunnel = Tunnel::start("HTTP/1.1 200 Connection established\r\n\r\n");
    let password = format!("p-{CANARY}");
    let proxy = Launch::new()
        .env("HTTPS_PROXY", &format!("http://user:{password}@{}", tunnel.address()))
        .env("NO_PROXY", "elsewhere.example,10.0.0.0/8")
        .start(&trusted(&upstream, "localhost", &ca));
    assert_eq!(Caller::Messages.ask(&mut proxy.client(), "m").status(), 200);
    assert_eq!(Caller::Messages.ask(&mut proxy.client(), "m").status(), 200);
    let asked = tunnel.asked();
    assert_eq!(asked.len(), 1, "the tunnel is kept for the next call");
    let to = format!("localhost:{}", upstream.address().port());
    assert_eq!(asked[0].first_line, format!("CONNECT {to} HTTP/1.1"));
    assert_eq!(asked[0].header("host"), Some(to.as_str()));
    assert!(asked[0].header("proxy-authorization").unwrap().starts_with("Basic "));
    assert_eq!(asked[0].header("authorization"), None);
    let arrived = &upstream.wait_requests(1)[0];
    assert_eq!(arrived.head.header("proxy-authorization"), None);
}

#[test]
fn an_egress_proxy_has_exceptions() {
    let ca = Ca::new();
    let (secure, plain) = (https(&ca), Upstream::replying(|_| json_answer("200 OK", "{}")));
    let tunnel = Tunnel::start("HTTP/1.1 200 OK\r\n\r\n");
    let through = format!("http://{}", tunnel.address());
    for (except, yaml) in [
        ("localhost", trusted(&secure, "localhost", &ca)),
        ("*", trusted(&secure, "localhost", &ca)),
        // HTTPS_PROXY is about https.
        ("", provider("there", &plain.url(), "") + &all_to("there")),
    ] {
        let launch = Launch::new().env("HTTPS_PROXY", &through).env("NO_PROXY", except);
        let proxy = launch.start(&yaml);
        assert_eq!(Caller::Messages.ask(&mut proxy.client(), "m").status(), 200, "{except}");
    }
    assert_eq!(tunnel.asked().len(), 0);
}

#[test]
fn an_egress_proxy_that_refuses() {
    let ca = Ca::new();
    let upstream = https(&ca);
    let tunnel =
        Tunnel::start("HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n");
    let launch = Launch::new().env("https_proxy", &format!("http://{}", tunnel.address()));
    let proxy = launch.start(&trusted(&upstream, "localhost", &ca));
    refused(&proxy, "m", "502 connect_failed", API);
    let line = &proxy.wait_access_log(3)[0];
    assert!(line["detail"].as_str().unwrap().contains("407"), "{line}");
    assert_eq!(upstream.connections(), 0);
}
