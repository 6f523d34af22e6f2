//! After hostile connections, on both sides: nothing is left of them.

use std::thread;
use std::time::Instant;

use super::{PASSED, exchange, hasty};
use crate::support::GUARD;
use crate::support::client::request;
use crate::support::metrics::wait_sum;
use crate::support::process::{descriptors, resident, threads};
use crate::support::proxy::Proxy;
use crate::support::upstream::{Upstream, json_answer};

/// One round; each makes and loses a connection, or several.
const REQUESTS: [&str; 12] = [
    "",
    "P",
    "\0\n\0",
    "GET / HTTP/1.1\n\n",
    "POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\n{",
    "POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}",
    "POST /v1/files HTTP/1.1\r\nhost: a\r\ncontent-length: 99\r\n\r\nx",
    "POST /v1/files HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\nzz",
    "POST /v1/files HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 5\r\n\r\n",
    "GET /v1/files/garbage HTTP/1.1\r\nhost: a\r\n\r\n",
    "GET /v1/files/cut HTTP/1.1\r\nhost: a\r\n\r\n",
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\x04\x09\0\0\0\0\0garbage",
];

/// The first rounds fill caches and the allocator's own.
const WARM_UP: usize = 10;
const ROUNDS: usize = 40;

/// What resident memory may grow by over [`ROUNDS`] rounds, which is 480 connections: 2 KiB each.
/// A connection that is open costs ten times as much. Measured: 24 KiB over all of them
/// (debug build, one worker, x86-64 Linux).
const GROWTH: u64 = 1 << 20;

/// Descriptors that come and go: the admin port's, and upstream connections that wait for a call.
const SLACK: usize = 4;

#[test]
fn hostile_connections_leave_nothing_behind() {
    let upstream = Upstream::start(|connection| {
        while let Some(request) = connection.request()? {
            match request.target() {
                "/v1/files/garbage" => connection.write("garbage\r\n\r\n")?,
                "/v1/files/cut" => {
                    connection.write("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nx")?;
                    return connection.reset();
                }
                _ => connection.write(json_answer("200 OK", "{}"))?,
            }
        }
        Ok(())
    });
    let proxy = hasty(&upstream.url());
    attack(&proxy, WARM_UP);
    let pid = proxy.pid();
    let (memory, open, started) = (resident(pid), descriptors(pid), threads(pid));
    attack(&proxy, ROUNDS);
    let grown = resident(pid).saturating_sub(memory);
    assert!(grown <= GROWTH, "{} KiB more after {ROUNDS} rounds", grown >> 10);
    let began = Instant::now();
    while descriptors(pid) > open + SLACK {
        assert!(began.elapsed() < GUARD, "{} descriptors, {open} before", descriptors(pid));
        thread::yield_now();
    }
    assert_eq!(threads(pid), started);
}

/// Every round from several callers at once, half of whom leave without waiting.
fn attack(proxy: &Proxy, rounds: usize) {
    for _ in 0..rounds {
        thread::scope(|scope| {
            for (number, bytes) in REQUESTS.iter().enumerate() {
                scope.spawn(move || match number % 2 {
                    0 => drop(exchange(proxy, bytes.as_bytes())),
                    _ => {
                        let mut client = proxy.client();
                        let _ = client.try_send(bytes);
                        client.reset();
                    }
                });
            }
        });
    }
    let mut client = proxy.client();
    assert_eq!(client.send(request("GET", PASSED, &[], "")).answer().status(), 200);
    drop(client);
    for gauge in ["pillion_open_streams", "pillion_open_connections", "pillion_request_body_bytes"]
    {
        wait_sum(proxy, gauge, &[], 0.0);
    }
}
