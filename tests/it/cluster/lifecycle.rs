//! The cluster itself: that it ends, restarts and tells who is who, as other tests rely on.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use k8s_openapi::api::authentication::v1::{TokenReview, TokenReviewSpec};
use k8s_openapi::api::core::v1::{ConfigMap, Pod, Secret};
use kube::api::{DeleteParams, ListParams, PostParams};
use kube::{Api, ResourceExt};
use pillion_cluster::{Audit, Cluster, Settings, TokenWish};
use tokio::time::timeout;

use crate::support::GUARD;
use crate::support::cluster::{kubectl, private, refusal, shared};

const NOTE: &str = "{apiVersion: v1, kind: ConfigMap, metadata: {name: note}, data: {a: b}}";
const POD: &str = "
apiVersion: v1
kind: Pod
metadata: { name: app }
spec: { containers: [{ name: app, image: app }] }
";

async fn pod(cluster: &Cluster, namespace: &str) -> Pod {
    let applied = cluster.apply(namespace, POD).await.unwrap();
    applied[0].clone().try_parse().unwrap()
}

/// What the API server says of a token that is shown to `audience`.
async fn review(cluster: &Cluster, token: &str, audience: &str) -> TokenReview {
    let spec = TokenReviewSpec {
        audiences: Some(vec![audience.to_owned()]),
        token: Some(token.to_owned()),
    };
    let reviews = Api::all(cluster.client().unwrap());
    let review = TokenReview { spec, ..Default::default() };
    reviews.create(&PostParams::default(), &review).await.unwrap()
}

#[tokio::test]
async fn the_api_server_comes_back_with_its_data_on_its_port() {
    let mut cluster = private(Settings { audit: Audit::Metadata }).await;
    let namespace = cluster.namespace().await.unwrap();
    cluster.apply(&namespace, NOTE).await.unwrap();
    let notes: Api<ConfigMap> = Api::namespaced(cluster.client().unwrap(), &namespace);
    cluster.stop_api();
    assert!(!matches!(notes.get("note").await, Ok(_) | Err(kube::Error::Api(_))));
    cluster.start_api().await.unwrap();
    let data = notes.get("note").await.unwrap().data.unwrap();
    assert_eq!(data, BTreeMap::from([("a".to_owned(), "b".to_owned())]));
    let audit = fs::read_to_string(cluster.audit_log()).unwrap();
    assert!(audit.contains(&format!("/api/v1/namespaces/{namespace}/configmaps/note")), "{audit}");
}

#[tokio::test]
async fn nothing_is_left_of_a_cluster_that_was_dropped() {
    let cluster = private(Settings::default()).await;
    let folder = cluster.kubeconfig().parent().unwrap().to_owned();
    let running = || {
        let processes = fs::read_dir("/proc").unwrap().map(|entry| entry.unwrap().path());
        let lines = processes.filter_map(|path| fs::read(path.join("cmdline")).ok());
        let name = folder.to_str().unwrap();
        lines.filter(|line| String::from_utf8_lossy(line).contains(name)).count()
    };
    assert_eq!(running(), 3, "etcd, the API server and who removes the folder");
    drop(cluster);
    assert_eq!(running(), 0);
    assert!(!Path::new(&folder).exists());
}

#[tokio::test]
async fn a_service_account_may_do_what_its_roles_say() {
    let cluster = shared().await;
    let namespace = cluster.namespace().await.unwrap();
    cluster.service_account(&namespace, "reader").await.unwrap();
    let client = cluster.service_account_client(&namespace, "reader").await.unwrap();
    let secrets: Api<Secret> = Api::namespaced(client.clone(), &namespace);
    let status = refusal(secrets.list(&ListParams::default()).await);
    assert_eq!(status.code, 403);
    let account = format!("system:serviceaccount:{namespace}:reader");
    assert!(status.message.contains(&account), "{}", status.message);
    let path = cluster.service_account_kubeconfig(&namespace, "reader").await.unwrap();
    let who = kubectl(cluster, &["auth", "whoami", "--kubeconfig", path.to_str().unwrap()]).await;
    assert!(who.contains(&account), "{who}");
}

#[tokio::test]
async fn a_token_is_good_for_its_audience_and_while_its_pod_is_there() {
    let cluster = shared().await;
    let namespace = cluster.namespace().await.unwrap();
    let pod = pod(cluster, &namespace).await;
    let wish = TokenWish {
        namespace: &namespace,
        service_account: "default",
        pod: Some(&pod),
        audience: Some("pillion"),
        seconds: 600,
    };
    let token = cluster.token(wish).await.unwrap();
    let unseen = cluster.token(wish).await.unwrap();
    let status = review(cluster, &token, "pillion").await.status.unwrap();
    assert_eq!(status.authenticated, Some(true));
    let extra = status.user.unwrap().extra.unwrap();
    assert_eq!(extra["authentication.kubernetes.io/pod-name"], ["app"]);
    assert_eq!(extra["authentication.kubernetes.io/pod-uid"], [pod.uid().unwrap()]);
    let foreign = review(cluster, &token, "somebody-else").await.status.unwrap();
    assert_ne!(foreign.authenticated, Some(true));
    let pods: Api<Pod> = Api::namespaced(cluster.client().unwrap(), &namespace);
    pods.delete("app", &DeleteParams::default().grace_period(0)).await.unwrap();
    // What the API server has found good it believes for some seconds: hence another token.
    let revoked = async {
        while review(cluster, &unseen, "pillion").await.status.unwrap().authenticated == Some(true)
        {
            tokio::task::yield_now().await;
        }
    };
    timeout(GUARD, revoked).await.unwrap();
}

#[tokio::test]
async fn the_controller_manager_makes_pods_of_a_deployment() {
    let cluster = shared().await;
    cluster.start_controllers().await.unwrap();
    let namespace = cluster.namespace().await.unwrap();
    let deployment = "
        apiVersion: apps/v1
        kind: Deployment
        metadata: { name: app }
        spec:
          replicas: 2
          selector: { matchLabels: { app: app } }
          template:
            metadata: { labels: { app: app } }
            spec: { containers: [{ name: app, image: app }] }
    ";
    cluster.apply(&namespace, deployment).await.unwrap();
    let wait = ["wait", "--for=jsonpath={.status.replicas}=2", "deployment/app", "--timeout=20s"];
    kubectl(cluster, &[&wait[..], &["--namespace", &namespace]].concat()).await;
}
