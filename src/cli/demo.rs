//! `pillion demo`: what Pillion does, shown on the real thing.
//!
//! A scripted provider ([`provider`], [`answers`]) and the data plane that `pillion proxy` runs
//! stand on loopback in this process ([`stage`]); SDK-shaped calls ([`script`], [`client`]) go
//! through; the terminal ([`screen`], [`columns`]) shows what became of each ([`acts`]).
//!
//! What is shown of a call is read from what the provider received ([`compare`]d with what was
//! sent) and from the proxy's access log ([`journal`]), never from the script. No key is shown.

mod acts;
mod answers;
mod client;
mod columns;
mod compare;
mod folder;
mod journal;
mod provider;
mod screen;
mod script;
mod stage;

use std::io;
use std::process::ExitCode;

use clap::Args;
use tokio::runtime::Builder;
use tokio::task::LocalSet;

use super::signals::Signals;
use stage::Stage;

/// How long the demo lasts.
#[derive(Debug, Clone, Args)]
pub struct DemoArgs {
    /// End after the show, instead of staying up for calls by hand
    #[arg(long)]
    once: bool,
}

/// Runs the demo.
///
/// # Errors
/// When it cannot start, or a call does not come back.
pub fn run(args: &DemoArgs) -> anyhow::Result<ExitCode> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    LocalSet::new().block_on(&runtime, demo(args))
}

async fn demo(args: &DemoArgs) -> anyhow::Result<ExitCode> {
    let mut signals = Signals::listen()?;
    let mut stage = Stage::set_up().await?;
    let ended = tokio::select! {
        ended = perform(&mut stage, args) => ended,
        () = signals.next() => Ok(()),
    };
    stage.take_down(&mut signals).await;
    match ended {
        Err(error) if !is_reader_gone(&error) => Err(error),
        _ => Ok(ExitCode::SUCCESS),
    }
}

/// A reader that has left (`| head`) has seen enough.
fn is_reader_gone(error: &anyhow::Error) -> bool {
    let kind = error.downcast_ref::<io::Error>().map(io::Error::kind);
    kind == Some(io::ErrorKind::BrokenPipe)
}

async fn perform(stage: &mut Stage, args: &DemoArgs) -> anyhow::Result<()> {
    acts::play(stage).await?;
    match args.once {
        true => Ok(()),
        false => acts::stay(stage).await,
    }
}
