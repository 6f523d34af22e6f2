//! `pillion proxy`: a data plane fed from a folder, or by a controller.

use std::process::ExitCode;
use std::rc::Rc;

use anyhow::{Context, anyhow, bail};
use prometheus::Registry;
use tokio::runtime::Builder;
use tokio::task::LocalSet;

use super::args::{AccessLog, ProxyArgs};
use super::keys;
use super::reload::{self, Reloader};
use super::serve::{self, DataPlane, Outside};
use super::signals::{Pace, Signals};
use super::subscribe::Subscribed;
use crate::feed::Files;
use crate::feed::cache::Cache;
use crate::feed::subscription::{self, Metrics, Settings, Trust};
use crate::net::admin;
use crate::net::drain::{self, Stage};
use crate::net::task;
use crate::telemetry::{self, LineSink};

/// Serves until it is told to end.
///
/// # Errors
/// When it cannot start: the reason and the remedy.
pub(super) fn run(args: ProxyArgs) -> anyhow::Result<ExitCode> {
    telemetry::start_log(&args.log).map_err(|error| anyhow!("--log {}: {error}", args.log))?;
    let runtime = Builder::new_current_thread().enable_all().build()?;
    LocalSet::new().block_on(&runtime, serve(args))
}

async fn serve(args: ProxyArgs) -> anyhow::Result<ExitCode> {
    let mut signals = Signals::listen()?;
    let source = Source::open(&args)?;
    let (log, log_thread) = match args.access_log {
        AccessLog::Stdout => LineSink::start(std::io::stdout())?,
        AccessLog::Off => LineSink::start(std::io::sink())?,
    };
    let outside = Outside { log, egress: serve::egress() };
    let plane = DataPlane::start(args.listen, &args.limits, outside)?;
    let admin_listener = serve::bind(args.admin)?;
    let admin_address = admin_listener.local_addr()?;
    let (admin_signal, admin_drain) = drain::channel();
    let pages = plane.pages(admin_drain.clone());
    let admin_listener = tokio::net::TcpListener::from_std(admin_listener)?;
    let admin_task = task::spawn(admin::run(admin_listener, pages, admin_drain));
    let reloader = Reloader::new(plane.table.clone(), plane.metrics.clone());
    let feed = source.start(reloader, &plane.registry)?;
    let (proxy, admin) = (plane.address.to_string(), admin_address.to_string());
    tracing::info!(proxy, admin, version = env!("CARGO_PKG_VERSION"), "listening");
    tokio::select! {
        () = feed.follow() => {}
        () = signals.next() => {}
    }
    tracing::info!("shutting down: calls under way go on within the grace");
    admin_signal.advance(Stage::Leaving);
    let pace = Pace { leave_delay: args.limits.leave_delay, grace: args.limits.grace };
    signals.wind_down(&plane.signal, pace).await;
    plane.join();
    admin_signal.advance(Stage::Cut);
    let _ = admin_task.await;
    let _ = log_thread.join();
    tracing::info!("bye");
    Ok(ExitCode::SUCCESS)
}

/// Where the routes are to come from.
enum Source {
    Folder(Files),
    Controller(Settings, Option<Cache>),
}

/// What keeps the table up to date.
enum Feed {
    Folder(Box<Files>, Reloader),
    Controller(Settings, Box<Subscribed>),
}

// === impl Source ===

impl Source {
    fn open(args: &ProxyArgs) -> anyhow::Result<Self> {
        let (feed, subscription) = (&args.feed, &args.subscription);
        match (&feed.controller, &feed.manifests) {
            (Some(controller), _) => {
                let cache = subscription.cache.clone().map(Cache::new);
                let trust = Trust::new(subscription.controller_ca.clone(), cache.clone());
                let settings = Settings {
                    controller: controller.clone(),
                    trust: Rc::new(trust),
                    token: subscription.token.clone(),
                };
                Ok(Self::Controller(settings, cache))
            }
            (None, Some(manifests)) => {
                let files = Files::open(manifests.clone(), keys::given(&args.source.keys)?);
                let what_to_do = "give the folder of your manifests with --manifests";
                Ok(Self::Folder(files.context(what_to_do)?))
            }
            (None, None) => bail!("give --manifests or --controller"),
        }
    }

    /// Reads what is there already.
    fn start(self, reloader: Reloader, registry: &Registry) -> anyhow::Result<Feed> {
        match self {
            Self::Folder(files) => {
                reloader.apply(files.read());
                Ok(Feed::Folder(Box::new(files), reloader))
            }
            Self::Controller(settings, cache) => {
                let metrics = Metrics::register(registry)?;
                let mut subscribed = Subscribed::new(reloader, cache, metrics);
                subscribed.recall();
                Ok(Feed::Controller(settings, Box::new(subscribed)))
            }
        }
    }
}

// === impl Feed ===

impl Feed {
    /// Follows changes for as long as it is polled.
    async fn follow(self) {
        match self {
            Self::Folder(files, reloader) => follow(*files, reloader).await,
            Self::Controller(settings, mut subscribed) => {
                subscription::follow(&settings, &mut *subscribed).await;
            }
        }
    }
}

async fn follow(mut files: Files, reloader: Reloader) {
    loop {
        if let Some(manifests) = reload::next(&mut files).await {
            reloader.apply(manifests);
        }
    }
}
