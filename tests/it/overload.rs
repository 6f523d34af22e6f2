//! FAULTS 60: no descriptors left.

use crate::support::client::Client;
use crate::support::dialects::{CHAT, streaming};
use crate::support::process::ticks;
use crate::support::proxy::Launch;
use crate::support::wire::Piece;
use crate::support::yaml::{provider, route};

/// A process needs about twenty of its own.
const LIMIT: &str = "40";
const CALLERS: usize = 60;

fn is_pausing(line: &serde_json::Value) -> bool {
    line["message"].as_str().unwrap().starts_with("cannot accept connections")
}

#[test]
fn fault_60_without_descriptors_accepting_pauses_and_the_admin_port_answers() {
    let upstream = streaming(CHAT.first, |connection| connection.wait_left());
    let rules = "[{ targets: [{ provider: { name: there } }], timeouts: { idle: 1s } }]";
    let launch =
        Launch::new().under(&["/bin/sh", "-c", &format!("ulimit -n {LIMIT}; exec \"$@\""), "sh"]);
    let proxy = launch.start(&(provider("there", &upstream.url(), "") + &route("r", rules)));
    let mut first = proxy.client();
    first.send(crate::support::client::request("POST", CHAT.target, &[], CHAT.body)).head();
    assert_eq!(first.piece(), Piece::Bytes(CHAT.first.into()));

    let mut callers: Vec<Client> = (0..CALLERS).map(|_| proxy.client()).collect();
    proxy.wait_log(is_pausing);
    let before = ticks(proxy.pid(), "worker-0");
    for _ in 0..20 {
        assert_eq!(proxy.page("/readyz").0, 200);
    }
    // A call that was there before goes on to its end, a second from its last event.
    let Piece::Bytes(event) = first.piece() else { panic!("no event") };
    assert!(event.starts_with(CHAT.error.as_bytes()));
    // Hundredths of a second: a loop that spins would have used nearly all of that second.
    let used = ticks(proxy.pid(), "worker-0") - before;
    assert!(used < 30, "{used} ticks");
    let said = proxy.log().into_iter().filter(is_pausing).count();
    // The end of that call gave back its upstream's descriptor, and with it a second episode.
    assert!((1..=2).contains(&said), "an episode is logged once, not {said} times");

    // Whoever waited is served once there is room.
    let mut last = callers.pop().unwrap();
    callers.clear();
    drop(first);
    assert_eq!(last.get("/", &[]).status(), 200);
    proxy.wait_log(|line| line["message"] == "accepting connections again");
    assert_eq!(proxy.client().get("/", &[]).status(), 200);
}
