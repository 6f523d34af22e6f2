//! Options that several commands take.

use std::time::Duration;

use clap::Args;

use super::units;

/// Where manifests and keys come from.
#[derive(Debug, Clone, Args)]
pub(super) struct SourceArgs {
    /// A key from the environment instead of a file: NAMESPACE/SECRET/KEY=VARIABLE (repeatable),
    /// for example default/anthropic/api-key=ANTHROPIC_API_KEY
    #[arg(long = "key", value_name = "NS/SECRET/KEY=VAR")]
    pub(super) keys: Vec<String>,
}

/// The `--body-limit` of a proxy that is told none, as its default below says it.
pub(super) const BODY_LIMIT: usize = 32 << 20;

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
