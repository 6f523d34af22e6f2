//! `pillion render`: what injection makes of a manifest, without a cluster.
//!
//! Owns the kinds that hold pods and where they hold them, and the form of the output. What is
//! done to a pod is `inject`'s.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, anyhow};
use clap::Args;
use serde_json::{Value, json};

use super::controller::injection_settings;
use super::terminal::{self, plain};
use crate::feed::documents;
use crate::inject::decide::{Decision, Served, decide};
use crate::inject::patch;
use crate::inject::settings::Settings;

/// What is rendered, and with which settings.
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLES)]
pub struct RenderArgs {
    /// Manifests to read; `-` is standard input
    #[arg(short, long = "filename", value_name = "FILE", required = true)]
    filename: Vec<PathBuf>,

    /// The controller's injection file; without it, the defaults of this version
    #[arg(long, value_name = "FILE")]
    settings: Option<PathBuf>,

    /// The CA certificates (PEM) by which the sidecar is to believe its controller: ca.crt of
    /// ConfigMap pillion-ca
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
}

/// What came out.
#[derive(Debug, Default)]
pub struct Rendered {
    /// Every object, injected or as it was; nothing, if one was refused.
    pub yaml: String,
    /// What was skipped, and why: one line each.
    pub notes: Vec<String>,
    /// What was refused, and what to do: one line each.
    pub refusals: Vec<String>,
}

const EXAMPLES: &str = "\
Without a cluster nobody can tell which namespaces ask for the sidecar: so every pod gets it, and
every pod template in a Deployment, StatefulSet, DaemonSet, ReplicaSet, Job or CronJob, unless its
label pillion.dev/inject is \"false\". Other objects pass as they are; comments are lost.

Exit code: 0, or 1 if a pod is refused or a file cannot be read; then nothing is printed.

Examples:
  pillion render -f deployment.yaml
  kubectl get configmap -n pillion-system pillion-ca -o jsonpath='{.data.ca\\.crt}' > ca.crt
  pillion render -f deployment.yaml --ca ca.crt | kubectl apply -f -";

/// Renders, prints the objects, and says on standard error what was skipped.
///
/// # Errors
/// When a file cannot be read, or standard output is closed.
pub fn run(args: &RenderArgs) -> anyhow::Result<ExitCode> {
    let rendered = render(args, &mut std::io::stdin().lock())?;
    for line in rendered.notes.iter().chain(&rendered.refusals) {
        terminal::complain(line);
    }
    if !rendered.refusals.is_empty() {
        return Ok(ExitCode::FAILURE);
    }
    terminal::print(rendered.yaml.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

/// Renders, with `input` for standard input.
///
/// # Errors
/// When a file cannot be read.
pub fn render(args: &RenderArgs, input: &mut dyn Read) -> anyhow::Result<Rendered> {
    let renderer = Renderer::new(args)?;
    let mut rendered = Rendered::default();
    for path in &args.filename {
        let file = path.display().to_string();
        for document in documents::values(&read(path, input)?) {
            let mut object = document.with_context(|| format!("{file} is no YAML"))?;
            renderer.object(&mut object, &file, &mut rendered);
            let text = serde_saphyr::to_string(&object).context("cannot write YAML")?;
            if !rendered.yaml.is_empty() {
                rendered.yaml.push_str("---\n");
            }
            rendered.yaml.push_str(&text);
        }
    }
    if !rendered.refusals.is_empty() {
        rendered.yaml.clear();
    }
    Ok(rendered)
}

fn read(path: &Path, input: &mut dyn Read) -> anyhow::Result<String> {
    if path == Path::new("-") {
        let mut text = String::new();
        input.read_to_string(&mut text).context("cannot read standard input")?;
        return Ok(text);
    }
    std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

/// What every pod is rendered with.
struct Renderer {
    settings: Settings,
    authorities: String,
}

// === impl Renderer ===

impl Renderer {
    fn new(args: &RenderArgs) -> anyhow::Result<Self> {
        let settings = match &args.settings {
            Some(file) => injection_settings(file)?,
            None => defaults()?,
        };
        let authorities = args.ca.as_deref().map(|path| read(path, &mut std::io::empty()));
        let authorities = authorities.transpose()?.unwrap_or_default();
        if authorities.contains("PRIVATE KEY") {
            return Err(anyhow!("--ca holds a private key: give the certificates alone"));
        }
        Ok(Self { settings, authorities })
    }

    fn object(&self, object: &mut Value, file: &str, rendered: &mut Rendered) {
        let is_list = text(object, "/kind").is_some_and(|kind| kind.ends_with("List"));
        if is_list && let Some(Value::Array(items)) = object.get_mut("items") {
            for item in items {
                self.object(item, file, rendered);
            }
            return;
        }
        let name = name(object, file);
        let namespace = text(object, "/metadata/namespace").unwrap_or("default").to_owned();
        let Some(pod) = place(object).and_then(|place| object.pointer_mut(place)) else {
            rendered.notes.push(format!("{name}: left as it is: it holds no pod"));
            return;
        };
        let decision = decide(pod, &namespace, &self.settings, &Served::All);
        let operations = patch::operations(pod, &decision, &self.authorities);
        patch::apply(pod, &operations);
        match decision {
            Decision::Skip(skip) => {
                rendered.notes.push(format!("{name}: skipped: {}", skip.text()))
            }
            Decision::Refuse(fault) => rendered.refusals.push(format!("{name}: refused: {fault}")),
            Decision::Complete(_) => {
                rendered.notes.push(format!("{name}: it has its sidecar already"));
            }
            Decision::Inject(_) if self.authorities.is_empty() => {
                let note =
                    "annotation pillion.dev/controller-ca is left out: give the CA with --ca";
                rendered.notes.push(format!("{name}: {note}"));
            }
            Decision::Inject(_) => {}
        }
    }
}

fn defaults() -> anyhow::Result<Settings> {
    let image = format!("ghcr.io/pillion-dev/pillion:{}", env!("CARGO_PKG_VERSION"));
    let value = json!({ "image": image, "controller": "pillion.pillion-system.svc:8790" });
    Settings::from_value(value).map_err(|fault| anyhow!("the defaults: {fault}"))
}

/// Where an object holds its pod.
fn place(object: &Value) -> Option<&'static str> {
    match text(object, "/kind")? {
        "Pod" => Some(""),
        "PodTemplate" => Some("/template"),
        "Deployment"
        | "StatefulSet"
        | "DaemonSet"
        | "ReplicaSet"
        | "ReplicationController"
        | "Job" => Some("/spec/template"),
        "CronJob" => Some("/spec/jobTemplate/spec/template"),
        _ => None,
    }
}

fn text<'a>(object: &'a Value, pointer: &str) -> Option<&'a str> {
    object.pointer(pointer).and_then(Value::as_str)
}

/// `app.yaml: Deployment shop`
fn name(object: &Value, file: &str) -> String {
    let kind = text(object, "/kind").unwrap_or("an object without kind");
    let name = text(object, "/metadata/name").or_else(|| text(object, "/metadata/generateName"));
    plain(&format!("{file}: {kind} {}", name.unwrap_or_default())).trim_end().to_owned()
}
