//! How the playground speaks: headings, labelled lines, commands that can be copied; 80 columns.
//!
//! As `pillion demo` does it. Bold only on a terminal.

use std::io::{self, IsTerminal, Write};
use std::sync::Mutex;

use crate::playground::Playground;
use crate::steps::Step;

/// Where the text of a labelled line begins.
const INDENT: usize = 14;
const COLUMNS: usize = 80;

/// Whoever reads it.
pub struct Screen {
    out: Mutex<Box<dyn Write + Send>>,
    bold: Option<[&'static str; 2]>,
}

// === impl Screen ===

impl Screen {
    /// Standard output.
    pub fn of_stdout() -> Self {
        let bold = io::stdout().is_terminal().then_some(["\x1b[1m", "\x1b[0m"]);
        Self { out: Mutex::new(Box::new(io::stdout())), bold }
    }

    /// Something else, without any paint.
    pub fn of(out: Box<dyn Write + Send>) -> Self {
        Self { out: Mutex::new(out), bold: None }
    }

    /// A heading.
    ///
    /// # Errors
    /// When nobody reads it any more.
    pub fn heading(&self, text: &str) -> io::Result<()> {
        let [on, off] = self.bold.unwrap_or_default();
        self.write(&format!("\n{on}{text}{off}\n"))
    }

    /// A labelled text; without a label it belongs to the one before.
    ///
    /// # Errors
    /// When nobody reads it any more.
    pub fn line(&self, label: &str, text: &str) -> io::Result<()> {
        let mut label = label;
        for line in wrap(text, COLUMNS - INDENT) {
            self.write(&format!("   {label:<width$}{line}\n", width = INDENT - 3))?;
            label = "";
        }
        Ok(())
    }

    /// What is up, and what to try.
    ///
    /// # Errors
    /// When nobody reads it any more.
    pub fn tell(&self, playground: &Playground) -> io::Result<()> {
        let (chat, agent) = (playground.chat(), playground.agent());
        self.line("sidecars", &format!("of pod chat: http://{chat}"))?;
        self.line("", &format!("of pod agent: http://{agent}"))?;
        let provider = playground.provider();
        self.line("provider", &format!("http://{provider}, a script; its keys are made up"))?;
        for (label, log) in ["logs", "", ""].into_iter().zip(playground.logs()) {
            self.line(label, &log.display().to_string())?;
        }
        self.guide(&playground.environment(), &playground.steps())?;
        self.heading("Ctrl-C ends it and removes everything. What reaches the provider:")
    }

    /// What to try in another terminal.
    ///
    /// # Errors
    /// When nobody reads it any more.
    pub fn guide(&self, environment: &[String], steps: &[Step]) -> io::Result<()> {
        self.heading("It stays up. In another terminal:")?;
        self.write(&format!("\n{}\n", environment.join("\n")))?;
        for (number, step) in (1..).zip(steps) {
            self.heading(&format!("{number}. {}", step.title))?;
            for line in wrap(step.note, COLUMNS - 3) {
                self.write(&format!("   {line}\n"))?;
            }
            let commands: Vec<&str> = step.lines.iter().map(|line| &*line.command).collect();
            self.write(&format!("\n{}\n", commands.join("\n")))?;
        }
        Ok(())
    }

    fn write(&self, text: &str) -> io::Result<()> {
        // Whoever panicked while writing has left a line unfinished, and nothing worse.
        let mut out = self.out.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        out.write_all(text.as_bytes())?;
        out.flush()
    }
}

/// Lines of at most so many columns, if the words allow it.
fn wrap(text: &str, columns: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let line = lines.last().map_or(0, |line| line.chars().count());
        match lines.last_mut() {
            Some(last) if line == 0 => last.push_str(word),
            Some(last) if line + 1 + word.chars().count() <= columns => {
                last.push(' ');
                last.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}
