//! `pillion completions`: what a shell needs to complete our commands.

use std::process::ExitCode;

use clap::{Args, Command};
use clap_complete::Shell;

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
/// Never; the signature is that of every command.
pub fn run(args: &CompletionsArgs, mut command: Command) -> anyhow::Result<ExitCode> {
    clap_complete::generate(args.shell, &mut command, "pillion", &mut std::io::stdout());
    Ok(ExitCode::SUCCESS)
}
