//! `make cluster`: brings the playground up, says what there is to try, and stays until it is
//! interrupted.

use std::env;
use std::future::pending;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use pillion_playground::Playground;
use pillion_playground::screen::Screen;
use tokio::signal::unix::{SignalKind, signal};

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let pillion = env::args_os().nth(1).map(PathBuf::from);
    let pillion = pillion.context("usage: pillion-playground PILLION; see scripts/cluster")?;
    let mut terminate = signal(SignalKind::terminate())?;
    let ended = tokio::select! {
        ended = stay(&pillion) => ended,
        interrupted = tokio::signal::ctrl_c() => Ok(interrupted?),
        _ = terminate.recv() => Ok(()),
    };
    match ended {
        // A reader that has left (`| head`) has seen enough.
        Err(error) if is_reader_gone(&error) => Ok(()),
        ended => ended,
    }
}

async fn stay(pillion: &Path) -> anyhow::Result<()> {
    let screen = Arc::new(Screen::of_stdout());
    screen.heading("Pillion in a Kubernetes of its own")?;
    let told = Arc::clone(&screen);
    let listener = Arc::new(move |line: &str| {
        // Nobody reads it: the next line from here finds out.
        let _ = told.line("provider", line);
    });
    let playground = Playground::start(pillion, &screen, listener).await?;
    screen.tell(&playground)?;
    pending().await
}

fn is_reader_gone(error: &anyhow::Error) -> bool {
    let kind = error.downcast_ref::<io::Error>().map(io::Error::kind);
    kind == Some(io::ErrorKind::BrokenPipe)
}
