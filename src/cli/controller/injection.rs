//! The webhook's part of `pillion controller`: its flags, its settings, its start.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, bail};
use clap::Args;
use prometheus::Registry;
use tokio::net::TcpListener;

use crate::cli::serve;
use crate::controller::certificates::{self, Serving};
use crate::feed::documents;
use crate::inject::decide::Served;
use crate::inject::metrics::Metrics;
use crate::inject::server;
use crate::inject::settings::Settings;
use crate::inject::webhook::Webhook;
use crate::name::ObjectName;
use crate::net::drain::Drain;
use crate::net::task;

/// What the sidecars are that the controller puts into pods.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Injection")]
pub(super) struct InjectionArgs {
    /// What sidecars are to be (YAML: image, controller, port, ...); with it pods are injected by
    /// the webhook POST /inject
    #[arg(long, value_name = "FILE", env = "PILLION_INJECTION")]
    pub(super) injection: Option<PathBuf>,

    /// Where the API server asks about pods, over TLS with the certificate that sidecars are shown
    #[arg(long, value_name = "ADDR:PORT", default_value = "[::]:8791", env = "PILLION_WEBHOOK")]
    webhook: SocketAddr,

    /// The MutatingWebhookConfiguration whose caBundle is kept true; without it, it is not touched
    #[arg(
        long,
        value_name = "NAME",
        requires = "injection",
        env = "PILLION_WEBHOOK_CONFIGURATION"
    )]
    pub(super) webhook_configuration: Option<String>,
}

/// A webhook that is to be served.
pub(super) struct Injection {
    listener: TcpListener,
    settings: Settings,
    served: Served,
    metrics: Metrics,
}

/// The settings of a file.
///
/// # Errors
/// When it cannot be read, or says something wrong: which field, and what to do.
pub(in crate::cli) fn settings(path: &Path) -> anyhow::Result<Settings> {
    let file = path.display();
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {file}"))?;
    let mut documents = documents::values(&text);
    let value = match (documents.pop(), documents.is_empty()) {
        (Some(value), true) => value.with_context(|| format!("{file} is no YAML"))?,
        _ => bail!("{file} must hold one YAML document, with image and controller"),
    };
    let settings = Settings::from_value(value);
    settings.map_err(|fault| anyhow::anyhow!("{file}: {fault}"))
}

// === impl Injection ===

impl Injection {
    /// Takes its address, if there is to be one.
    ///
    /// # Errors
    /// When its settings cannot be used, or the address is taken.
    pub(super) fn open(
        args: &InjectionArgs,
        namespaces: &[ObjectName],
        registry: &Registry,
    ) -> anyhow::Result<Option<Self>> {
        let Some(file) = &args.injection else { return Ok(None) };
        let settings = settings(file)?;
        let served = match namespaces {
            [] => Served::All,
            some => {
                let names = some.iter().map(|name| name.as_str().to_owned());
                Served::Only(names.collect::<BTreeSet<_>>())
            }
        };
        let listener = TcpListener::from_std(serve::bind(args.webhook)?)?;
        let metrics = Metrics::register(registry)?;
        Ok(Some(Self { listener, settings, served, metrics }))
    }

    /// Where it listens.
    pub(super) fn address(&self) -> anyhow::Result<SocketAddr> {
        Ok(self.listener.local_addr()?)
    }

    /// Serves until the drain is over.
    ///
    /// # Errors
    /// When the TLS library refuses its settings.
    pub(super) fn start(self, serving: Arc<Serving>, drain: Drain) -> anyhow::Result<()> {
        let tls = certificates::webhook_config(Arc::clone(&serving))?;
        let Self { listener, settings, served, metrics } = self;
        let authorities = Box::new(move || serving.authorities());
        let webhook = Webhook { settings, served, authorities, metrics };
        drop(task::spawn(server::serve(listener, tls, webhook, drain)));
        Ok(())
    }
}
