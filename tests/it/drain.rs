//! FAULTS 61: a graceful end, and what happens when it takes too long.

use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::support::client::{Client, request};
use crate::support::dialects::{CHAT, DIALECTS, Dialect, streaming};
use crate::support::gate::Gate;
use crate::support::proxy::{Launch, Proxy};
use crate::support::upstream::{LAST_CHUNK, Upstream, chunk};
use crate::support::wire::{End, Piece};
use crate::support::yaml::{all_to, provider};

fn started(launch: Launch, upstream: &Upstream) -> Proxy {
    launch.start(&(provider("there", &upstream.url(), "") + &all_to("there")))
}

/// A stream whose first event has come.
fn begun(proxy: &Proxy, dialect: &Dialect) -> Client {
    let mut client = proxy.client();
    client.send(request("POST", dialect.target, &[], dialect.body)).head();
    assert_eq!(client.piece(), Piece::Bytes(dialect.first.into()));
    client
}

/// SIGTERM, until the proxy has heard it.
fn terminate(proxy: &Proxy) {
    proxy.terminate();
    proxy.wait_log(|line| line["message"].as_str().unwrap().starts_with("shutting down"));
}

fn silent(dialect: &Dialect) -> Upstream {
    streaming(dialect.first, |connection| connection.wait_left())
}

#[test]
fn fault_61_not_ready_at_once_late_callers_are_served_and_streams_finish() {
    let gate = Gate::default();
    let held = gate.clone();
    let upstream = streaming(CHAT.first, move |connection| {
        held.pass();
        connection.write(chunk(CHAT.last))?;
        connection.write(LAST_CHUNK)
    });
    let launch = Launch::new().flag("--leave-delay", "2s").flag("--grace", "10m");
    let mut proxy = started(launch, &upstream);
    assert_eq!(proxy.page("/readyz").0, 200);
    let mut old = begun(&proxy, &CHAT);
    let mut idle = proxy.client();
    assert_eq!(idle.get("/", &[]).status(), 200);

    terminate(&proxy);
    assert_eq!((proxy.page("/readyz").0, proxy.page("/livez").0), (503, 200));
    let mut late = begun(&proxy, &CHAT);
    // Then idle connections are closed, and no new one is taken.
    assert!(idle.is_closed());
    assert!(TcpStream::connect(proxy.address()).is_err());
    assert_eq!(proxy.page("/readyz").0, 503);

    gate.open();
    for client in [&mut old, &mut late] {
        assert_eq!(client.piece(), Piece::Bytes(CHAT.last.into()));
        assert_eq!(client.piece(), Piece::End(End::Whole(Vec::new())));
        assert!(client.is_closed());
    }
    assert!(proxy.wait_exit().success());
    let lines = proxy.wait_access_log(3);
    assert!(lines.iter().all(|line| line["outcome"] == "served"), "{lines:?}");
}

#[test]
fn fault_61_at_the_limit_streams_end_with_an_error_event() {
    for dialect in DIALECTS {
        let upstream = silent(&dialect);
        let mut proxy = started(Launch::new().flag("--grace", "100ms"), &upstream);
        let mut client = begun(&proxy, &dialect);
        terminate(&proxy);
        let Piece::Bytes(event) = client.piece() else { panic!("no error event") };
        let event = String::from_utf8(event).unwrap();
        assert!(event.starts_with(dialect.error), "{event}");
        assert!(event.contains("the proxy is shutting down"), "{event}");
        assert_eq!(client.piece(), Piece::End(End::Whole(Vec::new())));
        assert!(proxy.wait_exit().success());
        let line = &proxy.wait_access_log(1)[0];
        assert_eq!((&line["outcome"], &line["input_tokens"]), (&"shutting_down".into(), &7.into()));
    }
}

#[test]
fn fault_61_at_the_limit_what_takes_no_event_is_broken_or_refused() {
    let half = streaming("data: {\"half", |connection| connection.wait_left());
    let mut proxy = started(Launch::new().flag("--grace", "100ms"), &half);
    let mut within = proxy.client();
    within.send(request("POST", CHAT.target, &[], CHAT.body)).head();
    within.piece();
    terminate(&proxy);
    assert!(matches!(within.piece(), Piece::End(End::Cut(_))));
    assert!(proxy.wait_exit().success());

    let mute = Upstream::start(|connection| {
        connection.request()?;
        connection.wait_left()
    });
    let mut proxy = started(Launch::new().flag("--grace", "100ms"), &mute);
    let mut waiting = proxy.client();
    waiting.send(request("POST", CHAT.target, &[], CHAT.body));
    mute.wait_requests(1);
    terminate(&proxy);
    let answer = waiting.answer();
    assert_eq!(
        (answer.status(), answer.head.header("x-pillion-reason")),
        (503, Some("shutting_down"))
    );
    assert!(proxy.wait_exit().success());
}

/// Long before any grace of these tests is over.
const SOON: Duration = Duration::from_secs(10);

#[test]
fn fault_61_a_second_signal_ends_at_once() {
    for delay in ["0s", "10m"] {
        let upstream = silent(&CHAT);
        let launch = Launch::new().flag("--grace", "10m").flag("--leave-delay", delay);
        let mut proxy = started(launch, &upstream);
        let mut client = begun(&proxy, &CHAT);
        terminate(&proxy);
        let second = Instant::now();
        proxy.terminate();
        let Piece::Bytes(event) = client.piece() else { panic!("no error event") };
        assert!(event.starts_with(CHAT.error.as_bytes()), "--leave-delay {delay}");
        assert!(proxy.wait_exit().success());
        assert!(second.elapsed() < SOON);
    }
}

#[test]
fn fault_61_without_calls_the_end_is_there_at_once() {
    let upstream = silent(&CHAT);
    let mut proxy = started(Launch::new().flag("--grace", "10m"), &upstream);
    let mut idle = proxy.client();
    assert_eq!(idle.get("/", &[]).status(), 200);
    let began = Instant::now();
    proxy.terminate();
    assert!(idle.is_closed());
    assert!(proxy.wait_exit().success());
    assert!(began.elapsed() < SOON);
    assert!(TcpStream::connect(proxy.admin()).is_err());
}
