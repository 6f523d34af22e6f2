//! Whom the API server and the pods are told to believe, while certificates come and go.

use std::time::{Duration, Instant};

use kube::api::{DeleteParams, Patch, PatchParams};
use serde_json::json;

use super::super::roles;
use super::super::stage::Stage;
use super::{Injection, asking};
use crate::support::manifests::Manifests;
use crate::support::tls::Ca;

/// A CA, and a certificate of it, as files.
fn supply(files: &Manifests, ca: &Ca) {
    let (certificate, key) = ca.pair(&["localhost", "127.0.0.1"]);
    files.write("tls.crt", &certificate).write("tls.key", &key).write("ca.crt", &ca.pem());
}

fn told(injection: &Injection) -> String {
    let pod = injection.try_out(&asking("app")).unwrap();
    pod.metadata.annotations.unwrap()["pillion.dev/controller-ca"].clone()
}

#[test]
fn a_bundle_that_somebody_takes_away_comes_back() {
    let mut injection = Injection::on(Stage::alone(), |order| order);
    let ca = injection.stage.ca();
    injection.until_bundles(|bundle| bundle == ca);
    let other = Ca::new().pem();
    for bundle in [None, Some(other.as_str())] {
        let bundle = bundle.map(|text| k8s_openapi::ByteString(text.as_bytes().to_vec()));
        let changed = ["pods.pillion.dev", "namespaces.pillion.dev"]
            .map(|name| json!({ "name": name, "clientConfig": { "caBundle": bundle } }));
        let patch = Patch::Strategic(json!({ "webhooks": changed }));
        let (configurations, name) = (injection.configurations(), injection.name());
        let parameters = PatchParams::default();
        let patching = configurations.patch(&name, &parameters, &patch);
        injection.stage.block_on(patching).unwrap();
        injection.until_bundles(|bundle| bundle == ca);
    }
    // While there is nothing to keep, that is said once.
    let deleting = injection.configurations();
    let name = injection.name();
    drop(injection.stage.block_on(deleting.delete(&name, &DeleteParams::default())).unwrap());
    injection
        .controller
        .wait_log(|line| line["message"].as_str().unwrap_or_default().contains("is not there"));
    injection.register();
    injection.until_bundles(|bundle| bundle == ca);
    injection.until_believed();
    let complaints = injection.controller.complaints();
    assert!(complaints.len() == 1 && complaints[0].contains("is not there"), "{complaints:?}");
    // The API server's idle connection is nothing to wait for.
    let began = Instant::now();
    assert!(injection.controller.stop().success());
    assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
    roles::nothing_is_refused(&injection.stage);
}

#[test]
fn a_new_certificate_is_told_to_the_api_server_and_to_new_pods() {
    let files = Manifests::new();
    let (first, second) = (Ca::new(), Ca::new());
    supply(&files, &first);
    let path = |name: &str| files.path().join(name).to_str().unwrap().to_owned();
    let injection = Injection::on(Stage::new(), |order| {
        order
            .without("--tls-name")
            .flag("--tls-cert", &path("tls.crt"))
            .flag("--tls-key", &path("tls.key"))
            .flag("--tls-ca", &path("ca.crt"))
    });
    injection.until_bundles(|bundle| bundle.trim() == first.pem().trim());
    assert_eq!(told(&injection).trim(), first.pem().replace("\r\n", "\n").trim());
    supply(&files, &second);
    injection.until_bundles(|bundle| bundle.contains(second.pem().lines().nth(2).unwrap().trim()));
    injection.until_believed();
    assert!(told(&injection).contains(second.pem().lines().nth(2).unwrap().trim()));
}
