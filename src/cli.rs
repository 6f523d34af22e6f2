//! The door: the only reader of arguments and environment, the only writer to the terminal.
//!
//! `proxy` assembles the data plane, `controller` what feeds it in a cluster; [`status`] asks a
//! cluster; the other commands look at manifests without serving.

mod args;
pub mod check;
pub mod completions;
mod controller;
pub mod crds;
pub mod demo;
pub mod explain;
mod keys;
mod options;
mod proxy;
mod reload;
pub mod render;
mod serve;
mod signals;
pub mod status;
mod subscribe;
mod survey;
pub mod terminal;
mod units;

use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use args::{Command, Pillion};

/// Runs the command line.
pub fn main() -> ExitCode {
    let result = match Pillion::parse().command {
        Command::Proxy(args) => proxy::run(*args),
        Command::Controller(args) => controller::run(args),
        Command::Demo(args) => demo::run(&args),
        Command::Check(args) => check::run(&args),
        Command::Explain(args) => explain::run(&args),
        Command::Status(args) => status::run(&args),
        Command::Render(args) => render::run(&args),
        Command::Crds => crds::run(&mut std::io::stdout().lock()).map(|()| ExitCode::SUCCESS),
        Command::Completions(args) => completions::run(&args, Pillion::command()),
    };
    result.unwrap_or_else(|error| {
        terminal::complain(&format!("{error:#}"));
        ExitCode::FAILURE
    })
}
