//! TLS to providers: whom to trust, and what is not sent to anybody else.

use h2::server::Builder;
use rcgen::{CertificateParams, date_time_ymd};

use super::{API, refused};
use crate::support::h2::{H2Reply, H2Upstream};
use crate::support::proxy::Proxy;
use crate::support::refusal::{Caller, body};
use crate::support::tls::Ca;
use crate::support::upstream::{Closing, Upstream, json_answer};
use crate::support::yaml::{all_to, bearer, provider};

/// A provider at this URL that `ca` vouches for.
fn trusting(ca: &Ca, base_url: &str) -> String {
    let ca_bundle = serde_json::Value::from(ca.pem());
    provider("there", base_url, &format!("  tls: {{ caBundle: {ca_bundle} }}\n")) + &all_to("there")
}

fn serving(config: std::sync::Arc<rustls::ServerConfig>) -> Upstream {
    Upstream::start_tls(config, |connection| {
        while connection.request()?.is_some() {
            let alpn = connection.alpn()?.unwrap_or_default();
            let body = format!("{:?}", String::from_utf8_lossy(&alpn));
            connection.write(json_answer("200 OK", &body))?;
        }
        Ok(())
    })
}

#[test]
fn a_providers_own_ca_is_believed() {
    let ca = Ca::new();
    for (names, host, alpn) in
        [(&["localhost"][..], "localhost", &[b"http/1.1"][..]), (&["127.0.0.1"], "127.0.0.1", &[])]
    {
        let protocols: Vec<&[u8]> = alpn.iter().map(|name| &name[..]).collect();
        let upstream = serving(ca.server(names, &protocols));
        let proxy = Proxy::start(&trusting(&ca, &upstream.url_as(host)));
        let answer = Caller::Messages.ask(&mut proxy.client(), "m");
        let agreed = if alpn.is_empty() { "\"\"" } else { "\"http/1.1\"" };
        assert_eq!((answer.status(), answer.text()), (200, agreed));
        let request = &upstream.wait_requests(1)[0];
        let port = upstream.address().port();
        assert_eq!(request.head.header("host"), Some(format!("{host}:{port}").as_str()));
        assert_eq!(request.head.header("authorization"), Some(bearer("there").as_str()));
    }
}

/// FAULTS 43.
#[test]
fn fault_43_who_is_not_to_be_believed_is_told_nothing() {
    let ca = Ca::new();
    let for_localhost = || CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let mut expired = for_localhost();
    expired.not_before = date_time_ymd(2020, 1, 1);
    expired.not_after = date_time_ymd(2021, 1, 1);
    let mut early = for_localhost();
    early.not_before = date_time_ymd(2200, 1, 1);
    early.not_after = date_time_ymd(2201, 1, 1);
    let wrong_name = CertificateParams::new(vec!["other.example".to_owned()]).unwrap();
    for (what, config, reason) in [
        ("expired", ca.server_with(expired, &[]), "expired"),
        ("not yet valid", ca.server_with(early, &[]), "not valid yet"),
        ("wrong name", ca.server_with(wrong_name, &[]), "not valid for name"),
        ("unknown CA", Ca::new().server(&["localhost"], &[]), "invalid peer certificate"),
    ] {
        let upstream = serving(config);
        let proxy = Proxy::start(&trusting(&ca, &upstream.url_as("localhost")));
        refused(&proxy, "m", "502 connect_failed", API);
        let line = &proxy.wait_access_log(3)[0];
        let detail = line["detail"].as_str().unwrap();
        assert!(detail.contains(reason), "{what}: {detail}");
        let failed = proxy.metric("pillion_upstream_connects_total{result=\"failed\"}");
        assert_eq!(failed, Some(3.0), "{what}");
        assert!(matches!(upstream.wait_closed(0), Closing::Handshake(_)), "{what}");
        assert_eq!(upstream.requests().len(), 0, "{what}");
    }
}

/// FAULTS 43: another provider's CA is not believed, and plain text is no way out.
#[test]
fn fault_43_trust_is_a_providers_own_and_there_is_no_downgrade() {
    let ca = Ca::new();
    let upstream = serving(ca.server(&["localhost"], &[]));
    let base = upstream.url_as("localhost");
    let system_only = provider("system", &base, "");
    let rules = "[{ matches: [{ model: mine }], targets: [{ provider: { name: there } }] }, \
                  { targets: [{ provider: { name: system } }] }]";
    let there = trusting(&ca, &base).replace(&all_to("there"), "");
    let proxy = Proxy::start(&(there + &system_only + &crate::support::yaml::route("r", rules)));
    assert_eq!(Caller::Chat.ask(&mut proxy.client(), "mine").status(), 200);
    let other = Caller::Chat.ask(&mut proxy.client(), "other");
    assert_eq!(other.refusal(), "502 connect_failed openai/server_error");

    let plain = Upstream::start(|connection| {
        connection.write(json_answer("400 Bad Request", "{}"))?;
        connection.wait_left()
    });
    let base = format!("https://127.0.0.1:{}", plain.address().port());
    let proxy = Proxy::start(&trusting(&ca, &base));
    let answer = Caller::Chat.ask(&mut proxy.client(), "m");
    assert_eq!(answer.refusal(), "502 connect_failed openai/server_error");
    assert_eq!(plain.requests().len(), 0);
}

#[test]
fn http2_where_the_provider_offers_it() {
    let ca = Ca::new();
    let config = ca.server(&["127.0.0.1"], &[b"h2", b"http/1.1"]);
    let upstream =
        H2Upstream::start(Some(config), Builder::new(), |_| H2Reply::Whole(vec!["{\"a\":", "1}"]));
    let address = upstream.address();
    let proxy = Proxy::start(&trusting(&ca, &format!("https://{address}/apps/anthropic")));
    let mut client = proxy.client();
    for _ in 0..3 {
        let hop = [("connection", "x-hop"), ("x-hop", "1"), ("te", "trailers"), ("x-kept", "1")];
        let answer = client.post("/v1/messages?beta=true", &hop, &body("m"));
        assert_eq!((answer.status(), answer.text()), (200, "{\"a\":1}"));
    }
    let requests = upstream.wait_requests(3);
    assert_eq!(upstream.connections(), 1);
    for request in requests {
        let uri = format!("https://{address}/apps/anthropic/v1/messages?beta=true");
        assert_eq!(request.head.uri().to_string(), uri);
        assert_eq!(request.body, body("m").into_bytes());
        let header = |name: &str| {
            request.head.headers().get(name).map(|value| value.to_str().unwrap().to_owned())
        };
        assert_eq!(header("authorization"), Some(bearer("there")));
        assert_eq!(header("x-kept").as_deref(), Some("1"));
        for name in ["connection", "x-hop", "te", "transfer-encoding", "host"] {
            assert_eq!(header(name), None, "{name}");
        }
    }
}
