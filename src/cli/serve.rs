//! Assembles a data plane: workers, admin pages, the way to its table.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::JoinHandle;

use anyhow::Context;
use http::StatusCode;
use hyper_util::client::proxy::matcher::Matcher;
use prometheus::{Encoder, Registry, TextEncoder};

use super::options::LimitArgs;
use crate::net::admin::{self, Audience, Page, Written};
use crate::net::budget::Budget;
use crate::net::drain::{self, Drain, DrainSignal, Stage};
use crate::net::tls::Roots;
use crate::net::workers;
use crate::proxy::metrics::Metrics;
use crate::proxy::{self, Egress, Limits, RunningTable, Shared};
use crate::table::dump;
use crate::telemetry::LineSink;

/// More workers than this help nobody beside an application.
const MOST_WORKERS: usize = 4;

/// A data plane that runs.
pub(super) struct DataPlane {
    /// The table: put one in, and it serves.
    pub(super) table: RunningTable,
    /// Its metrics.
    pub(super) metrics: Metrics,
    /// Where they are collected.
    pub(super) registry: Registry,
    /// Ends the workers.
    pub(super) signal: DrainSignal,
    /// Where callers connect.
    pub(super) address: SocketAddr,
    bodies: Budget,
    threads: Vec<JoinHandle<()>>,
}

/// What a data plane needs from outside.
pub(super) struct Outside {
    /// The access log.
    pub(super) log: LineSink,
    /// `HTTPS_PROXY` and `NO_PROXY`.
    pub(super) egress: Egress,
}

impl DataPlane {
    /// Starts the workers.
    ///
    /// # Errors
    /// When the address is taken, or a thread cannot be started.
    pub(super) fn start(
        listen: SocketAddr,
        args: &LimitArgs,
        outside: Outside,
    ) -> anyhow::Result<Self> {
        let listener = bind(listen)?;
        let address = listener.local_addr()?;
        let registry = Registry::new();
        let metrics = Metrics::register(&registry)?;
        let table = RunningTable::default();
        let bodies = Budget::new(args.body_memory);
        let shared = Shared {
            table: Arc::clone(&table),
            limits: limits(args),
            bodies: bodies.clone(),
            metrics: metrics.clone(),
            log: outside.log,
            egress: outside.egress,
        };
        let (signal, drain) = drain::channel();
        let threads = (0..count(args))
            .map(|number| worker(number, &listener, shared.clone(), drain.clone()))
            .collect::<anyhow::Result<_>>()?;
        Ok(Self { table, metrics, registry, signal, address, bodies, threads })
    }

    /// The admin pages.
    pub(super) fn pages(&self, stage: Drain) -> Vec<Page> {
        let (table, running) = (Arc::clone(&self.table), Arc::clone(&self.table));
        let (registry, metrics) = (self.registry.clone(), self.metrics.clone());
        let bodies = self.bodies.clone();
        vec![
            page("/livez", Audience::Everybody, || admin::text(StatusCode::OK, "alive\n")),
            page("/readyz", Audience::Everybody, move || ready(&table, &stage)),
            page("/metrics", Audience::Everybody, move || {
                metrics.body_bytes.set(i64::try_from(bodies.used()).unwrap_or(i64::MAX));
                gather(&registry)
            }),
            page("/table", Audience::Loopback, move || match running.load_full() {
                Some(table) => json(dump::text(&table)),
                None => admin::text(StatusCode::NOT_FOUND, "no table runs\n"),
            }),
        ]
    }

    /// Waits for the workers' threads, after their end was signalled.
    pub(super) fn join(self) {
        for thread in self.threads {
            // A worker that panicked has been logged by the panic itself.
            let _ = thread.join();
        }
    }
}

