//! The command line, as `--help` tells it.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use super::check::CheckArgs;
use super::completions::CompletionsArgs;
use super::controller::ControllerArgs;
use super::demo::DemoArgs;
use super::explain::ExplainArgs;
use super::options::{LimitArgs, SourceArgs};
use super::render::RenderArgs;
use super::status::StatusArgs;
use crate::feed::subscription::Address;

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
    /// Forwards LLM calls by the manifests of a folder, which it watches, or as a controller says
    Proxy(Box<ProxyArgs>),
    /// Watches a cluster's routes and hands them to its sidecars
    Controller(ControllerArgs),
    /// Tells every fault of a folder of manifests, with file and line
    Check(CheckArgs),
    /// Tells where a call would go, and why, without sending it
    Explain(ExplainArgs),
    /// Tells what of a cluster's routes runs where, and what to do about the rest
    Status(StatusArgs),
    /// Prints manifests as injection makes them, with the sidecar, without a cluster
    Render(RenderArgs),
    /// Prints the CustomResourceDefinitions
    Crds,
    /// Prints completions for a shell
    Completions(CompletionsArgs),
}

#[derive(Debug, Clone, Args)]
pub(super) struct ProxyArgs {
    #[command(flatten)]
    pub(super) feed: FeedArgs,

    #[command(flatten)]
    pub(super) source: SourceArgs,

    #[command(flatten)]
    pub(super) subscription: SubscriptionArgs,

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

/// Where routes come from: one of the two.
#[derive(Debug, Clone, Args)]
#[group(id = "feed", required = true, multiple = false)]
pub(super) struct FeedArgs {
    /// The folder (or file) with LlmRoute, ProviderSecret and Secret manifests
    #[arg(long, value_name = "DIR", env = "PILLION_MANIFESTS")]
    pub(super) manifests: Option<PathBuf>,

    /// The controller to take routes from
    #[arg(long, value_name = "HOST:PORT", env = "PILLION_CONTROLLER", conflicts_with = "keys")]
    pub(super) controller: Option<Address>,
}

/// How the controller is spoken to.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Controller")]
pub(super) struct SubscriptionArgs {
    /// The CA certificates that the controller is believed by
    #[arg(
        long,
        value_name = "FILE",
        default_value = "/var/run/secrets/pillion.dev/ca.crt",
        env = "PILLION_CONTROLLER_CA",
        conflicts_with = "manifests"
    )]
    pub(super) controller_ca: PathBuf,

    /// The pod's projected ServiceAccount token, for the audience pillion.dev
    #[arg(
        long,
        value_name = "FILE",
        default_value = "/var/run/secrets/pillion.dev/token",
        env = "PILLION_TOKEN",
        conflicts_with = "manifests"
    )]
    pub(super) token: PathBuf,

    /// A folder in memory (`medium: Memory`) that keeps what runs, keys included, for a restart of
    /// the container while no controller is there
    #[arg(long, value_name = "DIR", env = "PILLION_CACHE", conflicts_with = "manifests")]
    pub(super) cache: Option<PathBuf>,
}

/// Where the access log goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum AccessLog {
    /// Standard output.
    Stdout,
    /// Nowhere.
    Off,
}
