//! Upstreams' answers, towards the caller: the HTTP/1 corpus.

use std::sync::{Arc, Mutex};
use std::thread;

use super::cases::{Case, Direction, Verdict, cases};
use super::strict::{self, Answer};
use super::{PASSED, until_closed};
use crate::support::client::request;
use crate::support::proxy::{Launch, Proxy};
use crate::support::upstream::{Upstream, json_answer};
use crate::support::yaml::{provider, route};

/// So many cases at once: most of the time is spent waiting for a proxy to give up.
const THREADS: usize = 8;

/// Read here, though the first parser in its strict mode does not: a line that ends in LF alone
/// (RFC 9112, 2.2 lets a recipient take it), white space behind a chunk's size, an extension
/// without a name. What the caller gets is framed anew.
const TOLERATED: [&str; 5] = ["invalid#191", "invalid#193", "sample#207", "g#217", "g#223"];

/// Bodies that the first parser was told to pass over.
const UNREAD: [&str; 1] = ["content-length#173"];

/// One message, and bytes that belong to none.
const MORE_BEHIND: [&str; 5] =
    ["connection#155", "connection#157", "connection#159", "connection#161", "connection#168"];

/// Two messages, of which the first is a 100.
const INTERIM: [&str; 1] = ["connection#169"];

/// What an upstream does behind the bytes of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Then {
    Close,
    Wait,
}

/// What an upstream says to the next call for [`CASE`].
type Next = Arc<Mutex<(Vec<u8>, Then)>>;

const CASE: &str = "/v1/files/case";
const NORMAL: &str = "{\"normal\":true}";

/// An upstream that answers as told to, and everybody else normally.
fn saying(next: &Next) -> Upstream {
    let next = Arc::clone(next);
    Upstream::start(move |connection| {
        while let Some(request) = connection.request()? {
            if request.target() != CASE {
                connection.write(json_answer("200 OK", NORMAL))?;
                continue;
            }
            let (bytes, then) = next.lock().unwrap().clone();
            connection.write(bytes)?;
            match then {
                Then::Close => return connection.close(),
                Then::Wait => {}
            }
        }
        Ok(())
    })
}

/// A proxy that gives up soon, on both sides.
fn hasty(upstream: &Upstream) -> Proxy {
    let launch = Launch::new().flag("--head-timeout", "300ms");
    let timeouts = "timeouts: { firstByte: 300ms, idle: 300ms }";
    let rule =
        format!("[{{ name: all, targets: [{{ provider: {{ name: there }} }}], {timeouts} }}]");
    launch.start(&(provider("there", &upstream.url(), "") + &route("r", &rule)))
}

#[test]
fn an_answer_is_one_answer_as_it_was_framed_or_none() {
    let all = cases(Direction::Response);
    let share = all.len().div_ceil(THREADS).max(1);
    thread::scope(|scope| {
        for cases in all.chunks(share) {
            scope.spawn(move || {
                let next = Arc::new(Mutex::new((Vec::new(), Then::Close)));
                let upstream = saying(&next);
                let proxy = hasty(&upstream);
                for case in cases {
                    for then in [Then::Close, Then::Wait] {
                        *next.lock().unwrap() = (case.bytes.clone(), then);
                        run(case, then, &upstream, &proxy);
                    }
                }
            });
        }
    });
}

fn run(case: &Case, then: Then, upstream: &Upstream, proxy: &Proxy) {
    let mut client = proxy.client();
    client.send(request("GET", CASE, &[], ""));
    let answers = strict::answers(&until_closed(&mut client), &["GET"]);
    let [answer] = &answers[..] else { panic!("{} {then:?}: {answers:?}", case.id) };
    judge(case, then, answer);

    let mut used = vec![last_connection(upstream, CASE)];
    // Bytes that were left over would be the answer to one of these.
    let mut client = proxy.client();
    for _ in 0..3 {
        let answer = client.get(PASSED, &[]);
        assert_eq!((answer.status(), answer.text()), (200, NORMAL), "{} {then:?}", case.id);
        used.push(last_connection(upstream, PASSED));
    }
    let in_list = |list: &[&str]| list.iter().any(|end| case.id.ends_with(end));
    let good = matches!(case.verdict, Verdict::Accept | Verdict::Lenient);
    let one = case.messages == 1 || in_list(&INTERIM);
    let clean = good && one && !in_list(&MORE_BEHIND);
    if !clean && !in_list(&TOLERATED) {
        assert!(!used[1..].contains(&used[0]), "{} {then:?}: used again", case.id);
    }
}

fn last_connection(upstream: &Upstream, target: &str) -> usize {
    let requests = upstream.requests();
    requests.iter().rfind(|request| request.target() == target).unwrap().connection
}

#[track_caller]
fn judge(case: &Case, then: Then, answer: &Answer) {
    let id = &case.id;
    assert_eq!(answer.version, "HTTP/1.1", "{id}: the caller's hop is its own");
    if !strict::values(&answer.headers, "x-pillion-reason").is_empty() {
        assert!([502, 504].contains(&answer.status), "{id}: {answer:?}");
        let good = case.verdict == Verdict::Accept && case.messages > 0;
        assert!(!good, "{id} {then:?} was refused: {answer:?}");
        return;
    }
    let in_list = |list: &[&str]| list.iter().any(|end| id.ends_with(end));
    for name in ["connection", "upgrade", "trailer", "proxy-connection", "keep-alive"] {
        let values = strict::values(&answer.headers, name);
        assert!(values.is_empty() || values == ["close"], "{id}: {name} {values:?}");
    }
    let text = String::from_utf8_lossy(&answer.body).replace(['\r', '\n'], "");
    match case.verdict {
        _ if in_list(&UNREAD) => assert!(!answer.whole, "{id}: {answer:?}"),
        Verdict::Reject if in_list(&TOLERATED) => {}
        Verdict::Reject => assert!(!answer.whole || case.messages > 0, "{id}: {answer:?}"),
        Verdict::Accept | Verdict::Lenient | Verdict::Upgrade => {
            assert!(case.bodies.starts_with(&text), "{id}: {text:?} of {:?}", case.bodies);
        }
    }
    let framed = ["content-length:", "chunked\r\n"];
    let head = String::from_utf8_lossy(&case.bytes).to_lowercase();
    let until_close = !framed.iter().any(|word| head.contains(word));
    match then {
        // Its end is not there, whatever the framing.
        Then::Wait if case.messages == 0 && !in_list(&TOLERATED) => {
            assert!(!answer.whole, "{id} never ended: {answer:?}");
        }
        Then::Close if case.messages == 0 && !until_close && !in_list(&TOLERATED) => {
            assert!(!answer.whole, "{id} was cut: {answer:?}");
        }
        Then::Close | Then::Wait => {}
    }
}
