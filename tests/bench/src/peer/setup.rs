//! From a template under `tests/bench/peers` to a running process.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};

use anyhow::Context;

use super::Kind;
use crate::process::{Process, Program};
use crate::request::PROVIDER_KEY;
use crate::settings::Settings;

/// How the provider is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scheme {
    Http,
    Https,
}

/// Where peers are started.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scene<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) scheme: Scheme,
    /// The provider's port for that scheme.
    pub(crate) upstream: u16,
}

/// A process that may not be ready yet.
pub(super) struct Started {
    pub(super) process: Process,
    pub(super) address: SocketAddr,
    pub(super) access_log: PathBuf,
}

const NGINX: &str = include_str!("../../peers/nginx.conf");
const HAPROXY: &str = include_str!("../../peers/haproxy.cfg");
const ENVOY: &str = include_str!("../../peers/envoy.yaml");
const ENVOY_TLS: &str = include_str!("../../peers/envoy-tls.yaml");
const PILLION: &str = include_str!("../../peers/pillion.yaml");
const PILLION_ROUTE: &str = include_str!("../../peers/pillion-route.yaml");

// === impl Scene ===

impl Scene<'_> {
    pub(super) fn provider(&self) -> SocketAddr {
        loopback(self.upstream)
    }

    /// Starts a peer; none for the provider itself, which runs already.
    pub(super) fn start(&self, kind: Kind) -> anyhow::Result<Option<Started>> {
        if kind == Kind::Relay {
            return self.relay().map(Some);
        }
        let port = free_port()?;
        let Some(command) = self.command(kind, port)? else { return Ok(None) };
        let process = self.program(kind, command).start()?;
        Ok(Some(self.started(kind, process, port)))
    }

    fn relay(&self) -> anyhow::Result<Started> {
        let own = std::env::current_exe()?;
        let (upstream, folder) = (self.upstream.to_string(), text(&self.settings.folder)?);
        let command = words(&own, &["relay", &upstream, self.scheme.as_str(), &folder])?;
        let (process, line) = self.program(Kind::Relay, command).start_and_read()?;
        Ok(self.started(Kind::Relay, process, line.parse().context("the relay's port")?))
    }

    fn command(&self, kind: Kind, port: u16) -> anyhow::Result<Option<Vec<String>>> {
        let programs = &self.settings.programs;
        let words = match kind {
            Kind::Direct | Kind::Relay => return Ok(None),
            Kind::Nginx => {
                let file = self.write("nginx.conf", &self.fill(NGINX, port)?)?;
                let program = programs.nginx.as_deref().context("no nginx")?;
                words(program, &["-e", "stderr", "-c", &file])?
            }
            Kind::Haproxy => {
                let file = self.write("haproxy.cfg", &self.fill(HAPROXY, port)?)?;
                words(programs.haproxy.as_deref().context("no haproxy")?, &["-f", &file])?
            }
            Kind::Envoy => {
                let file = self.write("envoy.yaml", &self.fill(ENVOY, port)?)?;
                let fixed = ["--concurrency", "1", "--disable-hot-restart", "-l", "error", "-c"];
                let program = programs.envoy.as_deref().context("no envoy")?;
                words(program, &[&fixed[..], &[&file]].concat())?
            }
            Kind::Pillion => self.pillion(port, 0)?,
            Kind::PillionWith(routes) => self.pillion(port, routes)?,
        };
        Ok(Some(words))
    }

    fn pillion(&self, port: u16, routes: u32) -> anyhow::Result<Vec<String>> {
        let mut manifests = self.fill(PILLION, port)?;
        for number in 0..routes {
            manifests.push_str(&PILLION_ROUTE.replace("@NUMBER@", &number.to_string()));
        }
        // A folder of their own: it is watched, and the access log is not to be what happens in it.
        let file = self.write(&format!("pillion-{routes}/manifests.yaml"), &manifests)?;
        let (listen, admin) = (loopback(port).to_string(), loopback(free_port()?).to_string());
        let source = ["proxy", "--manifests", &file, "--workers", "1"];
        let ports = ["--listen", &listen, "--admin", &admin];
        let end = ["--leave-delay", "0s", "--grace", "1s", "--log", "warn"];
        let arguments = [&source[..], &ports, &end].concat();
        words(&self.settings.programs.pillion, &arguments)
    }

    /// A template with its gaps filled.
    fn fill(&self, template: &str, port: u16) -> anyhow::Result<String> {
        let (haproxy_tls, envoy_tls) = match self.scheme {
            Scheme::Http => ("", ""),
            Scheme::Https => (HAPROXY_TLS, ENVOY_TLS),
        };
        let user = if rustix::process::geteuid().is_root() { "user root;" } else { "" };
        Ok(template
            .replace("@ENVOY_TLS@", envoy_tls)
            .replace("@HAPROXY_TLS@", haproxy_tls)
            .replace("@PILLION_TLS@", &self.pillion_tls()?)
            .replace("@USER@", user)
            .replace("@PORT@", &port.to_string())
            .replace("@UPSTREAM@", &self.upstream.to_string())
            .replace("@SCHEME@", self.scheme.as_str())
            .replace("@KEY@", PROVIDER_KEY)
            .replace("@DIR@", &text(&self.settings.folder)?))
    }

    fn pillion_tls(&self) -> anyhow::Result<String> {
        Ok(match self.scheme {
            Scheme::Http => String::new(),
            Scheme::Https => {
                let pem = fs::read_to_string(self.settings.folder.join("ca.pem"));
                let pem = pem.context("the CA of the run")?;
                format!("  tls: {{ caBundle: \"{}\" }}", pem.trim().replace('\n', "\\n"))
            }
        })
    }

    fn write(&self, name: &str, content: &str) -> anyhow::Result<String> {
        let path = self.settings.folder.join(name);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(&path, content).with_context(|| format!("writing {}", path.display()))?;
        text(&path)
    }

    fn program(&self, kind: Kind, command: Vec<String>) -> Program<'_> {
        let (folder, cpu) = (self.settings.folder.as_path(), self.settings.peer_cpu.as_deref());
        Program { name: file_name(kind), command, folder, cpu }
    }

    fn started(&self, kind: Kind, process: Process, port: u16) -> Started {
        let access_log = self.settings.folder.join(format!("{}.access", file_name(kind)));
        Started { process, address: loopback(port), access_log }
    }
}

const HAPROXY_TLS: &str =
    "ssl verify required ca-file @DIR@/ca.pem sni str(localhost) verifyhost localhost";

// === impl Scheme ===

impl Scheme {
    fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}

fn file_name(kind: Kind) -> String {
    kind.name().to_lowercase().replace(' ', "-")
}

fn loopback(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}

/// A port that nobody listens on, for programs that cannot ask the system for one themselves.
fn free_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind(loopback(0))?.local_addr()?.port())
}

fn words(program: &Path, arguments: &[&str]) -> anyhow::Result<Vec<String>> {
    let arguments = arguments.iter().map(|word| (*word).to_owned());
    Ok(std::iter::once(text(program)?).chain(arguments).collect())
}

fn text(path: &Path) -> anyhow::Result<String> {
    Ok(path.to_str().context("a path that is not UTF-8")?.to_owned())
}
