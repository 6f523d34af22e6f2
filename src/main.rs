//! The `pillion` binary: everything is in the library, so that `tests/it` can drive it too.

use std::process::ExitCode;

fn main() -> ExitCode {
    pillion::cli::main()
}
