//! `pillion completions`: what a shell needs to complete our commands.

use std::process::ExitCode;

use clap::{Args, Command};
use clap_complete::Shell;

use super::terminal;

/// The shell to complete for.
#[derive(Debug, Clone, Args)]
pub struct CompletionsArgs {
    /// For example: pillion completions bash > /etc/bash_completion.d/pillion
    #[arg(value_enum)]
    shell: Shell,
}

/// Prints the completions.
///
/// # Errors
/// When standard output cannot be written.
pub fn run(args: &CompletionsArgs, mut command: Command) -> anyhow::Result<ExitCode> {
    // Into memory first: clap panics where a reader such as `head` leaves early.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, "pillion", &mut script);
    terminal::print(&script)?;
    Ok(ExitCode::SUCCESS)
}
