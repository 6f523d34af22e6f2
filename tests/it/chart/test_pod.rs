//! The pod of `helm test`, and the file that says what sidecars are to be: before `pillion render`,
//! which does what the webhook does.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use pillion_cluster::documents;
use tokio::runtime::Builder;

use super::{cases, fixture};
use crate::support::cluster::shared;
use crate::support::helm::rendered;

/// What a case says of sidecars, as a file.
fn settings(case: &str, folder: &Path) -> PathBuf {
    let only = "--show-only=templates/controller/injection.yaml";
    let rendered =
        rendered("pillion-system", &[&fixture(case), only, "--set=webhook.enabled=true"]);
    let map = &documents(&rendered).unwrap()[0];
    let path = folder.join(format!("{case}.yaml"));
    fs::write(&path, map.data["data"]["injection.yaml"].as_str().unwrap()).unwrap();
    path
}

/// The test's pod, as it is written, and as it is when injected.
fn pods(case: &str) -> [String; 2] {
    let folder = tempfile::tempdir().unwrap();
    let only = "--show-only=templates/tests/injected.yaml";
    let pod = rendered("pillion-system", &[&fixture(case), only, "--set=webhook.enabled=true"]);
    let (path, ca) = (folder.path().join("pod"), folder.path().join("ca"));
    fs::write(&path, &pod).unwrap();
    fs::copy("tests/fixtures/render/ca.crt", &ca).unwrap();
    let mut pillion = Command::new(env!("CARGO_BIN_EXE_pillion"));
    pillion.env_clear().arg("render").arg("-f").arg(path);
    pillion.arg("--settings").arg(settings(case, folder.path())).arg("--ca").arg(ca);
    let output = pillion.output().unwrap();
    assert!(output.status.success(), "{case}: {}", String::from_utf8_lossy(&output.stderr));
    [pod, String::from_utf8(output.stdout).unwrap()]
}

/// What the chart writes is what the controller reads.
#[test]
fn sidecars_are_as_the_values_say() {
    let [_, injected] = pods("everything");
    let pod = &documents(&injected).unwrap()[0];
    let sidecar = &pod.data["spec"]["initContainers"][0];
    assert_eq!(sidecar["image"], "registry.example/sidecar:edge");
    assert_eq!(sidecar["imagePullPolicy"], "Always");
    assert_eq!(sidecar["resources"]["limits"]["memory"], "256Mi");
    // By which the PodMonitor finds it.
    let words = [&sidecar["name"], &sidecar["ports"][0]["name"]].map(|name| name.as_str().unwrap());
    let monitors = rendered("pillion-system", &[&fixture("everything")]);
    assert!(monitors.contains(&format!("regex: {}\n", words.join(";"))));
    let arguments = sidecar["args"].to_string();
    for word in
        ["llm-sidecars.pillion-system.svc:8790", "127.0.0.1:9787", "[::]:9788", "warn", "off"]
    {
        assert!(arguments.contains(&format!("\"{word}\"")), "{word}: {arguments}");
    }
}

/// `helm test` says so where the webhook does not work, also with `failurePolicy: Ignore`.
#[test]
fn a_test_pod_that_is_not_injected_is_refused() {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let cluster = runtime.block_on(shared());
    let namespace = runtime.block_on(cluster.namespace()).unwrap();
    for case in cases() {
        let [plain, injected] = pods(&case).map(|pod| {
            let here = format!("namespace: {namespace}\n");
            let elsewhere = ["pillion-system", "team-a"].map(|name| format!("namespace: {name}\n"));
            pod.replace(&elsewhere[0], &here).replace(&elsewhere[1], &here)
        });
        let refused = runtime.block_on(cluster.dry_run(&namespace, &plain)).unwrap_err();
        let refused = format!("{refused:#}");
        assert!(refused.contains("Not found: \"pillion-identity\""), "{case}: {refused}");
        runtime.block_on(cluster.dry_run(&namespace, &injected)).unwrap();
    }
}
