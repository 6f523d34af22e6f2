//! The command line, as `--help` tells it.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

use super::check::CheckArgs;
use super::completions::CompletionsArgs;
use super::demo::DemoArgs;
use super::explain::ExplainArgs;
use super::units;

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
    /// Prints the CustomResourceDefinitions
    Crds,
    /// Prints completions for a shell
    Completions(CompletionsArgs),
}

/// Where manifests and keys come from.
#[derive(Debug, Clone, Args)]
pub(super) struct SourceArgs {
    /// A key from the environment instead of a file: NAMESPACE/SECRET/KEY=VARIABLE (repeatable),
    /// for example default/anthropic/api-key=ANTHROPIC_API_KEY
    #[arg(long = "key", value_name = "NS/SECRET/KEY=VAR")]
    pub(super) keys: Vec<String>,
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

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Limits")]
pub(super) struct LimitArgs {
    /// Worker threads, each with its own connections to providers; 0: one a processor, at most 4
    #[arg(long, value_name = "N", default_value_t = 0, env = "PILLION_WORKERS")]
    pub(super) workers: usize,

    /// The largest request body; a larger one gets 413
    #[arg(long, value_name = "SIZE", default_value = "32Mi", value_parser = units::size)]
    pub(super) body_limit: usize,

    /// All request bodies together; beyond it calls get 503 with retry-after
    #[arg(long, value_name = "SIZE", default_value = "256Mi", value_parser = units::size)]
    pub(super) body_memory: usize,

    /// Client connections a worker; further ones wait
    #[arg(long, value_name = "N", default_value_t = 4096)]
    pub(super) connections: usize,

    /// How long a client may take for the head of a request
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = units::time)]
    pub(super) head_timeout: Duration,

    /// The longest pause within the body of a request
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = units::time)]
    pub(super) body_idle: Duration,

    /// How long a client may leave an answer unread
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = units::time)]
    pub(super) write_idle: Duration,

    /// After SIGTERM: how long late connections are still taken while /readyz says no
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = units::time)]
    pub(super) leave_delay: Duration,

    /// After SIGTERM: how long calls under way may go on; then they end with an error
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = units::time)]
    pub(super) grace: Duration,
}
