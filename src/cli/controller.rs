//! `pillion controller`: what feeds a cluster's sidecars, and puts them into pods.

mod injection;

use std::collections::BTreeSet;
use std::fs;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use clap::Args;
use http::StatusCode;
use prometheus::Registry;
use tokio::net::TcpListener;
use tokio::runtime::Builder;
use tokio::task::LocalSet;

use super::serve;
use super::signals::{Pace, Signals};
use crate::controller::certificates::files::{self, Files};
use crate::controller::certificates::{Serving, Source};
use crate::controller::connections::Connections;
use crate::controller::metrics::Metrics;
use crate::controller::push::metrics::PushMetrics;
use crate::controller::run::{Controller, Options, Outside};
use crate::controller::sidecars::Sidecars;
use crate::controller::snapshot::Feed;
use crate::controller::status;
use crate::name::ObjectName;
use crate::net::admin::{self, Audience, Page, Written};
use crate::net::drain::{self, Drain, Stage};
use crate::net::task;
use crate::telemetry;
pub(super) use injection::settings as injection_settings;
use injection::{Injection, InjectionArgs};

/// Late sidecars are still taken for this long while `/readyz` says no.
const LEAVE_DELAY: Duration = Duration::from_secs(1);
/// Sidecars are told to connect elsewhere, over half of this time; whoever has not gone by then is
/// cut off, and keeps what it runs.
const GRACE: Duration = Duration::from_secs(10);

#[derive(Debug, Clone, Args)]
pub(super) struct ControllerArgs {
    /// Watch only these namespaces, so that Roles suffice; else all, with a ClusterRole
    #[arg(long, value_name = "NS,NS", value_delimiter = ',', env = "PILLION_NAMESPACES")]
    namespaces: Vec<ObjectName>,

    /// Where sidecars connect
    #[arg(long, value_name = "ADDR:PORT", default_value = "[::]:8790", env = "PILLION_LISTEN")]
    listen: SocketAddr,

    /// Where /livez, /readyz and /metrics answer
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:8789", env = "PILLION_ADMIN")]
    admin: SocketAddr,

    /// The controller's own namespace, for its Lease and certificates
    #[arg(long, value_name = "NS", default_value = "pillion-system", env = "POD_NAMESPACE")]
    namespace: ObjectName,

    /// Certificate chain (PEM) to show to sidecars, read again when it changes; without it the
    /// controller makes and renews its own, in Secret pillion-tls, and its CA is in ConfigMap
    /// pillion-ca
    #[arg(long, value_name = "FILE", requires = "tls_key", env = "PILLION_TLS_CERT")]
    tls_cert: Option<PathBuf>,

    /// The key of --tls-cert (PEM)
    #[arg(long, value_name = "FILE", requires = "tls_cert", env = "PILLION_TLS_KEY")]
    tls_key: Option<PathBuf>,

    /// The CA certificates (PEM) that pods are told to believe --tls-cert by; needed with
    /// --injection, read again when it changes
    #[arg(long, value_name = "FILE", requires = "tls_cert", env = "PILLION_TLS_CA")]
    tls_ca: Option<PathBuf>,

    /// Further host names and addresses for the controller's own certificate
    #[arg(
        long,
        value_name = "NAME,NAME",
        value_delimiter = ',',
        conflicts_with = "tls_cert",
        env = "PILLION_TLS_NAME"
    )]
    tls_name: Vec<String>,

    /// Which replica this is; without it HOSTNAME-PID
    #[arg(long, value_name = "NAME", env = "POD_NAME")]
    identity: Option<String>,

    /// Where the other replicas reach this one's --listen, to report their sidecars while it writes
    /// status; without it POD_IP with the port of --listen, or --listen if that is one address
    #[arg(long, value_name = "ADDR:PORT", env = "PILLION_ADVERTISE")]
    advertise: Option<SocketAddr>,

    #[command(flatten)]
    injection: InjectionArgs,

    /// Level of the process log on standard error: error, warn, info, debug, trace
    #[arg(long, value_name = "LEVEL", default_value = "info", env = "PILLION_LOG")]
    log: String,
}

/// What must be there before sidecars are served.
struct Readiness {
    feed: Feed,
    serving: Arc<Serving>,
    webhook: Injects,
}

/// Is there a webhook?
#[derive(Clone, Copy, PartialEq, Eq)]
enum Injects {
    Pods,
    Nothing,
}

/// Runs until it is told to end.
///
/// # Errors
/// When it cannot start: the reason and the remedy.
pub(super) fn run(args: ControllerArgs) -> anyhow::Result<ExitCode> {
    // `kube` logs each try of each watch; episodes are told by us.
    let filter = format!("kube_runtime=off,kube_client=off,{}", args.log);
    telemetry::start_log(&filter).map_err(|error| anyhow!("--log {}: {error}", args.log))?;
    let runtime = Builder::new_current_thread().enable_all().build()?;
    LocalSet::new().block_on(&runtime, serve(args))
}

