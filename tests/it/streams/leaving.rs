//! FAULTS 14: a caller that leaves takes its upstream call with it.

use std::thread;
use std::time::{Duration, Instant};

use super::{ask, expect, proxy_to};
use crate::support::client::Client;
use crate::support::dialects::{CHAT, DIALECTS, MESSAGES, streaming};
use crate::support::metrics::wait_sum;
use crate::support::process::{descriptors, resident};
use crate::support::proxy::Proxy;
use crate::support::upstream::{Closing, Upstream};

/// As FAULTS 14 has it.
const AT_ONCE: Duration = Duration::from_secs(1);

const WAYS: [fn(Client); 3] = [drop, Client::reset, |mut client| client.finish()];

#[test]
fn fault_14_leaving_mid_stream_ends_the_upstream_call() {
    for dialect in DIALECTS {
        let upstream = streaming(dialect.first, |connection| connection.wait_left());
        let proxy = proxy_to(&upstream.url());
        for (index, leave) in WAYS.into_iter().enumerate() {
            let mut client = proxy.client();
            ask(&mut client, &dialect).head();
            expect(&mut client, dialect.first);
            let left = Instant::now();
            leave(client);
            assert!(matches!(upstream.wait_closed(index), Closing::Left(_)));
            assert!(left.elapsed() < AT_ONCE, "{:?}", left.elapsed());
        }
        for line in proxy.wait_access_log(WAYS.len()) {
            assert_eq!((&line["outcome"], &line["status"]), (&"client_closed".into(), &200.into()));
            assert_eq!((&line["input_tokens"], &line["output_tokens"]), (&7.into(), &3.into()));
        }
        assert_nothing_open(&proxy);
        let counted = &[("outcome", "client_closed"), ("api", dialect.api)];
        wait_sum(&proxy, "pillion_requests_total", counted, 3.0);
        wait_sum(&proxy, "gen_ai_client_token_usage_sum", &[("gen_ai_token_type", "input")], 21.0);
    }
}

#[test]
fn fault_14_leaving_before_the_first_byte_ends_the_upstream_call() {
    let upstream = Upstream::start(|connection| {
        connection.request()?;
        connection.wait_left()
    });
    let proxy = proxy_to(&upstream.url());
    for (index, leave) in WAYS.into_iter().enumerate() {
        let mut client = proxy.client();
        ask(&mut client, &CHAT);
        upstream.wait_requests(index + 1);
        let left = Instant::now();
        leave(client);
        assert!(matches!(upstream.wait_closed(index), Closing::Left(_)));
        assert!(left.elapsed() < AT_ONCE, "{:?}", left.elapsed());
    }
    for line in proxy.wait_access_log(WAYS.len()) {
        assert_eq!(
            (&line["outcome"], &line["provider"]),
            (&"client_closed".into(), &"default/there".into())
        );
    }
    assert_nothing_open(&proxy);
}

/// So many streams are begun and left, by several callers at once.
const CALLERS: usize = 4;
const WARM_UP: usize = 500;
const LEFT: usize = 2000;
/// What resident memory may grow by over [`LEFT`] streams: half a KiB each. Measured: 40 KiB over
/// all of them together (debug build, one worker, x86-64 Linux).
const GROWTH: u64 = 1 << 20;

#[test]
fn fault_14_two_thousand_streams_left_leave_nothing_behind() {
    let upstream = streaming(MESSAGES.first, |connection| connection.wait_left());
    let proxy = proxy_to(&upstream.url());
    leave_many(&proxy, WARM_UP);
    let (before, open) = (resident(proxy.pid()), descriptors(proxy.pid()));
    leave_many(&proxy, LEFT);
    let after = resident(proxy.pid());
    let grown = after.saturating_sub(before);
    assert!(grown <= GROWTH, "{} KiB more after {LEFT} streams", grown >> 10);
    // Connections to the admin port, which come and go.
    assert!(descriptors(proxy.pid()) <= open + 4);
    for index in 0..WARM_UP + LEFT {
        assert!(matches!(upstream.wait_closed(index), Closing::Left(_)));
    }
    let closed = &[("outcome", "client_closed")];
    wait_sum(&proxy, "pillion_requests_total", closed, (WARM_UP + LEFT) as f64);
    let tokens = 7.0 * (WARM_UP + LEFT) as f64;
    wait_sum(&proxy, "gen_ai_client_token_usage_sum", &[("gen_ai_token_type", "input")], tokens);
}

fn leave_many(proxy: &Proxy, count: usize) {
    thread::scope(|scope| {
        for _ in 0..CALLERS {
            scope.spawn(|| {
                for turn in 0..count / CALLERS {
                    let mut client = proxy.client();
                    ask(&mut client, &MESSAGES).head();
                    expect(&mut client, MESSAGES.first);
                    WAYS[turn % WAYS.len()](client);
                }
            });
        }
    });
    assert_nothing_open(proxy);
}

fn assert_nothing_open(proxy: &Proxy) {
    wait_sum(proxy, "pillion_open_streams", &[], 0.0);
    wait_sum(proxy, "pillion_open_connections", &[], 0.0);
}
