//! Callers' requests, towards the upstream: the HTTP/1 corpus.

use std::thread;

use super::cases::{Case, Direction, Verdict, cases};
use super::strict::{self, Request};
use super::{PASSED, exchange, hasty, recording, requests_of};

/// So many cases at once, each thread with a proxy and an upstream of its own: most of the time is
/// spent waiting for a proxy to give up.
const THREADS: usize = 8;

/// Refused by the first parser, and yet forwarded, in our own framing: an extension of a chunk
/// whose name is empty says nothing.
const TOLERATED: [&str; 1] = ["llhttp/request/transfer-encoding#119"];

/// Bodies that the first parser was told to pass over.
const UNREAD: [&str; 1] = ["llhttp/request/content-length#36"];

fn spread(cases: Vec<Case>, judge: impl Fn(&[Case]) + Sync) {
    let share = cases.len().div_ceil(THREADS).max(1);
    thread::scope(|scope| {
        for cases in cases.chunks(share) {
            scope.spawn(|| judge(cases));
        }
    });
}

#[test]
fn the_core_set_is_refused() {
    let core: Vec<Case> = cases(Direction::Request).into_iter().filter(|case| case.core).collect();
    assert!(core.is_empty() || core.len() == 39, "{}", core.len());
    spread(core, |cases| {
        let (upstream, arrived) = recording();
        let proxy = hasty(&upstream.url());
        for case in cases {
            let bytes = case.aimed_at(PASSED).unwrap_or_else(|| case.bytes.clone());
            let answers = strict::answers(&exchange(&proxy, &bytes), &[]);
            let last = answers.last().map_or(400, |answer| answer.status);
            assert!((400..500).contains(&last) || last == 501, "{}: {answers:?}", case.id);
            assert!(answers.len() <= 1, "{}: {answers:?}", case.id);
            assert_eq!(proxy.client().get("/v1/models", &[]).status(), 200);
        }
        let whole: Vec<Request> =
            requests_of(&arrived).into_iter().filter(|request| request.whole).collect();
        assert_eq!(whole, [], "a refused request arrived");
    });
}

/// No path of the corpus is one of an LLM API.
#[test]
fn no_case_reaches_an_upstream_as_it_is() {
    spread(cases(Direction::Request), |cases| {
        let (upstream, arrived) = recording();
        let proxy = hasty(&upstream.url());
        for (number, case) in cases.iter().enumerate() {
            let answers = strict::answers(&exchange(&proxy, &case.bytes), &[case.method()]);
            assert!(answers.len() <= case.messages.max(1) + 1, "{}: {answers:?}", case.id);
            assert_eq!(proxy.client().get(PASSED, &[]).status(), 200);
            assert_eq!(requests_of(&arrived).len(), number + 1, "{}", case.id);
        }
    });
}

/// Each case asks for a path that is forwarded, and what arrives is judged.
#[test]
fn every_case_arrives_as_it_was_framed_or_not_at_all() {
    spread(cases(Direction::Request), |cases| {
        let (upstream, arrived) = recording();
        let proxy = hasty(&upstream.url());
        for (number, case) in cases.iter().enumerate() {
            let path = format!("{PASSED}/{number}");
            let Some(aimed) = case.aimed_at(&path) else { continue };
            let answers = strict::answers(&exchange(&proxy, &aimed), &[case.method()]);
            assert!(answers.len() <= case.messages + 1, "{}: {answers:?}", case.id);
            assert_eq!(proxy.client().get(&format!("{PASSED}/next"), &[]).status(), 200);
            let mut all = requests_of(&arrived);
            all.retain(|request| request.target != format!("{PASSED}/next"));
            let (mine, others): (Vec<_>, Vec<_>) =
                all.into_iter().partition(|request| request.target == path);
            let strays = others.iter().filter(|other| !other.target.starts_with(PASSED)).count();
            assert_eq!(strays, 0, "{}: {others:?}", case.id);
            judge(case, &mine);
        }
    });
}

#[track_caller]
fn judge(case: &Case, arrived: &[Request]) {
    let id = &case.id;
    assert!(arrived.len() <= 1, "{id}: {arrived:?}");
    let Some(request) = arrived.first() else { return };
    for name in ["connection", "upgrade", "trailer", "te", "http2-settings"] {
        assert_eq!(strict::values(&request.headers, name), [""; 0], "{id}");
    }
    let tolerated = TOLERATED.contains(&id.as_str());
    match case.verdict {
        Verdict::Reject => {
            assert!(!request.whole || case.messages > 0 || tolerated, "{id}: {request:?}");
        }
        Verdict::Accept | Verdict::Lenient | Verdict::Upgrade => {
            let text = String::from_utf8_lossy(&request.body).replace(['\r', '\n'], "");
            let framed = case.bodies.starts_with(&text) || UNREAD.contains(&id.as_str());
            assert!(framed, "{id}: {text:?} of {:?}", case.bodies);
            if request.whole && case.messages == 1 {
                assert_eq!(text, case.bodies, "{id}");
            }
        }
    }
}

/// What is served is served: most of the corpus that both parsers accept is answered with 200.
#[test]
fn what_is_right_is_answered() {
    let good = |case: &Case| case.verdict == Verdict::Accept && case.messages > 0;
    spread(cases(Direction::Request).into_iter().filter(good).collect(), |cases| {
        let (upstream, _) = recording();
        let proxy = hasty(&upstream.url());
        let read = |case: &&Case| !UNREAD.contains(&case.id.as_str());
        for case in cases.iter().filter(|case| served(case.method())).filter(read) {
            let Some(aimed) = case.aimed_at(PASSED) else { continue };
            let answers = strict::answers(&exchange(&proxy, &aimed), &[case.method()]);
            let first = answers.first().map(|answer| answer.status);
            let ours = REFUSED.contains(&case.id.as_str());
            assert_eq!(first, Some(if ours { 400 } else { 200 }), "{}: {answers:?}", case.id);
        }
    });
}

fn served(method: &str) -> bool {
    ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"].contains(&method)
}

/// What the first parser takes and Pillion does not: transfer codings beside `chunked`.
const REFUSED: [&str; 2] =
    ["llhttp/request/transfer-encoding#130", "llhttp/request/transfer-encoding#131"];
