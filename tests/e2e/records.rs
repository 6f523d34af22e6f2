//! What the pods said and what there was: kept when the story fails, searched for keys when not.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::ensure;

use crate::stage::{FOLLOWED, Stage};
use crate::story::CANARY;

/// A page of what is kept, and the arguments by which kubectl writes it. No Secrets.
const PAGES: [(&str, &[&str]); 4] = [
    ("pods.txt", &["get", "pods", "-A", "-o", "wide"]),
    ("events.txt", &["get", "events", "-A", "--sort-by=.metadata.creationTimestamp"]),
    ("described.txt", &["describe", "pods", "-A"]),
    ("objects.yaml", &["get", "all,cm,ep,llmroutes,providersecrets,leases", "-A", "-o", "yaml"]),
];

/// A container that has said something.
struct Said {
    /// `NAMESPACE-POD-CONTAINER`, and whether it is the one before.
    name: String,
    text: String,
}

/// Keeps everything, and returns the folder. What cannot be had is missing from it.
pub(crate) async fn keep(stage: &Stage) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("e2e");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    for (name, arguments) in PAGES {
        let page = stage.site.kubectl(arguments).await;
        let text = page.unwrap_or_else(|error| format!("{error:#}"));
        fs::write(folder.join(name), text).unwrap();
    }
    for Said { name, text } in said(stage).await.unwrap_or_default() {
        fs::write(folder.join(format!("{name}.log")), text).unwrap();
    }
    for log in logs(stage) {
        let _ = fs::copy(&log, folder.join(log.file_name().unwrap()));
    }
    folder
}

/// Searches all that pods have said, also those that are gone, and what is kept of objects.
pub(crate) async fn no_key_is_told(stage: &Stage) -> anyhow::Result<()> {
    let key = "{.data.api-key}";
    ensure!(!stage.field("secret/house", key).await?.is_empty(), "nobody has a key");
    let mut said = said(stage).await?;
    let followed = logs(stage).into_iter().filter(|log| {
        log.file_name().is_some_and(|name| name.to_string_lossy().starts_with(FOLLOWED))
    });
    for log in followed {
        said.push(Said { name: log.display().to_string(), text: fs::read_to_string(&log)? });
    }
    let silent = said.iter().filter(|said| said.text.is_empty()).count();
    ensure!(said.len() > silent + 8, "hardly anybody has said anything");
    for (name, arguments) in PAGES {
        said.push(Said { name: name.to_owned(), text: stage.site.kubectl(arguments).await? });
    }
    let told: Vec<&str> =
        said.iter().filter(|said| said.text.contains(CANARY)).map(|said| &*said.name).collect();
    ensure!(told.is_empty(), "keys are told by {told:?}");
    Ok(())
}

/// What all containers of all pods have said, those that were restarted twice.
async fn said(stage: &Stage) -> anyhow::Result<Vec<Said>> {
    let containers = "{range .items[*]}{.metadata.namespace} {.metadata.name} \
                      {.spec.initContainers[*].name} {.spec.containers[*].name}{\"\\n\"}{end}";
    let path = format!("jsonpath={containers}");
    let pods = stage.site.kubectl(&["get", "pods", "-A", "-o", &path]).await?;
    let mut all = Vec::new();
    for pod in pods.lines() {
        let words: Vec<&str> = pod.split_whitespace().collect();
        let [namespace, name, containers @ ..] = &words[..] else { continue };
        for container in containers {
            let logs = ["logs", "-n", namespace, name, "-c", container];
            let text = stage.site.kubectl(&logs).await.unwrap_or_default();
            all.push(Said { name: format!("{namespace}-{name}-{container}"), text });
            let before = stage.site.kubectl(&[&logs[..], &["--previous"]].concat()).await;
            let name = format!("{namespace}-{name}-{container}-before");
            all.extend(before.ok().map(|text| Said { name, text }));
        }
    }
    Ok(all)
}

/// The logs of the node's servers, and of what followed pods.
fn logs(stage: &Stage) -> Vec<PathBuf> {
    let files = fs::read_dir(stage.site.node.folder()).into_iter().flatten().flatten();
    files
        .map(|file| file.path())
        .filter(|path| path.extension().is_some_and(|e| e == "log"))
        .collect()
}
