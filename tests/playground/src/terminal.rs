//! Another terminal, in which what was printed is tried: what tests of the playground share.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use tokio::time::sleep;

use crate::steps::{Line, Step};

/// Every made-up key begins so, and nothing that is shown may have one.
const CANARY: &str = "made-up-key-";
/// How long it may take until something is to be seen.
const PATIENCE: Duration = Duration::from_secs(60);

/// What was written to a screen, for whoever writes it and for whoever reads it.
#[derive(Clone, Default)]
pub struct Shown(Arc<Mutex<Vec<u8>>>);

/// A shell in which the printed environment was entered.
pub struct Terminal {
    /// Where its user is at home.
    pub home: PathBuf,
    /// What was entered.
    pub environment: String,
    /// All that was printed.
    pub printed: String,
}

// === impl Shown ===

impl Shown {
    /// All of it, so far.
    pub fn text(&self) -> String {
        let bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

impl Write for Shown {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

// === impl Terminal ===

impl Terminal {
    /// Takes these steps, in their order.
    ///
    /// # Errors
    /// When one does not show what is said of it, or was not printed.
    pub async fn take(&self, steps: &[Step]) -> anyhow::Result<()> {
        ensure!(self.printed.contains(&self.environment), "the environment is not printed");
        for step in steps {
            for line in &step.lines {
                self.must_print(&line.command)?;
                self.until_shown(line).await.context(step.title)?;
            }
        }
        Ok(())
    }

    fn must_print(&self, command: &str) -> anyhow::Result<()> {
        ensure!(self.printed.contains(command), "it is not printed: {command}");
        let wide = command.lines().find(|line| is_too_wide(line));
        ensure!(wide.is_none(), "more than 80 columns: {command}");
        Ok(())
    }

    /// Runs it until it shows all: a change takes milliseconds, and this asks faster.
    async fn until_shown(&self, line: &Line) -> anyhow::Result<()> {
        let Line { command, shows } = line;
        let begun = Instant::now();
        loop {
            let said = self.run(command)?;
            ensure!(!said.contains(CANARY), "a key is shown by {command}");
            if shows.iter().all(|fact| said.contains(fact)) {
                return Ok(());
            }
            ensure!(begun.elapsed() < PATIENCE, "no {shows:?}: {command}\n{said}");
            sleep(Duration::from_millis(20)).await;
        }
    }

    fn run(&self, command: &str) -> anyhow::Result<String> {
        let script = format!("{}\n{command}", self.environment);
        let output = Command::new("sh").args(["-c", &script]).env("HOME", &self.home).output()?;
        let said = [output.stdout, output.stderr].concat();
        Ok(String::from_utf8(said)?)
    }
}

/// Where a project lies is not ours to say: a path alone in its line may be as long as it likes.
fn is_too_wide(line: &str) -> bool {
    line.chars().count() > 80 && line.trim_matches(&[' ', '\\'][..]).contains(' ')
}
