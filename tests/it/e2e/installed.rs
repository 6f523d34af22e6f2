//! Controller and gateway started as the chart's Deployments say, under the chart's rights.

use std::process::Command;

use k8s_openapi::api::admissionregistration::v1::{MutatingWebhook, MutatingWebhookConfiguration};
use kube::runtime::wait::await_condition;
use kube::{Api, ResourceExt};
use pillion::bundle::push::AUDIENCE;
use pillion_cluster::documents;

use super::live::{last_key, named};
use super::roles;
use super::sidecar::Seat;
use super::stage::Stage;
use crate::chart::{cases, fixture};
use crate::support::helm;
use crate::support::manifests::Manifests;
use crate::support::proxy::Launch;
use crate::support::tls::Ca;
use crate::support::yaml::{all_to, bearer, provider};

/// What is there only on a node, or takes its time.
const PLACES: [&str; 7] =
    ["--listen", "--admin", "--controller", "--cache", "--injection", "--webhook", "--leave-delay"];

/// The arguments of a Deployment's container.
fn arguments(template: &str, namespace: &str, more: &[&str]) -> Vec<String> {
    let only = format!("--show-only=templates/{template}/deployment.yaml");
    let rendered = helm::rendered(namespace, &[&[only.as_str()], more].concat());
    let deployment = &documents(&rendered).unwrap()[0];
    let container = &deployment.data["spec"]["template"]["spec"]["containers"][0];
    let arguments = container["args"].as_array().unwrap().iter();
    arguments.map(|argument| argument.as_str().unwrap().to_owned()).collect()
}

/// Those that are no places: name and value.
fn flags(arguments: &[String]) -> impl Iterator<Item = (&str, &str)> {
    let flags = arguments.iter().filter_map(|argument| argument.split_once('='));
    flags.filter(|(name, _)| !PLACES.contains(name))
}

/// The binary knows all of them, and takes their values.
#[track_caller]
fn are_taken(arguments: &[String]) {
    let mut pillion = Command::new(env!("CARGO_BIN_EXE_pillion"));
    let output = pillion.env_clear().args(arguments).arg("--help").output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {said}");
}

#[test]
fn the_binary_takes_what_the_chart_gives_it() {
    for values in cases().iter().map(|case| fixture(case)) {
        are_taken(&arguments("controller", "pillion-system", &[&values]));
        let gateway = [&*values, "--set=gateway.enabled=true"];
        are_taken(&arguments("gateway", "pillion-system", &gateway));
    }
}

#[test]
fn in_limited_namespaces_the_roles_suffice_and_none_is_idle() {
    let stage = Stage::alone_and_limited();
    let upstream = named("owned");
    stage.apply(&(provider("owned", &upstream.url(), "") + &all_to("owned")));
    let watched = format!("--set=watchNamespaces={{{}}}", stage.namespace);
    let given = arguments("controller", &stage.system, &[&watched]);
    let order =
        flags(&given).fold(stage.order("one"), |order, (name, value)| order.flag(name, value));
    let mut controller = order.start(&stage.kubeconfig);

    let pod = stage.pod("shared", &[("app.kubernetes.io/component", "gateway")]);
    let given = arguments("gateway", &stage.system, &["--set=gateway.enabled=true"]);
    let seat = stage.seat(&stage.token(&pod, AUDIENCE));
    let gateway = flags(&given).fold(seat, |seat, (name, value)| seat.flag(name, value)).start();
    assert_eq!(gateway.call().text(), "\"owned\"");
    assert_eq!(last_key(&upstream), bearer("owned"));

    // The API server is told whom to believe when it asks about pods.
    let ca = stage.ca();
    let believed = |webhook: &MutatingWebhook| {
        webhook.client_config.ca_bundle.as_ref().is_some_and(|bundle| bundle.0 == ca.as_bytes())
    };
    let are_all = |object: Option<&MutatingWebhookConfiguration>| {
        let webhooks = object.and_then(|object| object.webhooks.as_ref());
        webhooks.is_some_and(|webhooks| webhooks.len() == 2 && webhooks.iter().all(believed))
    };
    let configurations = Api::all(stage.client.clone());
    let name = stage.configuration().name_any();
    stage.block_on(await_condition(configurations, &name, are_all)).unwrap();

    // A reference that leads nowhere, so that an event tells of it.
    stage.apply(&all_to("missing"));
    stage.until_said("everything", "ResolvedRefs", "ProviderNotFound");
    assert_eq!(controller.complaints(), Vec::<String>::new());
    assert!(controller.stop().success());
    roles::check(&stage);
}

#[test]
fn with_a_supplied_certificate_the_controller_needs_no_secret_of_its_own() {
    let stage = Stage::new();
    let upstream = named("owned");
    stage.apply(&(provider("owned", &upstream.url(), "") + &all_to("owned")));
    let watched = format!("--set=watchNamespaces={{{}}}", stage.namespace);
    let rbac = helm::rendered(
        &stage.system,
        &[
            "--show-only=templates/controller/rbac.yaml",
            "--set=fullnameOverride=supplied,certificates.source=secret,certificates.secretName=x",
            &watched,
        ],
    );
    assert!(!rbac.contains("pillion-tls") && !rbac.contains("pillion-ca"), "{rbac}");
    stage.apply(&rbac);
    let account = stage.cluster().service_account_kubeconfig(&stage.system, "supplied");
    let kubeconfig = stage.block_on(account).unwrap();

    let (ca, files) = (Ca::new(), Manifests::new());
    let (certificate, key) = ca.pair(&["localhost", "127.0.0.1"]);
    files.write("tls.crt", &certificate).write("tls.key", &key).write("ca.crt", &ca.pem());
    let path = |name: &str| files.path().join(name).to_str().unwrap().to_owned();
    let order = stage.order("one").without("--tls-name");
    let order = order.flag("--tls-cert", &path("tls.crt")).flag("--tls-key", &path("tls.key"));
    let controller = order.flag("--tls-ca", &path("ca.crt")).start(&kubeconfig);

    let token = stage.token(&stage.pod("app", &[]), AUDIENCE);
    files.write("token", &token);
    let launch = Launch::new().subscribed(stage.service.address());
    let sidecar = Seat { files, launch }.start();
    assert_eq!(sidecar.call().text(), "\"owned\"");
    stage.until_ready("everything", "1/1");
    assert_eq!(controller.complaints(), Vec::<String>::new());
}
