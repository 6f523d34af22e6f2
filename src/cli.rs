//! The door: arguments, environment, terminal.
use std::process::ExitCode;
/// Runs the command line.
pub fn main() -> ExitCode {
    ExitCode::SUCCESS
}
