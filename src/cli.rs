//! The door: arguments, environment, terminal.

pub mod crds;

use std::process::ExitCode;
/// Runs the command line.
pub fn main() -> ExitCode {
    ExitCode::SUCCESS
}
