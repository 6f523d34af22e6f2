//! FAULTS 58: what an upstream can do in HTTP/2.

use std::sync::atomic::{AtomicUsize, Ordering};

use h2::Reason;
use h2::server::Builder;

use crate::support::client::request;
use crate::support::dialects::CHAT;
use crate::support::h2::{H2Recorded, H2Reply, H2Upstream};
use crate::support::proxy::{Launch, Proxy};
use crate::support::refusal::Caller;
use crate::support::tls::Ca;
use crate::support::wire::Piece;
use crate::support::yaml::{provider, route};

/// An upstream with HTTP/2 only, and a proxy that trusts it and is in a hurry.
fn over_h2(
    settings: Builder,
    script: impl Fn(&H2Recorded) -> H2Reply + Send + Sync + 'static,
) -> (H2Upstream, Proxy) {
    let ca = Ca::new();
    let config = ca.server(&["127.0.0.1"], &[b"h2"]);
    let upstream = H2Upstream::start(Some(config), settings, script);
    let pem = ca.pem().lines().map(|line| format!("      {line}\n")).collect::<String>();
    let tls = format!("  tls:\n    caBundle: |\n{pem}");
    let url = format!("https://{}", upstream.address());
    let rule =
        "[{ name: all, targets: [{ provider: { name: there } }], timeouts: { firstByte: 1s } }]";
    let proxy = Launch::new().start(&(provider("there", &url, &tls) + &route("r", rule)));
    (upstream, proxy)
}

fn whole() -> H2Reply {
    H2Reply::Whole(vec!["{}"])
}

/// One answer after another, by the number of the request.
fn in_turn(replies: Vec<H2Reply>) -> impl Fn(&H2Recorded) -> H2Reply + Send + Sync {
    let next = AtomicUsize::new(0);
    move |_| {
        let number = next.fetch_add(1, Ordering::SeqCst);
        replies.get(number).cloned().unwrap_or_else(whole)
    }
}

#[test]
fn fault_58_after_a_goaway_calls_go_to_a_new_connection() {
    let (upstream, proxy) = over_h2(Builder::new(), in_turn(vec![H2Reply::Last, H2Reply::Last]));
    for _ in 0..3 {
        assert_eq!(Caller::Chat.ask(&mut proxy.client(), "m").status(), 200);
    }
    assert_eq!(upstream.connections(), 3);
}

#[test]
fn fault_58_a_refused_stream_is_tried_once_more() {
    let refused = || H2Reply::Reset(Reason::REFUSED_STREAM);
    let script = in_turn(vec![whole(), refused(), whole(), refused(), refused()]);
    let (upstream, proxy) = over_h2(Builder::new(), script);
    for (status, requests) in [(200, 1), (200, 3), (502, 5)] {
        assert_eq!(Caller::Messages.ask(&mut proxy.client(), "m").status(), status);
        assert_eq!(upstream.wait_requests(requests).len(), requests);
    }
}

#[test]
fn fault_58_any_other_reset_is_not_repeated() {
    let reset = H2Reply::Reset(Reason::INTERNAL_ERROR);
    let (upstream, proxy) = over_h2(Builder::new(), in_turn(vec![whole(), reset]));
    assert_eq!(Caller::Chat.ask(&mut proxy.client(), "m").status(), 200);
    let answer = Caller::Messages.ask(&mut proxy.client(), "m");
    assert_eq!(answer.refusal(), "502 upstream_broken anthropic/api_error");
    assert_eq!(upstream.wait_requests(2).len(), 2);
}

#[test]
fn fault_58_one_stream_at_a_time_makes_nobody_wait() {
    let mut settings = Builder::new();
    settings.max_concurrent_streams(1);
    let (upstream, proxy) =
        over_h2(settings, in_turn(vec![whole(), H2Reply::Silent(vec![CHAT.first])]));
    assert_eq!(Caller::Chat.ask(&mut proxy.client(), "m").status(), 200);
    let mut open = proxy.client();
    open.send(request("POST", CHAT.target, &[], CHAT.body)).head();
    assert_eq!(open.piece(), Piece::Bytes(CHAT.first.into()));
    assert_eq!(Caller::Chat.ask(&mut proxy.client(), "m").status(), 200);
    assert_eq!(upstream.connections(), 2);
}

#[test]
fn fault_58_a_window_of_zero_stalls_its_own_call_only() {
    let mut settings = Builder::new();
    settings.initial_window_size(0);
    let (upstream, proxy) = over_h2(settings, |_| whole());
    // What is sent before the settings have come has the window of a connection without any.
    assert_eq!(proxy.client().get("/v1/files", &[]).status(), 200);
    let mut stalled = proxy.client();
    stalled.send(request("POST", CHAT.target, &[], CHAT.body));
    for _ in 0..3 {
        assert_eq!(proxy.client().get("/v1/files", &[]).status(), 200);
    }
    let answer = stalled.answer();
    assert_eq!(answer.refusal(), "504 first_byte_timeout openai/server_error");
    assert_eq!(upstream.connections(), 1);
}
