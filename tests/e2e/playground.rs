//! `make cluster` where it is root: every line that it prints, in the order in which it prints them.

use std::path::Path;

use anyhow::Context;
use pillion_playground::screen::Screen;
use pillion_playground::terminal::{Shown, Terminal};
use pillion_playground::{installed, steps};

use crate::stage::Stage;

/// Installs it, and does all that is proposed. Pillion must not be there yet.
pub(crate) async fn every_line(stage: &Stage) -> anyhow::Result<()> {
    let shown = Shown::default();
    let screen = Screen::of(Box::new(shown.clone()));
    let (site, pillion) = (&stage.site, Path::new(env!("CARGO_BIN_EXE_pillion")));
    installed::set_up(site, &screen).await.context("make cluster")?;
    stage.tell("make cluster: installed anew, and two applications call");
    let (environment, steps) = (installed::environment(site, pillion), steps::of_node());
    screen.guide(&environment, &steps)?;
    let (home, environment) = (site.node.folder().to_owned(), environment.join("\n"));
    let terminal = Terminal { home, environment, printed: shown.text() };
    terminal.take(&steps).await.context("make cluster")?;
    stage.tell(&format!("make cluster: each line of its {} steps does what it says", steps.len()));
    Ok(())
}
