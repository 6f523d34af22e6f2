use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use k8s_openapi::api::authentication::v1::UserInfo;

use super::*;
use crate::telemetry;

fn token(text: &str) -> Result<Token, Refusal> {
    let mut headers = HeaderMap::new();
    headers.insert(AUTHORIZATION, text.parse().unwrap());
    Token::of(&headers)
}

fn jwt(payload: &str) -> Token {
    token(&format!("Bearer e30.{}.c2ln", URL_SAFE_NO_PAD.encode(payload))).unwrap()
}

fn yes() -> TokenReviewStatus {
    let extra = [("pod-name", "pod-1"), ("pod-uid", "uid-1")]
        .map(|(key, value)| (format!("authentication.kubernetes.io/{key}"), vec![value.into()]));
    TokenReviewStatus {
        authenticated: Some(true),
        audiences: Some(vec!["pillion.dev".to_owned()]),
        user: Some(UserInfo {
            username: Some("system:serviceaccount:team-a:default".to_owned()),
            extra: Some(BTreeMap::from(extra)),
            ..UserInfo::default()
        }),
        error: None,
    }
}

fn check(change: impl FnOnce(&mut TokenReviewStatus), expected: &Verdict) {
    let mut status = yes();
    change(&mut status);
    let verdict = Verdict::of(&status, &jwt("{}"), SPANS);
    assert_eq!(std::mem::discriminant(&verdict), std::mem::discriminant(expected), "{status:?}");
}

fn user(status: &mut TokenReviewStatus) -> &mut UserInfo {
    status.user.as_mut().unwrap()
}

fn extras(status: &mut TokenReviewStatus) -> &mut BTreeMap<String, Vec<String>> {
    user(status).extra.as_mut().unwrap()
}

#[tokio::test]
async fn only_a_whole_yes_is_one() {
    let pod = PodId { namespace: "team-a".into(), name: "pod-1".into(), uid: "uid-1".into() };
    let proven = Verdict::of(&yes(), &jwt("{}"), SPANS).proven().unwrap();
    assert_eq!(proven.pod, pod);
    check(|status| status.authenticated = None, &Verdict::NotValid);
    check(|status| status.authenticated = Some(false), &Verdict::NotValid);
    check(|status| status.audiences = None, &Verdict::NotValid);
    check(|status| status.audiences = Some(vec!["vault".into()]), &Verdict::NotValid);
    check(|status| status.user = None, &Verdict::NotValid);
    for name in ["kubernetes-admin", "system:serviceaccount:team-a", "system:serviceaccount::a"] {
        check(|status| user(status).username = Some(name.into()), &Verdict::Unbound);
    }
    check(|status| user(status).extra = None, &Verdict::Unbound);
    for key in ["pod-name", "pod-uid"] {
        let key = format!("authentication.kubernetes.io/{key}");
        check(|status| drop(extras(status).remove(&key)), &Verdict::Unbound);
        let two = vec!["a".to_owned(), "b".to_owned()];
        check(|status| drop(extras(status).insert(key, two)), &Verdict::Unbound);
    }
}

#[tokio::test]
async fn a_session_is_as_long_as_its_token() {
    let life = |payload: &str| {
        let Ok(proven) = Verdict::of(&yes(), &jwt(payload), Spans::default()).proven() else {
            panic!("a yes")
        };
        (proven.expires - Instant::now()).as_secs()
    };
    assert!((3599..=3600).contains(&life("{}")));
    assert!((3599..=3600).contains(&life("not JSON")));
    let now = telemetry::unix_seconds() as u64;
    assert!((598..=600).contains(&life(&format!("{{\"exp\":{}}}", now + 600))));
    assert!((9..=10).contains(&life(&format!("{{\"exp\":{}}}", now - 600))));
    assert!((24 * 3600 - 1..=24 * 3600).contains(&life("{\"exp\":1e300}")));
}

#[test]
fn what_is_no_token_is_not_asked_about() {
    assert_eq!(Token::of(&HeaderMap::new()).err(), Some(Refusal::NoToken));
    for none in ["Bearer", "Bearer ", "Basic a.b.c", "a.b.c"] {
        assert_eq!(token(none).err(), Some(Refusal::NoToken), "{none}");
    }
    let long = format!("Bearer {}", "a".repeat(8193));
    assert_eq!(token(&long).err(), Some(Refusal::NotValid));
    let looks = |text: &str| token(&format!("bearer {text}")).unwrap().looks_like_one();
    assert!(looks("aA0-.b_.c"));
    for none in ["a", "a.b", "a..c", "a.b.c.d", "a.b.c.", "a.b.c=", "a b.c.d"] {
        assert!(!looks(none), "{none}");
    }
}

