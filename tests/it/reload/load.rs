//! The big one: a thousand reloads while calls and streams run all the time.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

use super::{CHAT, Upstream, all_to, bearer, call_until, chunk, json_answer, provider, wait_sum};
use crate::support::client::{Client, request};
use crate::support::gate::wait_until;
use crate::support::metrics::Samples;
use crate::support::proxy::{Launch, Proxy};
use crate::support::upstream::{Connection, LAST_CHUNK, Recorded, STREAM_HEAD};

const RELOADS: usize = 1000;
const NAMES: [&str; 2] = ["left", "right"];

/// Counts reloads; streams wait for the next one before they end, as long as there is one.
#[derive(Default)]
struct Turns(Mutex<usize>, Condvar);

impl Turns {
    /// The count that says that no reload follows.
    const OVER: usize = usize::MAX;

    fn next(&self) {
        *self.0.lock().unwrap() += 1;
        self.1.notify_all();
    }

    fn end(&self) {
        *self.0.lock().unwrap() = Self::OVER;
        self.1.notify_all();
    }

    fn wait_next(&self) {
        let now = *self.0.lock().unwrap();
        let passed = |turn: &usize| (*turn > now || *turn == Self::OVER).then_some(());
        wait_until(&self.0, &self.1, passed);
    }
}

/// Everything that a table decides is its own: provider, key, model. A call that mixes two tables
/// gets 500.
fn is_consistent(request: &Recorded, name: &str) -> bool {
    let model = format!("\"model\":\"{name}-model\"");
    request.head.header("authorization") == Some(&bearer(name)) && request.text().contains(&model)
}

fn target(name: &'static str, turns: Arc<Turns>) -> Upstream {
    Upstream::start(move |connection| {
        while let Some(request) = connection.request()? {
            if !is_consistent(&request, name) {
                connection.write(json_answer("500 Mixed", "{}"))?;
            } else if request.text().contains("\"stream\":true") {
                stream(connection, name, &turns)?;
            } else {
                connection.write(json_answer("200 OK", &format!("{name:?}")))?;
            }
        }
        Ok(())
    })
}

fn stream(connection: &mut Connection, name: &str, turns: &Turns) -> std::io::Result<()> {
    connection.write(STREAM_HEAD)?;
    connection.write(chunk(CHAT.first))?;
    turns.wait_next();
    connection.write(chunk(format!(": {name}\n\n")))?;
    connection.write(chunk(CHAT.last))?;
    connection.write(LAST_CHUNK)
}

/// One of the two tables.
fn table(name: &str, upstream: &Upstream) -> String {
    let rule = all_to(name).replace(" } }]", &format!(" }}, model: {name}-model }}]"));
    provider(name, &upstream.url(), "") + &rule
}

#[test]
fn a_thousand_reloads_under_load_lose_no_call() {
    let turns = Arc::new(Turns::default());
    let upstreams = NAMES.map(|name| target(name, turns.clone()));
    let tables = [0, 1].map(|side| table(NAMES[side], &upstreams[side]));
    let proxy = Launch::new().flag("--workers", "2").start(&tables[0]);
    let (over, calls, streams) = (AtomicBool::new(false), AtomicUsize::new(0), AtomicUsize::new(0));
    thread::scope(|scope| {
        for caller in [call, open_stream, open_stream] {
            let (proxy, over, calls, streams) = (&proxy, &over, &calls, &streams);
            scope.spawn(move || {
                let mut client = proxy.client();
                while !over.load(Ordering::SeqCst) {
                    match caller(&mut client) {
                        Kind::Call => calls.fetch_add(1, Ordering::SeqCst),
                        Kind::Stream => streams.fetch_add(1, Ordering::SeqCst),
                    };
                }
            });
        }
        for reload in 1..=RELOADS {
            let side = reload % 2;
            proxy.manifests.write("all.yaml", &tables[side]);
            let expected = format!("{:?}", NAMES[side]);
            call_until(&proxy, |answer| {
                assert_eq!(answer.status(), 200, "{answer:?}");
                answer.text() == expected
            });
            turns.next();
        }
        over.store(true, Ordering::SeqCst);
        // A caller may begin one more stream after this: it must not wait either.
        turns.end();
    });
    assert_all_was_well(&proxy);
    let (calls, streams) = (calls.into_inner(), streams.into_inner());
    assert!(calls > RELOADS && streams > RELOADS / 2, "{calls} calls, {streams} streams");
}

#[track_caller]
fn assert_all_was_well(proxy: &Proxy) {
    let reloads = Samples::of(&proxy.metrics());
    let applied = reloads.sum("pillion_reloads_total", &[("result", "applied")]);
    assert!(applied > RELOADS as f64, "{applied} applied");
    assert_eq!(reloads.sum("pillion_reloads_total", &[("result", "rejected")]), 0.0);
    let requests: Vec<_> =
        reloads.all.iter().filter(|s| s.name == "pillion_requests_total").collect();
    let served = requests.iter().all(|sample| sample.labels["outcome"] == "served");
    assert!(served, "{requests:?}");
    wait_sum(proxy, "pillion_open_streams", &[], 0.0);
    // What was written last is what runs.
    let (_, running) = proxy.page("/table");
    assert!(running.contains("left-model") && !running.contains("right-model"), "{running}");
}

enum Kind {
    Call,
    Stream,
}

fn call(client: &mut Client) -> Kind {
    let answer = super::call(client);
    assert_eq!(answer.status(), 200, "{answer:?}");
    assert!(answer.is_whole());
    Kind::Call
}

fn open_stream(client: &mut Client) -> Kind {
    let answer = client.send(request("POST", CHAT.target, &[], CHAT.body)).answer();
    assert_eq!(answer.status(), 200, "{answer:?}");
    let middle = |name: &str| format!("{}: {name}\n\n{}", CHAT.first, CHAT.last);
    let text = answer.text();
    assert!(NAMES.iter().any(|name| text == middle(name)) && answer.is_whole(), "{answer:?}");
    Kind::Stream
}
