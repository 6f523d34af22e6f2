//! Everything that runs during the demo: the provider, the data plane, the manifests.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::rc::Rc;
use std::thread::JoinHandle;
use std::time::Duration;

use super::client::{self, Reply};
use super::folder::Folder;
use super::journal::{self, Entry, Journal};
use super::provider::{Provider, Received};
use super::screen::Screen;
use super::script::Call;
use crate::cli::options::LimitArgs;
use crate::cli::reload::Reloader;
use crate::cli::serve::{self, DataPlane, Outside};
use crate::cli::signals::{Pace, Signals};
use crate::feed::Files;
use crate::net::admin;
use crate::net::drain::{self, DrainSignal, Stage as End};
use crate::net::task;
use crate::telemetry::LineSink;

/// The proxy's usual port, which is taken if it is free.
const USUAL_PORT: u16 = 8787;

/// The admin pages' usual port.
const USUAL_ADMIN_PORT: u16 = 8788;

/// Nobody waits for a demo to end.
const PACE: Pace = Pace { leave_delay: Duration::ZERO, grace: Duration::from_secs(2) };

/// All of it.
pub(super) struct Stage {
    pub(super) screen: Rc<Screen>,
    pub(super) folder: Folder,
    pub(super) provider: Provider,
    pub(super) journal: Journal,
    pub(super) files: Files,
    pub(super) reloader: Reloader,
    pub(super) plane: DataPlane,
    pub(super) admin: SocketAddr,
    admin_signal: DrainSignal,
    log_thread: JoinHandle<()>,
}

/// A call and what became of it.
pub(super) struct Told {
    pub(super) call: Call,
    pub(super) received: Option<Received>,
    pub(super) reply: Reply,
    pub(super) entry: Entry,
}

// === impl Stage ===

impl Stage {
    /// Starts everything.
    pub(super) async fn set_up() -> anyhow::Result<Self> {
        let provider = Provider::start().await?;
        let folder = Folder::make(provider.address)?;
        let (sink, log_thread, journal) = journal::start(&folder.access_log())?;
        let plane = plane(sink)?;
        let (admin, admin_signal) = pages(&plane)?;
        let files = Files::open(folder.manifests(), Vec::new())?;
        let reloader = Reloader::new(plane.table.clone(), plane.metrics.clone());
        reloader.apply(files.read());
        Ok(Self {
            screen: Rc::new(Screen::of_stdout()),
            folder,
            provider,
            journal,
            files,
            reloader,
            plane,
            admin,
            admin_signal,
            log_thread,
        })
    }

    /// Sends a call through the proxy, and gathers what is known of it.
    pub(super) async fn call(&mut self, call: Call) -> anyhow::Result<Told> {
        let call = call.addressed(self.plane.address);
        let reply = client::send(self.plane.address, &call, |_| {}).await?;
        self.told(call, reply).await
    }

    /// What is known of a call that was answered.
    pub(super) async fn told(&mut self, call: Call, reply: Reply) -> anyhow::Result<Told> {
        let id = reply.header("x-request-id");
        let entry = self.journal.entry(id).await?;
        let received = id.and_then(|id| self.provider.received(id));
        Ok(Told { call, received, reply, entry })
    }

    /// The version of the table that runs.
    pub(super) fn version(&self) -> String {
        let table = self.plane.table.load();
        table.as_ref().map_or_else(|| "none".to_owned(), |table| table.version.clone())
    }

    /// Ends everything, as the proxy itself ends.
    pub(super) async fn take_down(self, signals: &mut Signals) {
        signals.wind_down(&self.plane.signal, PACE).await;
        self.plane.join();
        self.admin_signal.advance(End::Cut);
        let _ = self.log_thread.join();
    }
}

fn plane(sink: LineSink) -> anyhow::Result<DataPlane> {
    let outside = Outside { log: sink, egress: serve::egress() };
    DataPlane::start(free(USUAL_PORT), &limits(), outside)
}

fn pages(plane: &DataPlane) -> anyhow::Result<(SocketAddr, DrainSignal)> {
    let listener = serve::bind(free(USUAL_ADMIN_PORT))?;
    let address = listener.local_addr()?;
    let (signal, drain) = drain::channel();
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let pages = plane.pages(drain.clone());
    drop(task::spawn(admin::run(listener, pages, drain)));
    Ok((address, signal))
}

/// The port on loopback if it is free, else any.
fn free(port: u16) -> SocketAddr {
    let usual = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    match TcpListener::bind(usual) {
        Ok(_) => usual,
        Err(_) => SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
    }
}

fn limits() -> LimitArgs {
    let time = Duration::from_secs(30);
    LimitArgs {
        workers: 1,
        body_limit: 32 << 20,
        body_memory: 64 << 20,
        connections: 256,
        head_timeout: time,
        body_idle: time,
        write_idle: time,
        leave_delay: PACE.leave_delay,
        grace: PACE.grace,
    }
}
