//! The command line, as `--help` tells it.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use super::check::CheckArgs;
use super::completions::CompletionsArgs;
use super::demo::DemoArgs;
use super::explain::ExplainArgs;
use super::options::{LimitArgs, SourceArgs};
use super::status::StatusArgs;

/// Routes LLM calls: one YAML for where they go, under whose key, and what they cost.
///
/// Start with `pillion demo`, which needs no key and no network. Then point `pillion proxy` at a
/// folder of LlmRoute and ProviderSecret manifests, and your SDK's base URL at Pillion.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100)]
pub(super) struct Pillion {
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Shows what Pillion does: a scripted provider, a proxy, SDK-shaped calls; then stays up
    Demo(DemoArgs),
    /// Forwards LLM calls by the manifests of a folder, which it watches
    Proxy(Box<ProxyArgs>),
    /// Tells every fault of a folder of manifests, with file and line
    Check(CheckArgs),
    /// Tells where a call would go, and why, without sending it
    Explain(ExplainArgs),
    /// Tells what of a cluster's routes runs where, and what to do about the rest
    Status(StatusArgs),
    /// Prints the CustomResourceDefinitions
    Crds,
    /// Prints completions for a shell
    Completions(CompletionsArgs),
}

#[derive(Debug, Clone, Args)]
pub(super) struct ProxyArgs {
    /// The folder (or file) with LlmRoute, ProviderSecret and Secret manifests
    #[arg(long, value_name = "DIR", env = "PILLION_MANIFESTS")]
    pub(super) manifests: PathBuf,

    #[command(flatten)]
    pub(super) source: SourceArgs,

    /// Where callers connect
    #[arg(
        long,
        value_name = "ADDR:PORT",
        default_value = "127.0.0.1:8787",
        env = "PILLION_LISTEN"
    )]
    pub(super) listen: SocketAddr,

    /// Where /livez, /readyz, /metrics and (from this host only) /table answer
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:8788", env = "PILLION_ADMIN")]
    pub(super) admin: SocketAddr,

    #[command(flatten)]
    pub(super) limits: LimitArgs,

    /// Level of the process log on standard error: error, warn, info, debug, trace
    #[arg(long, value_name = "LEVEL", default_value = "info", env = "PILLION_LOG")]
    pub(super) log: String,

    /// Where the access log goes, one line of JSON a call
    #[arg(long, value_enum, default_value_t = AccessLog::Stdout, env = "PILLION_ACCESS_LOG")]
    pub(super) access_log: AccessLog,
}

/// Where the access log goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum AccessLog {
    /// Standard output.
    Stdout,
    /// Nowhere.
    Off,
}
