//! The story: from `helm install` to `helm uninstall`, with calls all the time.

use std::fs;

use anyhow::{Context, ensure};
use pillion_cluster::until;
use pillion_playground::site::SYSTEM;

use crate::application::Dialect;
use crate::playground;
use crate::readme;
use crate::records;
use crate::stage::{Stage, TEAM};

/// What every key of the story begins with, and nothing else does.
pub(crate) const CANARY: &str = "sk-canary";

const KEY: &str = include_str!("manifests/key.yaml");
const ROUTE: &str = include_str!("manifests/route.yaml");
const CHAT: &str = include_str!("manifests/chat.yaml");
const JOB: &str = include_str!("manifests/job.yaml");
const LEAVING: &str = include_str!("manifests/leaving.yaml");

/// Whoever waits in the middle of a stream is let go.
const RELEASE: &str = "/api/v1/namespaces/provider/services/provider:80/proxy/release";

#[tokio::test]
async fn an_installation_does_what_it_promises() {
    let stage = Stage::set().await.unwrap_or_else(|error| panic!("no node: {error:#}"));
    if let Err(error) = tell(&stage).await {
        let folder = records::keep(&stage).await;
        panic!("{error:#}\nlogs and objects: {}", folder.display());
    }
}

async fn tell(stage: &Stage) -> anyhow::Result<()> {
    first_screen(stage).await?;
    let first = stage.follow_controllers("controllers-first")?;
    stage.until_said(&first, "listening").await?;
    two_objects_and_a_label(stage).await?;
    calls(stage).await?;
    edits(stage).await?;
    job(stage).await?;
    leave_in_the_middle(stage).await?;
    roll_the_controller(stage).await?;
    let second = stage.follow_controllers("controllers-second")?;
    stage.until_said(&second, "listening").await?;
    lose_the_sidecar(stage).await?;
    records::no_key_is_told(stage).await?;
    stage.tell("no log of any pod has a key");
    uninstall(stage).await?;
    playground::every_line(stage).await
}

async fn first_screen(stage: &Stage) -> anyhow::Result<()> {
    let [install, objects, application] = readme::commands()?;
    stage.shell(&install)?;
    stage.site.await_controllers().await?;
    stage.tell("helm install: two replicas of the controller are ready");
    stage.site.start_provider().await?;
    stage.shell(&objects)?;
    let seen = stage.shell(&application)?;
    for expected in [
        "Hello, this is z-ai/glm-4.5-air, under the key that ends in one.",
        "1/1",
        "Phase:          Succeeded",
    ] {
        ensure!(seen.contains(expected), "no `{expected}` in {seen}");
    }
    stage.tell("the README's commands: two objects, a label, an answer; helm test passes");
    Ok(())
}

async fn two_objects_and_a_label(stage: &Stage) -> anyhow::Result<()> {
    stage.site.kubectl(&["create", "namespace", TEAM]).await?;
    key(stage, "one").await?;
    route(stage, "house-small").await?;
    stage.site.apply(CHAT, &[]).await?;
    stage.site.wait(TEAM, "pod/chat", "condition=Ready").await?;
    let first = "{.spec.initContainers[0].name} {.spec.initContainers[0].restartPolicy}";
    ensure!(stage.field("pod/chat", first).await? == "pillion Always", "no sidecar was injected");
    stage.tell("a pod that has the label, and with it a sidecar");
    let programmed = async || {
        let table = stage.site.kubectl(&["get", "-n", TEAM, "llmroutes"]).await?;
        Ok(table.contains("1/1"))
    };
    until("1/1 in `kubectl get llmroutes`", programmed).await?;
    stage.tell("kubectl get llmroutes: 1/1");
    Ok(())
}

async fn calls(stage: &Stage) -> anyhow::Result<()> {
    for dialect in [Dialect::OpenAi, Dialect::Anthropic] {
        let answer = stage.call(dialect).await?;
        let expected = "Hello, this is house-small, under the key that ends in one.";
        ensure!(answer.contains(expected), "{dialect:?}: {answer}");
    }
    stage.tell("calls are answered, in both dialects");
    stage.stream(Dialect::OpenAi, "data: [DONE]").await?;
    stage.stream(Dialect::Anthropic, "event: message_stop").await?;
    stage.tell("calls are streamed");
    Ok(())
}

async fn edits(stage: &Stage) -> anyhow::Result<()> {
    route(stage, "house-large").await?;
    stage.until_answered("this is house-large").await?;
    stage.tell("a route is edited: calls follow");
    key(stage, "two").await?;
    stage.until_answered("the key that ends in two").await?;
    stage.tell("a Secret is rotated: calls follow");
    Ok(())
}

async fn job(stage: &Stage) -> anyhow::Result<()> {
    stage.site.apply(JOB, &[("CALL", &in_yaml(&Dialect::OpenAi.call("hi", "")))]).await?;
    stage.site.wait(TEAM, "job/once", "condition=Complete").await?;
    let answer = stage.site.kubectl(&["logs", "-n", TEAM, "job/once", "-c", "app"]).await?;
    ensure!(answer.contains("this is house-large"), "the job's call: {answer}");
    let pod = ["get", "-n", TEAM, "pod", "-l", "job-name=once", "-o", "name"];
    let pod = stage.site.kubectl(&pod).await?;
    let code = "{.status.initContainerStatuses[0].state.terminated.exitCode}";
    let code = stage.field(pod.trim(), code).await?;
    ensure!(code == "0", "the job's sidecar ended with `{code}`");
    stage.tell("a Job calls and completes, and its sidecar ends");
    Ok(())
}

