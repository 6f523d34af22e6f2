//! The stream, as a sidecar sees it.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::Request;
use k8s_openapi::api::authentication::v1::TokenReviewStatus;
use pillion::bundle::push::Answer;
use pillion::controller::push::identity::{Spans, Unavailable};
use pillion::controller::snapshot::PodId;
use pillion::net::drain::Stage;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

use super::sidecar::{Caller, Refused, Sidecar, request};
use super::stand::{Stand, TOKEN, Town, Wish, app, locally, yes};
use crate::support::GUARD;

#[tokio::test]
async fn a_sidecar_has_each_version_once_and_is_heard() {
    locally(async {
        let mut stand = Stand::start(Wish::default()).await;
        let mut sidecar = stand.sidecar().await.unwrap();
        let first = sidecar.bundle().await.unwrap();
        assert_eq!(first.version, stand.version());
        assert_eq!(first.world.routes.len(), 1);
        sidecar.answer(&format!(r#"{{"type":"applied","version":"{}"}}"#, first.version));
        // Neither another pod nor the same routes once more are news for it.
        stand.town.pod(&PodId { name: "other".to_owned(), ..app() });
        stand.town.routes(0, 1);
        stand.town.routes(1, 2);
        let second = sidecar.bundle().await.unwrap();
        assert_eq!(second.version, stand.version());
        assert_eq!(second.world.routes.len(), 2);
        sidecar.answer(r#"{"type":"rejected","version":"2","reason":"too new"}"#);
        let answer = timeout(GUARD, rejection(&stand)).await.unwrap();
        assert_eq!(answer, Answer::Rejected { version: "2".into(), reason: "too new".into() });
        let listed = &stand.sidecars.list()[0];
        assert_eq!(
            (&listed.pod, &listed.sent.as_ref().unwrap().version),
            (&app(), &second.version)
        );
        assert_eq!(stand.metric("pillion_push_bundles_total"), 2.0);
        assert_eq!(stand.metric("pillion_push_answers_total"), 2.0);
        drop(sidecar);
        timeout(GUARD, stand.connected(0)).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_sidecar_is_told_the_ca_and_comes_again_to_hear_of_another() {
    locally(async {
        let stand = Stand::start(Wish::default()).await;
        let mut sidecar = stand.sidecar().await.unwrap();
        assert_eq!(sidecar.authorities.as_deref(), Some(&b"the first CA"[..]));
        sidecar.bundle().await.unwrap();
        stand.authorities.send(Some("the second CA".into())).unwrap();
        assert!(sidecar.bundle().await.is_none());
        sidecar.left().await;
        let mut sidecar = stand.sidecar().await.unwrap();
        assert_eq!(sidecar.authorities.as_deref(), Some(&b"the second CA"[..]));
        sidecar.bundle().await.unwrap();
    })
    .await;
}

async fn rejection(stand: &Stand) -> Answer {
    let mut rings = stand.sidecars.rings();
    loop {
        let answer = stand.sidecars.list()[0].answer.clone();
        match answer {
            Some(answer @ Answer::Rejected { .. }) => return answer,
            _ => rings.next().await,
        }
    }
}

#[tokio::test]
async fn a_slow_sidecar_skips_versions() {
    locally(async {
        let mut stand = Stand::start(Wish::default()).await;
        // Wider than all windows and buffers together.
        stand.town.routes(1, 2000);
        let first = stand.version();
        let mut sidecar = stand.sidecar().await.unwrap();
        timeout(GUARD, stand.connected(1)).await.unwrap();
        while stand.metric("pillion_push_bundles_total") < 1.0 {
            tokio::task::yield_now().await;
        }
        let mut versions = vec![first];
        for edition in 2..7 {
            stand.town.routes(edition, 2000);
            versions.push(stand.version());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let mut read = Vec::new();
        while read.last() != Some(&stand.version()) {
            read.push(sidecar.bundle().await.unwrap().version);
        }
        // hyper holds one that was the newest when the first one was written.
        assert!(read.len() <= 3 && read[0] == versions[0], "{read:?} {versions:?}");
        assert_eq!(stand.metric("pillion_push_bundles_total"), read.len() as f64);
    })
    .await;
}

#[tokio::test]
async fn a_stream_ends_with_its_pod() {
    locally(async {
        let mut stand = Stand::start(Wish::default()).await;
        let mut sidecar = stand.sidecar().await.unwrap();
        sidecar.bundle().await.unwrap();
        stand.town.remove(&app());
        assert!(sidecar.bundle().await.is_none());
        sidecar.left().await;
        timeout(GUARD, stand.connected(0)).await.unwrap();
        let Refused { status, text } = stand.sidecar().await.err().unwrap();
        assert_eq!(status, 403);
        assert!(text.contains("team/app") && text.contains("--namespaces"), "{text}");
        // Another pod of that name is another pod.
        stand.town.pod(&PodId { uid: "2".to_owned(), ..app() });
        assert_eq!(stand.sidecar().await.err().unwrap().status, 403);
    })
    .await;
}

#[tokio::test]
async fn a_pod_may_come_before_word_of_it() {
    locally(async {
        let mut wish = Wish::default();
        wish.limits.patience = GUARD;
        let mut stand = Stand::before(Town::new(), wish).await;
        let (address, tls) = (stand.address, stand.tls.clone());
        let early = tokio::task::spawn_local(async move {
            Sidecar::open(address, &tls, TOKEN).await.unwrap().bundle().await.unwrap()
        });
        tokio::time::sleep(Duration::from_millis(20)).await;
        stand.town.routes(0, 1);
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert!(!early.is_finished());
        stand.town.pod(&app());
        assert_eq!(timeout(GUARD, early).await.unwrap().unwrap().version, stand.version());
    })
    .await;
}

#[tokio::test]
async fn every_no_says_what_to_do() {
    locally(async {
        let stand = Stand::start(Wish::default()).await;
        let refused = async |request: Request<()>, status: u16, remedy: &str| {
            let caller = Caller::connect(stand.address, &stand.tls).await;
            let refused = caller.ask(request).await.err().unwrap();
            assert_eq!(refused.status, status, "{}", refused.text);
            assert!(refused.text.contains(remedy), "{}", refused.text);
            assert!(!refused.text.contains(TOKEN) && refused.text.lines().count() == 1);
        };
        let elsewhere = Request::post("https://localhost/metrics").body(()).unwrap();
        refused(elsewhere, 404, "/v1/bundles").await;
        let get = Request::get("https://localhost/v1/bundles").body(()).unwrap();
        refused(get, 404, "POST").await;
        refused(request(None), 401, "projected token with audience `pillion.dev`").await;
        refused(request(Some("not-a-jwt")), 401, "not valid").await;
        refused(request(Some(&"a".repeat(9000))), 401, "not valid").await;
        *stand.word.borrow_mut() = Ok(TokenReviewStatus::default());
        refused(request(Some(TOKEN)), 401, "audience `pillion.dev`").await;
        let mut unbound = yes(&app());
        unbound.user.as_mut().unwrap().extra = None;
        *stand.word.borrow_mut() = Ok(unbound);
        refused(request(Some(TOKEN)), 403, "serviceAccountToken").await;
        *stand.word.borrow_mut() = Err(Unavailable("500".to_owned()));
        refused(request(Some(TOKEN)), 503, "try again").await;
        assert_eq!(stand.metric("pillion_push_refusals_total"), 8.0);
        assert_eq!(stand.sidecars.count(), 0);
    })
    .await;
}

#[tokio::test]
async fn nothing_is_told_before_the_cluster_is_known() {
    locally(async {
        let stand = Stand::before(Town::new(), Wish::default()).await;
        assert_eq!(stand.sidecar().await.err().unwrap().status, 503);
    })
    .await;
}

#[tokio::test]
async fn a_stream_ends_when_its_token_expires() {
    locally(async {
        let least = Duration::from_millis(200);
        let spans = Spans { least, ..Wish::default().spans };
        let stand = Stand::start(Wish { spans, ..Wish::default() }).await;
        let expired = format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(r#"{"exp":1}"#));
        let before = Instant::now();
        let mut sidecar = Sidecar::open(stand.address, &stand.tls, &expired).await.unwrap();
        sidecar.bundle().await.unwrap();
        assert!(sidecar.bundle().await.is_none());
        assert!(before.elapsed() >= least.mul_f64(0.9), "{:?}", before.elapsed());
        sidecar.left().await;
    })
    .await;
}

#[tokio::test]
async fn garbage_ends_a_stream() {
    locally(async {
        let stand = Stand::start(Wish::default()).await;
        for garbage in ["garbage".to_owned(), "x".repeat(17 << 10)] {
            let mut sidecar = stand.sidecar().await.unwrap();
            sidecar.bundle().await.unwrap();
            sidecar.answer(&garbage);
            assert!(sidecar.bundle().await.is_none());
        }
    })
    .await;
}

#[tokio::test]
async fn a_pod_has_few_streams() {
    locally(async {
        let stand = Stand::start(Wish::default()).await;
        let mut streams = Vec::new();
        for _ in 0..4 {
            streams.push(stand.sidecar().await.unwrap());
        }
        assert_eq!(stand.sidecar().await.err().unwrap().status, 429);
        streams.pop();
        timeout(GUARD, stand.connected(3)).await.unwrap();
        assert!(stand.sidecar().await.is_ok());
    })
    .await;
}

/// So many streams, and what each of them comes to.
async fn crowd(stand: &Stand, count: usize) -> Vec<JoinHandle<()>> {
    let mut streams = Vec::new();
    for _ in 0..count {
        let mut sidecar = stand.sidecar().await.unwrap();
        sidecar.bundle().await.unwrap();
        streams.push(tokio::task::spawn_local(async move {
            assert!(sidecar.bundle().await.is_none());
            sidecar.left().await;
        }));
    }
    streams
}

fn crowded(spread: Duration) -> Wish {
    let mut wish = Wish::default();
    wish.limits.sessions_of_one_pod = 40;
    wish.limits.spread = spread;
    wish
}

#[tokio::test]
async fn a_controller_that_leaves_ends_its_streams() {
    locally(async {
        let stand = Stand::start(crowded(Duration::from_millis(300))).await;
        let streams = crowd(&stand, 20).await;
        stand.signal.advance(Stage::Draining);
        for stream in streams {
            timeout(GUARD, stream).await.unwrap().unwrap();
        }
        timeout(GUARD, stand.serving).await.unwrap().unwrap();
        assert_eq!(stand.sidecars.count(), 0);
    })
    .await;
}

#[tokio::test]
async fn they_do_not_end_in_the_same_instant() {
    locally(async {
        let stand = Stand::start(crowded(Duration::from_secs(20))).await;
        let streams = crowd(&stand, 40).await;
        stand.signal.advance(Stage::Draining);
        let first = async {
            while !streams.iter().any(JoinHandle::is_finished) {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(GUARD, first).await.unwrap();
        assert!(stand.sidecars.count() > 10, "{}", stand.sidecars.count());
    })
    .await;
}

#[tokio::test]
async fn who_is_left_at_the_end_is_cut() {
    locally(async {
        let mut wish = Wish::default();
        wish.limits.spread = Duration::from_secs(3600);
        let stand = Stand::start(wish).await;
        let mut sidecar = stand.sidecar().await.unwrap();
        sidecar.bundle().await.unwrap();
        stand.signal.advance(Stage::Draining);
        tokio::task::yield_now().await;
        assert!(!stand.serving.is_finished());
        stand.signal.advance(Stage::Cut);
        timeout(GUARD, stand.serving).await.unwrap().unwrap();
    })
    .await;
}