async fn serve(args: ControllerArgs) -> anyhow::Result<ExitCode> {
    let mut signals = Signals::listen()?;
    if args.injection.injection.is_some() && args.tls_cert.is_some() && args.tls_ca.is_none() {
        bail!("with --injection and --tls-cert, say with --tls-ca whom pods are to believe");
    }
    let registry = Registry::new();
    let metrics = Metrics::register(&registry)?;
    let (listener, admin_listener) = (bind(args.listen)?, bind(args.admin)?);
    let (listen, admin) = (listener.local_addr()?, admin_listener.local_addr()?);
    let injection = Injection::open(&args.injection, &args.namespaces, &registry)?;
    let webhook = injection.as_ref().map(Injection::address).transpose()?;
    let outside = Outside {
        connections: connections().await?,
        listener,
        certificates: certificates(&args),
        metrics: metrics.clone(),
        push_metrics: PushMetrics::register(&registry)?,
        status_metrics: status::metrics::Metrics::register(&registry)?,
    };
    let controller = Controller::new(options(args, listen), outside);
    let (signal, drain) = drain::channel();
    let (admin_signal, admin_drain) = drain::channel();
    let scraped = (registry, metrics, controller.sidecars());
    let ready = Readiness {
        feed: controller.feed(),
        serving: controller.serving(),
        webhook: if webhook.is_some() { Injects::Pods } else { Injects::Nothing },
    };
    if let Some(injection) = injection {
        injection.start(controller.serving(), drain.clone())?;
    }
    let pages = pages(scraped, ready, admin_drain.clone());
    let admin_task = task::spawn(admin::run(admin_listener, pages, admin_drain));
    let (listen, admin) = (listen.to_string(), admin.to_string());
    let webhook = webhook.map(|address| address.to_string());
    tracing::info!(listen, admin, webhook, version = env!("CARGO_PKG_VERSION"), "listening");
    let mut running = task::spawn(controller.run(drain));
    tokio::select! {
        ended = &mut running => ended??,
        () = signals.next() => {
            tracing::info!("shutting down: sidecars are told to connect elsewhere");
            admin_signal.advance(Stage::Leaving);
            signals.wind_down(&signal, Pace { leave_delay: LEAVE_DELAY, grace: GRACE }).await;
        }
    }
    admin_signal.advance(Stage::Cut);
    let _ = admin_task.await;
    tracing::info!("bye");
    Ok(ExitCode::SUCCESS)
}

/// As `kubectl` would connect, or a pod.
async fn connections() -> anyhow::Result<Connections> {
    const REMEDY: &str = "run it in a pod with a ServiceAccount, or set KUBECONFIG";
    let config = kube::Config::infer().await.context(REMEDY)?;
    let server = config.cluster_url.to_string();
    tracing::info!(server, "the API server");
    Connections::new(config).context(REMEDY)
}

fn options(args: ControllerArgs, listen: SocketAddr) -> Options {
    Options {
        address: args.advertise.or_else(|| reached_at(listen)),
        namespaces: BTreeSet::from_iter(args.namespaces),
        own_namespace: args.namespace,
        identity: args.identity.unwrap_or_else(identity),
        webhook_configuration: args.injection.webhook_configuration,
    }
}

/// As the pod's own environment says, by the downward API.
fn reached_at(listen: SocketAddr) -> Option<SocketAddr> {
    let own: Option<IpAddr> = serve::variable("POD_IP").and_then(|text| text.parse().ok());
    let fixed = (!listen.ip().is_unspecified()).then(|| listen.ip());
    let ip = own.or(fixed);
    if ip.is_none() {
        tracing::info!(
            "where other replicas reach this one is not known: set POD_IP, or --advertise; the \
             sidecars of others are not counted while this one writes status"
        );
    }
    ip.map(|ip| SocketAddr::new(ip, listen.port()))
}

fn certificates(args: &ControllerArgs) -> Source {
    match (&args.tls_cert, &args.tls_key) {
        (Some(certificate), Some(key)) => {
            let (certificate, key) = (certificate.clone(), key.clone());
            let authorities = args.tls_ca.clone();
            Source::Files(Files { certificate, key, authorities, interval: files::INTERVAL })
        }
        _ => Source::Kept { names: args.tls_name.clone() },
    }
}

fn identity() -> String {
    let host = fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let host = host.or_else(|| serve::variable("HOSTNAME"));
    let host = host.as_deref().map(str::trim).unwrap_or("pillion");
    format!("{host}-{}", std::process::id())
}

fn bind(address: SocketAddr) -> anyhow::Result<TcpListener> {
    Ok(TcpListener::from_std(serve::bind(address)?)?)
}

fn pages(
    (registry, metrics, sidecars): (Registry, Metrics, Rc<Sidecars>),
    readiness: Readiness,
    stage: Drain,
) -> Vec<Page> {
    let everybody = Audience::Everybody;
    vec![
        serve::page("/livez", everybody, || admin::text(StatusCode::OK, "alive\n")),
        serve::page("/readyz", everybody, move || readiness.page(&stage)),
        serve::page("/metrics", everybody, move || {
            metrics.sidecars.set(i64::try_from(sidecars.count()).unwrap_or(i64::MAX));
            serve::gather(&registry)
        }),
    ]
}

// === impl Readiness ===

impl Readiness {
    fn page(&self, stage: &Drain) -> Written {
        let no = |why| admin::text(StatusCode::SERVICE_UNAVAILABLE, why);
        match stage.stage() {
            Stage::Leaving | Stage::Draining | Stage::Cut => no("shutting down\n"),
            Stage::Serving if self.feed.latest().is_none() => {
                no("the cluster has not been listed yet\n")
            }
            Stage::Serving if !self.serving.is_ready() => {
                no("there is no serving certificate yet\n")
            }
            Stage::Serving
                if self.webhook == Injects::Pods && self.serving.authorities().is_none() =>
            {
                no("there is no CA yet that injected pods could believe\n")
            }
            Stage::Serving => admin::text(StatusCode::OK, "ready\n"),
        }
    }
}
