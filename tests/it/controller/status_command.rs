//! `pillion status` as a process, before a real API server.

use std::path::Path;
use std::process::{Command, Output};

use pillion::compile::Subject;
use pillion::controller::lease::Lease;
use tokio::task::LocalSet;

use super::status::{Stage, fault};
use crate::support::cluster::{kubectl, shared};
use crate::support::stream::nobodys_port;

async fn status(kubeconfig: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pillion"));
    command.arg("status").args(arguments).arg("--kubeconfig").arg(kubeconfig);
    command.env("NO_PROXY", "*");
    let Output { status, stdout, stderr } =
        tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code(), text(stdout), text(stderr))
}

#[tokio::test]
async fn it_says_what_kubectl_says_and_what_to_do() {
    let cluster = shared().await;
    let test = async {
        let stage = Stage::new(cluster, Lease::always()).await;
        let (admin, namespace) = (cluster.kubeconfig(), stage.namespace.clone());
        let (code, out, _) = status(admin, &["-n", &namespace]).await;
        assert_eq!(code, Some(1), "{out}");
        assert!(out.contains("no controller has said anything of it"), "{out}");

        let missing = fault(&namespace, Subject::Provider, "there is no such provider");
        stage.tell(vec![missing]).await;
        stage.until("chat", "ResolvedRefs", "ProviderNotFound").await;
        let (code, out, _) = status(admin, &["-n", &namespace]).await;
        assert_eq!(code, Some(1), "{out}");
        for line in [
            "    rule-0: * → router\n",
            "  ✗ ProviderNotFound\n    spec.rules[0]: there is no such provider\n      → mend it\n",
            "  ✗ NoSidecars\n",
        ] {
            assert!(out.contains(line), "{line}: {out}");
        }
        let (code, out, _) = status(admin, &["-n", &namespace, "--json"]).await;
        let document: serde_json::Value = serde_json::from_str(&out).unwrap();
        assert_eq!((code, &document["well"]), (Some(1), &false.into()));
        let wide = ["get", "llmroute", "chat", "-o", "wide", "--namespace", &namespace];
        let table = kubectl(cluster, &wide).await;
        let row = table.lines().nth(1).unwrap();
        let row: Vec<&str> = row.split_whitespace().collect();
        assert_eq!(row[..5], ["chat", "True", "False", "False", "0/0"], "{table}");
        assert!(table.contains("ProviderNotFound: spec.rules[0]: there is no such"), "{table}");
    };
    LocalSet::new().run_until(test).await;
}

#[tokio::test]
async fn it_says_why_it_cannot_ask() {
    let cluster = shared().await;
    let namespace = cluster.namespace().await.unwrap();
    cluster.service_account(&namespace, "nobody").await.unwrap();
    let nobody = cluster.service_account_kubeconfig(&namespace, "nobody").await.unwrap();
    let (code, out, error) = status(&nobody, &["-A"]).await;
    assert_eq!((code, out.as_str()), (Some(1), ""));
    let expected = "the verb `list` on the resource `llmroutes.pillion.dev` in all namespaces";
    assert!(error.contains(expected), "{error}");

    let text = std::fs::read_to_string(cluster.kubeconfig()).unwrap();
    let mut kubeconfig: serde_json::Value = serde_json::from_str(&text).unwrap();
    let (_taken, address) = nobodys_port();
    kubeconfig["clusters"][0]["cluster"]["server"] = format!("https://{address}").into();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("kubeconfig");
    std::fs::write(&file, kubeconfig.to_string()).unwrap();
    let (code, _, error) = status(&file, &[]).await;
    assert_eq!(code, Some(1));
    assert!(error.contains("no cluster can be reached at https://127.0.0.1:"), "{error}");
    assert!(error.contains("KUBECONFIG, --kubeconfig and --context say which"), "{error}");
    let (code, out, error) = status(cluster.kubeconfig(), &["-n", &namespace]).await;
    assert_eq!(code, Some(0), "{error}");
    assert_eq!(
        out,
        format!("there is no LlmRoute and no ProviderSecret in namespace {namespace}\n")
    );
}
