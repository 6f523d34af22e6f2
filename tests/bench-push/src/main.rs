//! How fast, and at what cost, the controller tells its sidecars of a change.
//!
//! Reading order: `run` (the phases), `town` (the objects), `fleet` and `sidecar` (who is told),
//! `real` (a `pillion proxy` among them), `replicas` (the controllers), `proc` (what they cost),
//! `figures` (what came out), `report` (the page). Everything runs against a real API server; the
//! sidecars speak the real protocol, many in this process, each with a pod and a token of its own.

mod figures;
mod fleet;
mod http;
mod proc;
mod real;
mod replicas;
mod report;
mod run;
mod sidecar;
mod town;

use std::env;
use std::fs;
use std::path::PathBuf;

use anyhow::Context;
use tokio::task::LocalSet;

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let mut arguments = env::args_os().skip(1).map(PathBuf::from);
    let usage = "usage: pillion-bench-push PILLION REPORT DATE; see scripts/bench-push";
    let (pillion, page) = (arguments.next().context(usage)?, arguments.next().context(usage)?);
    let date = arguments.next().context(usage)?;
    let machine = report::Machine::look(&date.to_string_lossy());
    let figures = LocalSet::new().run_until(run::all(&pillion)).await?;
    let text = report::page(&machine, &figures);
    fs::write(&page, &text).with_context(|| page.display().to_string())?;
    report::show(&text)
}