/// Short enough to be waited for, long enough not to run out by themselves.
const SPANS: Spans = Spans {
    yes: Duration::from_millis(400),
    no: Duration::from_millis(200),
    patience: Duration::from_millis(500),
    least: Duration::from_secs(10),
};

/// A reviewer that counts how often it is asked.
fn counted(
    answer: impl Fn() -> Result<TokenReviewStatus, Unavailable> + 'static,
) -> (Identities, Rc<Cell<usize>>) {
    let asked = Rc::new(Cell::new(0));
    let count = Rc::clone(&asked);
    let reviewer: Reviewer = Box::new(move |_| {
        count.set(count.get() + 1);
        let answer = answer();
        Box::pin(async move {
            tokio::task::yield_now().await;
            answer
        })
    });
    (Identities::new(reviewer, SPANS), asked)
}

/// When what was said last of a token runs out.
fn until(identities: &Identities) -> Instant {
    let known = identities.known.borrow();
    known.values().filter_map(|entry| entry.get()).map(|known| known.until).max().unwrap()
}

#[tokio::test]
async fn a_token_is_reviewed_once_a_while() {
    let (identities, asked) = counted(|| Ok(yes()));
    let token = jwt("{}");
    let (first, second) = tokio::join!(identities.of(&token), identities.of(&token));
    assert!(first.is_ok() && first == second);
    assert!(identities.of(&token).await.is_ok());
    assert_eq!(asked.get(), 1);
    assert!(identities.of(&jwt("{\"a\":1}")).await.is_ok());
    assert_eq!(asked.get(), 2);
    tokio::time::sleep_until(until(&identities)).await;
    assert!(identities.of(&token).await.is_ok());
    assert_eq!(asked.get(), 3);
}

#[tokio::test]
async fn a_no_is_remembered_for_a_moment() {
    let (identities, asked) = counted(|| Ok(TokenReviewStatus::default()));
    let token = jwt("{}");
    for _ in 0..3 {
        assert_eq!(identities.of(&token).await, Err(Refusal::NotValid));
    }
    assert_eq!(asked.get(), 1);
    tokio::time::sleep_until(until(&identities)).await;
    assert_eq!(identities.of(&token).await, Err(Refusal::NotValid));
    assert_eq!(asked.get(), 2);
}

#[test]
fn a_yes_holds_no_longer_than_its_token() {
    let now = Instant::now();
    let spans = Spans::default();
    let pod = PodId { namespace: "a".into(), name: "b".into(), uid: "c".into() };
    let until = |left| {
        let proven = Proven { pod: pod.clone(), expires: now + Duration::from_secs(left) };
        (Verdict::Pod(proven).until(now, spans) - now).as_secs()
    };
    assert_eq!((until(5), until(3600)), (5, 60));
}

#[tokio::test]
async fn a_failure_is_neither_a_yes_nor_remembered() {
    let (identities, asked) = counted(|| Err(Unavailable("500".to_owned())));
    let token = jwt("{}");
    let (first, second) = tokio::join!(identities.of(&token), identities.of(&token));
    assert_eq!((first, second), (Err(Refusal::NoReview), Err(Refusal::NoReview)));
    assert_eq!(asked.get(), 2);
    let never: Reviewer = Box::new(|_| Box::pin(std::future::pending()));
    let identities = Identities::new(never, SPANS);
    let before = Instant::now();
    assert_eq!(identities.of(&token).await, Err(Refusal::NoReview));
    assert!(before.elapsed() >= SPANS.patience);
}

#[tokio::test]
async fn what_is_remembered_is_bounded() {
    let (identities, _) = counted(|| Ok(TokenReviewStatus::default()));
    let said = |until| Known { verdict: Verdict::NotValid, until };
    let now = Instant::now();
    let spare = Duration::from_secs(60);
    for number in 0..REMEMBERED {
        let until = now + spare + Duration::from_secs(number as u64);
        let entry = identities.entry(jwt(&format!("{{\"a\":{number}}}")).key());
        assert!(entry.set(said(until)).is_ok());
    }
    let first = jwt("{\"a\":0}").key();
    assert!(identities.known.borrow().contains_key(&first));
    assert!(identities.of(&jwt("{}")).await.is_err());
    assert_eq!(identities.known.borrow().len(), REMEMBERED);
    assert!(!identities.known.borrow().contains_key(&first), "what ends first goes first");
    forget(&mut identities.known.borrow_mut(), now + spare * 1000);
    assert_eq!(identities.known.borrow().len(), 0);
}