/// Takes an address. `[::]` is every address, of IPv4 too, and also where IPv6 is switched off.
///
/// # Errors
/// When it is taken already, or not ours.
pub(super) fn bind(address: SocketAddr) -> anyhow::Result<TcpListener> {
    let bound = TcpListener::bind(address).or_else(|error| match ipv4_instead(address, &error) {
        Some(address) => TcpListener::bind(address),
        None => Err(error),
    });
    let listener = bound.with_context(|| {
        format!(
            "cannot listen on {address}: is another Pillion running? \
             choose another --listen or --admin"
        )
    })?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// What `[::]` is on a kernel without IPv6, which refuses it with another error than one that is
/// about the port.
fn ipv4_instead(address: SocketAddr, error: &io::Error) -> Option<SocketAddr> {
    let is_everywhere = address.ip() == Ipv6Addr::UNSPECIFIED;
    let about_the_port =
        matches!(error.kind(), io::ErrorKind::AddrInUse | io::ErrorKind::PermissionDenied);
    (is_everywhere && !about_the_port)
        .then(|| SocketAddr::from((Ipv4Addr::UNSPECIFIED, address.port())))
}

/// `HTTPS_PROXY` (or `https_proxy`) and `NO_PROXY`, with the system's CA certificates.
pub(super) fn egress() -> Egress {
    let proxy = variable("HTTPS_PROXY").or_else(|| variable("https_proxy"));
    let except = variable("NO_PROXY").or_else(|| variable("no_proxy")).unwrap_or_default();
    let matcher = |proxy: String| Arc::new(Matcher::builder().https(proxy).no(except).build());
    Egress { roots: Roots::of_the_system(), proxy: proxy.map(matcher) }
}

/// A variable that is set to something.
#[expect(clippy::disallowed_methods, reason = "cli is where the environment is read")]
pub(super) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn worker(
    number: usize,
    listener: &TcpListener,
    shared: Shared,
    drain: Drain,
) -> anyhow::Result<JoinHandle<()>> {
    let listener = listener.try_clone()?;
    let started = workers::start(format!("worker-{number}"), move || async move {
        match tokio::net::TcpListener::from_std(listener) {
            Ok(listener) => proxy::run(listener, shared, drain).await,
            Err(error) => tracing::error!(%error, "a worker cannot listen"),
        }
    });
    started.context("cannot start a worker thread")
}

fn count(args: &LimitArgs) -> usize {
    match args.workers {
        0 => std::thread::available_parallelism().map_or(1, usize::from).min(MOST_WORKERS),
        count => count,
    }
}

fn limits(args: &LimitArgs) -> Limits {
    Limits {
        body_bytes: args.body_limit,
        connections: args.connections,
        head_timeout: args.head_timeout,
        body_idle: args.body_idle,
        write_idle: args.write_idle,
    }
}

/// One admin page.
pub(super) fn page(
    path: &'static str,
    audience: Audience,
    write: impl Fn() -> Written + 'static,
) -> Page {
    Page { path, audience, write: Box::new(write) }
}

fn ready(table: &RunningTable, stage: &Drain) -> Written {
    let no = |why| admin::text(StatusCode::SERVICE_UNAVAILABLE, why);
    match (stage.stage(), table.load().is_some()) {
        (Stage::Serving, true) => admin::text(StatusCode::OK, "ready\n"),
        (Stage::Serving, false) => no("no routing table has been loaded yet\n"),
        (Stage::Leaving | Stage::Draining | Stage::Cut, _) => no("shutting down\n"),
    }
}

/// The metrics, as they are scraped.
pub(super) fn gather(registry: &Registry) -> Written {
    let mut text = Vec::new();
    let encoder = TextEncoder::new();
    let written = encoder.encode(&registry.gather(), &mut text);
    match written.map_err(anyhow::Error::from).and_then(|()| Ok(String::from_utf8(text)?)) {
        Ok(body) => Written {
            status: StatusCode::OK,
            content_type: "text/plain; version=0.0.4; charset=utf-8",
            body,
        },
        Err(error) => admin::text(StatusCode::INTERNAL_SERVER_ERROR, &format!("{error}\n")),
    }
}

fn json(body: String) -> Written {
    Written { status: StatusCode::OK, content_type: "application/json", body }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everywhere_is_everywhere_without_ipv6_too() {
        let no_ipv6 = io::Error::from(io::ErrorKind::Unsupported);
        let taken = io::Error::from(io::ErrorKind::AddrInUse);
        let everywhere = SocketAddr::from((Ipv6Addr::UNSPECIFIED, 80));
        let ipv4 = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 80));
        assert_eq!(ipv4_instead(everywhere, &no_ipv6), Some(ipv4));
        assert_eq!(ipv4_instead(everywhere, &taken), None);
        assert_eq!(ipv4_instead(ipv4, &no_ipv6), None);
        assert_eq!(ipv4_instead(SocketAddr::from((Ipv6Addr::LOCALHOST, 80)), &no_ipv6), None);
    }
}
