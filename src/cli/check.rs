//! stub
use std::process::ExitCode;
/// stub
#[derive(Debug, Clone, clap::Args)]
pub struct CheckArgs {}
/// stub
pub fn run(_args: &CheckArgs) -> anyhow::Result<ExitCode> {
    Ok(ExitCode::SUCCESS)
}
