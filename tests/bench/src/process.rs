//! A process that the benchmark started, and its end.
//!
//! It ends when this value is dropped, and also when the benchmark is killed: the kernel then sends
//! it a SIGTERM (`setpriv --pdeathsig`). Nothing is ever ended by name.

use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, bail};
use rustix::process::{Pid, Signal, kill_process};

/// How long a process may take to end by itself.
const PATIENCE: Duration = Duration::from_secs(3);

/// What to start.
#[derive(Debug)]
pub(crate) struct Program<'a> {
    /// Its log files are called so.
    pub(crate) name: String,
    pub(crate) command: Vec<String>,
    pub(crate) folder: &'a Path,
    /// The one processor that it runs on, if not on all that the benchmark has.
    pub(crate) cpu: Option<&'a str>,
}

#[derive(Debug)]
pub(crate) struct Process {
    name: String,
    child: Child,
    errors: PathBuf,
}

fn open(path: &Path) -> anyhow::Result<File> {
    let opened = OpenOptions::new().create(true).append(true).open(path);
    opened.with_context(|| format!("opening {}", path.display()))
}

// === impl Program ===

impl Program<'_> {
    /// Starts it, with standard output in a file.
    pub(crate) fn start(self) -> anyhow::Result<Process> {
        let path = self.folder.join(format!("{}.access", self.name));
        let output = open(&path)?;
        self.spawn(output.into())
    }

    /// Starts it and reads the first line that it prints: its ports.
    pub(crate) fn start_and_read(self) -> anyhow::Result<(Process, String)> {
        let mut process = self.spawn(Stdio::piped())?;
        let output = process.child.stdout.take().context("no standard output")?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        Ok((process, line.trim().to_owned()))
    }

    fn spawn(self, output: Stdio) -> anyhow::Result<Process> {
        let mut words: Vec<String> = ["setpriv", "--pdeathsig", "TERM"].map(str::to_owned).into();
        if let Some(cpu) = self.cpu {
            words.extend(["taskset", "-c", cpu].map(str::to_owned));
        }
        words.extend(self.command);
        let errors = self.folder.join(format!("{}.err", self.name));
        let child = Command::new(&words[0])
            .args(&words[1..])
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(open(&errors)?)
            .spawn()
            .with_context(|| format!("starting {}", self.name))?;
        Ok(Process { name: self.name, child, errors })
    }
}

// === impl Process ===

impl Process {
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Tries until it works, the process ends, or patience does.
    pub(crate) fn await_ready(
        &mut self,
        mut attempt: impl FnMut() -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let deadline = Instant::now() + Duration::from_secs(15);
        loop {
            if let Some(status) = self.child.try_wait()? {
                bail!("{} ended ({status}): {}", self.name, self.last_words());
            }
            match attempt() {
                Ok(()) => return Ok(()),
                Err(error) if Instant::now() > deadline => {
                    let last_words = self.last_words();
                    return Err(error.context(anyhow!("{} is not ready: {last_words}", self.name)));
                }
                Err(_) => thread::sleep(Duration::from_millis(50)),
            }
        }
    }

    fn last_words(&self) -> String {
        let text = fs::read_to_string(&self.errors).unwrap_or_default();
        let lines: Vec<&str> = text.lines().rev().take(5).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join("\n")
    }

    fn ended_by_itself(&mut self) -> bool {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return true;
            }
            thread::sleep(Duration::from_millis(10));
        }
        false
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let pid = i32::try_from(self.pid()).ok().and_then(Pid::from_raw);
        if let Some(pid) = pid {
            // An error means that it has ended already.
            let _ = kill_process(pid, Signal::TERM);
        }
        if !self.ended_by_itself() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}
