//! `make cluster`: brings a playground up, says what there is to try, and stays until it is
//! interrupted. `pillion-playground PILLION` is an API server alone, `pillion-playground PILLION
//! IMAGE...` a node with these images on it, and Pillion in one of them.

use std::env;
use std::future::pending;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use pillion_playground::screen::Screen;
use pillion_playground::{Playground, Site, installed, steps};
use tokio::signal::unix::{SignalKind, signal};

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let mut arguments = env::args_os().skip(1).map(PathBuf::from);
    let pillion = arguments.next();
    let pillion = pillion.context("usage: pillion-playground PILLION [IMAGE...]")?;
    let images: Vec<PathBuf> = arguments.collect();
    let mut terminate = signal(SignalKind::terminate())?;
    let ended = tokio::select! {
        ended = stay(&pillion, images) => ended,
        interrupted = tokio::signal::ctrl_c() => Ok(interrupted?),
        _ = terminate.recv() => Ok(()),
    };
    match ended {
        // A reader that has left (`| head`) has seen enough.
        Err(error) if is_reader_gone(&error) => Ok(()),
        ended => ended,
    }
}

async fn stay(pillion: &Path, images: Vec<PathBuf>) -> anyhow::Result<()> {
    let screen = Screen::of_stdout();
    screen.heading("Pillion in a Kubernetes of its own")?;
    match images.is_empty() {
        true => stay_alone(pillion, screen).await,
        false => stay_on_node(pillion, images, &screen).await,
    }
}

async fn stay_on_node(pillion: &Path, images: Vec<PathBuf>, screen: &Screen) -> anyhow::Result<()> {
    screen.line("node", "etcd, kube-apiserver, containerd, kubelet start; images are loaded")?;
    let site = Site::start(images).await?;
    installed::set_up(&site, screen).await?;
    screen.guide(&installed::environment(&site, pillion), &steps::of_node())?;
    screen.heading("Ctrl-C ends it and removes everything.")?;
    pending().await
}

async fn stay_alone(pillion: &Path, screen: Screen) -> anyhow::Result<()> {
    let screen = Arc::new(screen);
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
