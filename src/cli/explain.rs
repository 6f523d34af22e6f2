//! stub
use std::process::ExitCode;
/// stub
#[derive(Debug, Clone, clap::Args)]
pub struct ExplainArgs {}
/// stub
pub fn run(_args: &ExplainArgs) -> anyhow::Result<ExitCode> {
    Ok(ExitCode::SUCCESS)
}
