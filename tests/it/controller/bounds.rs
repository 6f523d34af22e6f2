//! What a stranger may cost.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::sidecar::{Caller, request};
use super::stand::{Stand, TOKEN, Wish, locally};
use crate::support::GUARD;

/// Introductions end soon, so that a test need not wait; but not before a handshake on a busy machine.
fn hasty() -> Wish {
    let mut wish = Wish::default();
    wish.limits.introduction = Duration::from_secs(1);
    wish
}

async fn shake_hands(address: SocketAddr, tls: &Arc<ClientConfig>) -> TlsStream<TcpStream> {
    let stream = TcpStream::connect(address).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(Arc::clone(tls)).connect(name, stream).await.unwrap()
}

/// Waits until the other side has closed.
async fn closed(mut stream: impl AsyncReadExt + Unpin) {
    let mut read = Vec::new();
    let _ = timeout(GUARD, stream.read_to_end(&mut read)).await.unwrap();
}

async fn unintroduced(stand: &Stand, count: f64) {
    let counted = async {
        while stand.metric("pillion_push_unintroduced_total") < count {
            tokio::task::yield_now().await;
        }
    };
    timeout(GUARD, counted).await.unwrap();
}

#[tokio::test]
async fn who_says_nothing_is_shown_out() {
    locally(async {
        let stand = Stand::start(hasty()).await;
        closed(TcpStream::connect(stand.address).await.unwrap()).await;
        unintroduced(&stand, 1.0).await;
        // TLS, and then no word of HTTP/2.
        closed(shake_hands(stand.address, &stand.tls).await).await;
        // HTTP/2, and then no request.
        let Caller { sender, driving } = Caller::connect(stand.address, &stand.tls).await;
        timeout(GUARD, driving).await.unwrap().unwrap().unwrap();
        drop(sender);
        while stand.metric("pillion_push_connections") > 0.0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn nothing_but_http2_is_spoken() {
    locally(async {
        let stand = Stand::start(Wish::default()).await;
        closed(shake_hands(stand.address, &stand.http1).await).await;
        unintroduced(&stand, 1.0).await;
    })
    .await;
}

#[tokio::test]
async fn strangers_wait_for_each_other_and_not_for_sidecars() {
    locally(async {
        let mut wish = Wish::default();
        wish.limits.strangers = 1;
        let stand = Stand::start(wish).await;
        let mut first = stand.sidecar().await.unwrap();
        first.bundle().await.unwrap();
        let silent = TcpStream::connect(stand.address).await.unwrap();
        // Its handshake needs the silent one's turn.
        let (address, tls) = (stand.address, stand.tls.clone());
        let second = tokio::task::spawn_local(async move {
            Caller::connect(address, &tls).await.ask(request(Some(TOKEN))).await
        });
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert!(!second.is_finished());
        drop(silent);
        assert!(timeout(GUARD, second).await.unwrap().unwrap().is_ok());
    })
    .await;
}

/// RFC 9113, 10.5; CVE-2023-44487.
#[tokio::test]
async fn who_opens_and_resets_streams_is_cut_off() {
    locally(async {
        let stand = Stand::start(Wish::default()).await;
        let Caller { mut sender, driving } = Caller::connect(stand.address, &stand.tls).await;
        for _ in 0..1000 {
            let ready = futures_util::future::poll_fn(|cx| sender.poll_ready(cx)).await;
            if ready.is_err() {
                break;
            }
            let Ok((response, mut body)) = sender.send_request(request(None), false) else { break };
            body.send_reset(h2::Reason::CANCEL);
            drop(response);
        }
        drop::<h2::client::SendRequest<Bytes>>(sender);
        let _ = timeout(GUARD, driving).await.unwrap().unwrap();
        while stand.metric("pillion_push_connections") > 0.0 {
            tokio::task::yield_now().await;
        }
        assert!(stand.metric("pillion_push_refusals_total") <= 1.0);
    })
    .await;
}

#[tokio::test]
async fn a_connection_has_one_stream() {
    locally(async {
        let stand = Stand::start(Wish::default()).await;
        let mut caller = Caller::connect(stand.address, &stand.tls).await;
        let (response, _body) = caller.sender.send_request(request(Some(TOKEN)), false).unwrap();
        let mut first = timeout(GUARD, response).await.unwrap().unwrap().into_body();
        let mut sender = caller.sender.clone();
        let second = tokio::task::spawn_local(async move {
            futures_util::future::poll_fn(|cx| sender.poll_ready(cx)).await?;
            sender.send_request(request(Some(TOKEN)), false)?.0.await
        });
        assert!(timeout(GUARD, first.data()).await.unwrap().is_some());
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert_eq!(stand.sidecars.count(), 1);
        drop(first);
        drop(_body);
        // It may come in time to be told so.
        let second = timeout(GUARD, second).await.unwrap().unwrap();
        assert!(second.is_err() || second.is_ok_and(|response| response.status() == 429));
        assert_eq!(stand.metric("pillion_push_bundles_total"), 1.0);
    })
    .await;
}
