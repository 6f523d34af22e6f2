//! `pillion status`: what the controller says of the objects of a cluster, for people: where calls
//! go, whether that runs, and what to do where something is not well.
//!
//! Owns the command, its exit code and its JSON; [`cluster`] asks the API server, [`view`] reads
//! the objects, [`text`] lays them out. It reads what is written in the objects and judges nothing
//! itself, so that it and `kubectl` cannot disagree.

mod cluster;
mod text;
mod view;

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::Args;

use super::terminal::{self, Format, Look};
use view::View;

/// What of the cluster is shown.
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLES)]
pub struct StatusArgs {
    /// The namespace; without it the context's own
    #[arg(short, long, value_name = "NAMESPACE", conflicts_with = "all_namespaces")]
    namespace: Option<String>,

    /// Every namespace
    #[arg(short = 'A', long)]
    all_namespaces: bool,

    /// The kubeconfig file; without it KUBECONFIG, ~/.kube/config, or the pod's own account
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,

    /// The context of the kubeconfig; without it the current one
    #[arg(long, value_name = "NAME")]
    context: Option<String>,

    /// How to tell it
    #[arg(short, long, value_enum, value_name = "FORM", default_value_t = Format::Text)]
    output: Format,

    /// The same as -o json
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Exit code: 0 if every condition of every object is True and says so of the object as it stands now,
1 if not, or if the cluster cannot be asked; 2 for wrong arguments.

Examples:
  pillion status                  the namespace of the current context
  pillion status -A               every namespace
  pillion status --json | jq '.objects[] | select(.well | not)'";

/// Asks, and prints.
///
/// # Errors
/// When the cluster cannot be asked, which says what to do, or standard output is closed.
pub fn run(args: &StatusArgs) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.context("cannot start")?;
    let (scope, views) = runtime.block_on(cluster::look(args))?;
    let mut out = Vec::new();
    match args.output {
        _ if args.json => json(&views, &mut out)?,
        Format::Json => json(&views, &mut out)?,
        Format::Text => text::write(&views, &scope.to_string(), &mut out, Look::of_stdout())?,
    }
    terminal::print(&out)?;
    Ok(match views.iter().all(View::is_well) {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}

fn json(views: &[View], out: &mut dyn Write) -> anyhow::Result<()> {
    let objects: Vec<_> = views.iter().map(View::to_json).collect();
    let well = views.iter().all(View::is_well);
    let document = serde_json::json!({"well": well, "objects": objects});
    serde_json::to_writer_pretty(&mut *out, &document)?;
    writeln!(out)?;
    Ok(())
}

#[cfg(test)]
mod tests;
