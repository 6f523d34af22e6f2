//! A server's process, and its end.
//!
//! It is killed when this value is dropped, and by the kernel when the process that started it dies
//! in whatever way (`setpriv --pdeathsig`). Nothing is ever ended by name. Killed, not asked: what
//! the servers keep is thrown away, and what they do when they are killed is what tests are about.

use std::fs::{self, File};
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{OnceLock, mpsc};
use std::thread;

use anyhow::{Context, bail};

use crate::command;
use crate::folder::Folder;

/// What is to be run.
#[derive(Debug, Clone, Default)]
pub struct Program {
    /// What it is called in messages; its log is `NAME.log` in the cluster's folder.
    pub name: String,
    /// The executable.
    pub path: PathBuf,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// Variables that it has besides ours.
    pub environment: Vec<(String, String)>,
}

/// A server that runs, or has ended by itself.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    log: PathBuf,
}

/// A command to start, and where the outcome goes.
type Order = (Command, mpsc::Sender<io::Result<Child>>);

// === impl Process ===

impl Process {
    /// Starts a server of the cluster's own.
    pub(crate) fn start(
        path: &Path,
        arguments: &[String],
        folder: &Folder,
    ) -> anyhow::Result<Self> {
        let name = path.file_name().unwrap_or_default().display().to_string();
        let (path, arguments) = (path.to_owned(), arguments.to_vec());
        Self::run(Program { name, path, arguments, environment: Vec::new() }, folder)
    }

    /// Starts `program` in `folder`, which is where its log goes too.
    pub(crate) fn run(program: Program, folder: &Folder) -> anyhow::Result<Self> {
        let Program { name, path, arguments, environment } = program;
        let log = folder.path().join(format!("{name}.log"));
        let output = File::options().create(true).append(true).open(&log)?;
        let mut command = Command::new("setpriv");
        command
            .args(["--pdeathsig", "KILL", "--"])
            .arg(path)
            .args(arguments)
            .env("PATH", command::path())
            .envs(environment)
            .current_dir(folder.path())
            // Ctrl-C in a terminal is for whoever owns this, who then ends it.
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output);
        let child = spawn(command)
            .with_context(|| format!("cannot start {name} by setpriv (Debian: util-linux)"))?;
        Ok(Self { name, child, log })
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The file with what it has said so far.
    pub fn log(&self) -> &Path {
        &self.log
    }

    /// Nothing, for as long as it runs.
    ///
    /// # Errors
    /// When it has ended; the message has its last words.
    pub fn must_run(&mut self) -> anyhow::Result<()> {
        if let Some(status) = self.child.try_wait()? {
            bail!("{} ended ({status}): {}", self.name, self.last_words());
        }
        Ok(())
    }

    /// The last lines of its log.
    fn last_words(&self) -> String {
        let text = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().rev().take(5).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join("\n")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Errors mean that it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Starts a process from the one thread that lives as long as this process does: the kernel's
/// signal comes with the end of the *thread* that started a process, and a test's thread ends early.
fn spawn(command: Command) -> io::Result<Child> {
    static SPAWNER: OnceLock<mpsc::Sender<Order>> = OnceLock::new();
    let (reply, outcome) = mpsc::channel();
    let sent = SPAWNER.get_or_init(spawner).send((command, reply));
    sent.map_err(io::Error::other)?;
    outcome.recv().map_err(io::Error::other)?
}

fn spawner() -> mpsc::Sender<Order> {
    let (sender, orders) = mpsc::channel::<Order>();
    thread::spawn(move || {
        for (mut command, reply) in orders {
            // Whoever asked waits for it.
            let _ = reply.send(command.spawn());
        }
    });
    sender
}