async fn leave_in_the_middle(stage: &Stage) -> anyhow::Result<()> {
    stage.site.apply(LEAVING, &[("CALL", &Dialect::OpenAi.call("hold", "--no-buffer"))]).await?;
    stage.site.wait(TEAM, "pod/leaving", "condition=Ready").await?;
    let logs = ["logs", "--follow", "-n", TEAM, "leaving", "-c"];
    let app = stage.follow("leaving-app", &[&logs[..], &["app"]].concat())?;
    let sidecar = stage.follow("leaving-sidecar", &[&logs[..], &["pillion"]].concat())?;
    stage.until_said(&app, "this is house-large").await?;
    stage.site.kubectl(&["delete", "-n", TEAM, "pod/leaving", "--wait=false"]).await?;
    stage.until_said(&app, "told to end").await?;
    ensure!(!fs::read_to_string(app.log())?.contains("[DONE]"), "the stream was not held");
    stage.site.kubectl(&["get", "--raw", RELEASE]).await?;
    stage.until_said(&app, "data: [DONE]").await?;
    stage.until_said(&app, "curl: 0").await?;
    stage.until_said(&sidecar, "\"bye\"").await?;
    stage.site.wait(TEAM, "pod/leaving", "delete").await?;
    stage
        .tell("a pod is deleted in the middle of a stream: it comes to its end, then the pod goes");
    Ok(())
}

async fn roll_the_controller(stage: &Stage) -> anyhow::Result<()> {
    let call = Dialect::OpenAi.call("hi", "--output /dev/null --write-out '%{http_code}\\n'");
    let calls = format!("while [ ! -e /tmp/over ]; do {call} || echo failed; done");
    let exec = ["exec", "-n", TEAM, "chat", "-c", "app", "--", "sh", "-c", &*calls];
    let mut caller = stage.follow("caller", &exec)?;
    stage.until_said(&caller, "200").await?;
    stage.site.kubectl(&["rollout", "restart", "-n", SYSTEM, "deployment/pillion"]).await?;
    stage.site.await_controllers().await?;
    route(stage, "house-new").await?;
    stage.until_answered("this is house-new").await?;
    stage.exec("chat", "touch /tmp/over").await?;
    until("the end of the calls", async || Ok(caller.must_run().is_err())).await?;
    let said = fs::read_to_string(caller.log())?;
    let failed: Vec<&str> = said.lines().filter(|line| *line != "200").collect();
    ensure!(failed.is_empty(), "calls failed while the controller was rolled: {failed:?}");
    let calls = said.lines().count();
    stage.tell(&format!("the controller is rolled while {calls} calls run: none fails"));
    Ok(())
}

async fn lose_the_sidecar(stage: &Stage) -> anyhow::Result<()> {
    scale(stage, "0").await?;
    let gone = async || {
        let controllers = ["get", "pods", "-n", SYSTEM, "-l", "app.kubernetes.io/name=pillion"];
        Ok(stage.site.kubectl(&[&controllers[..], &["-o", "name"]].concat()).await?.is_empty())
    };
    until("the end of the controllers", gone).await?;
    let id = "{.status.initContainerStatuses[0].containerID}";
    let id = stage.field("pod/chat", id).await?;
    let id = id.strip_prefix("containerd://").context("a container of containerd")?.to_owned();
    stage.site.node.kill(&id)?;
    let restarted = async || {
        let state = "{.status.initContainerStatuses[0].restartCount} \
                     {.status.initContainerStatuses[0].ready}";
        Ok(stage.field("pod/chat", state).await? == "1 true")
    };
    until("the sidecar's return", restarted).await?;
    let answer = stage.call(Dialect::OpenAi).await?;
    ensure!(answer.contains("this is house-new"), "from the cached bundle: {answer}");
    stage.tell("the sidecar is killed while no controller is there: it returns and serves");
    scale(stage, "2").await?;
    stage.site.await_controllers().await
}

async fn uninstall(stage: &Stage) -> anyhow::Result<()> {
    stage.site.helm(&["uninstall", "pillion", "--namespace", SYSTEM, "--wait"])?;
    stage.call(Dialect::OpenAi).await?;
    stage.tell("helm uninstall: pods that run go on calling");
    Ok(())
}

async fn route(stage: &Stage, model: &str) -> anyhow::Result<()> {
    stage.site.apply(ROUTE, &[("TARGET", model)]).await
}

async fn key(stage: &Stage, last: &str) -> anyhow::Result<()> {
    stage.site.apply(KEY, &[("KEY", &format!("{CANARY}-{last}"))]).await
}

async fn scale(stage: &Stage, replicas: &str) -> anyhow::Result<()> {
    let replicas = format!("--replicas={replicas}");
    stage.site.kubectl(&["scale", "-n", SYSTEM, "deployment/pillion", &replicas]).await.map(|_| ())
}

/// Within a text in single quotes.
fn in_yaml(text: &str) -> String {
    text.replace('\'', "''")
}
