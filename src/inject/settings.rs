//! What every sidecar is, and what a pod's annotations change of it.
//!
//! Owns the injection file's fields and the annotations' names, and checks each value once, with
//! the same words for both. Does not read YAML: a value is handed in.

mod words;

use std::collections::BTreeSet;

use http::uri::Authority;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::fault::{Bad, Fault};
pub use super::quantity::Quantity;
pub use words::{AccessLog, Image, LogLevel, Port, PullPolicy};

/// What every sidecar is.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Settings {
    /// The container's image.
    pub image: Image,
    /// When the node fetches it.
    #[serde(default)]
    pub image_pull_policy: PullPolicy,
    /// `HOST:PORT` of the controller, as sidecars reach it.
    pub controller: Controller,
    /// Where applications reach the sidecar, on loopback.
    #[serde(default = "Port::of_proxy")]
    pub port: Port,
    /// Where probes and scrapers reach it.
    #[serde(default = "Port::of_admin")]
    pub admin_port: Port,
    /// Of the process log.
    #[serde(default)]
    pub log_level: LogLevel,
    /// Where the access log goes.
    #[serde(default)]
    pub access_log: AccessLog,
    /// Of the container.
    #[serde(default)]
    pub resources: Resources,
}

/// `HOST:PORT`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Controller(String);

/// What a container asks for, and what it may have. What is not set here is not set there.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Resources {
    /// What the scheduler keeps for it.
    #[serde(default)]
    pub requests: Amounts,
    /// What it may have at most.
    #[serde(default)]
    pub limits: Amounts,
}

/// Of each resource so much.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Amounts {
    /// Cores.
    #[serde(default)]
    pub cpu: Option<Quantity>,
    /// Bytes.
    #[serde(default)]
    pub memory: Option<Quantity>,
}

/// The annotations that change something, by what they change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Annotation {
    Port,
    AdminPort,
    Image,
    LogLevel,
    CpuRequest,
    CpuLimit,
    MemoryRequest,
    MemoryLimit,
}

/// Annotations of ours begin so.
const PREFIX: &str = "pillion.dev/";

// === impl Settings ===

impl Settings {
    /// The settings of a file, all defaults filled in.
    ///
    /// # Errors
    /// A [`Fault`] that names the field.
    pub fn from_value(value: Value) -> Result<Self, Fault> {
        let settings: Self = serde_path_to_error::deserialize(value).map_err(|error| {
            let path = error.path().to_string();
            let subject = if path == "." { "the file".to_owned() } else { path };
            Fault::new(subject, error.into_inner().to_string())
        })?;
        settings.check(Annotation::field)?;
        Ok(settings)
    }

    /// With what a pod's annotations change.
    ///
    /// # Errors
    /// A [`Fault`] that names the annotation.
    pub fn overridden(&self, annotations: &Map<String, Value>) -> Result<Self, Fault> {
        let mut settings = self.clone();
        for annotation in Annotation::ALL {
            if let Some(value) = annotations.get(annotation.name()) {
                let set = settings.set(annotation, value.as_str().unwrap_or_default());
                set.map_err(|bad| Fault { subject: annotation.subject(), bad })?;
            }
        }
        settings.check(Annotation::subject)?;
        Ok(settings)
    }

    fn set(&mut self, annotation: Annotation, text: &str) -> Result<(), Bad> {
        let Resources { requests, limits } = &mut self.resources;
        match annotation {
            Annotation::Port => self.port = text.parse()?,
            Annotation::AdminPort => self.admin_port = text.parse()?,
            Annotation::Image => self.image = text.parse()?,
            Annotation::LogLevel => self.log_level = text.parse()?,
            Annotation::CpuRequest => requests.cpu = Some(text.parse()?),
            Annotation::CpuLimit => limits.cpu = Some(text.parse()?),
            Annotation::MemoryRequest => requests.memory = Some(text.parse()?),
            Annotation::MemoryLimit => limits.memory = Some(text.parse()?),
        }
        Ok(())
    }

    /// What no value tells alone.
    fn check(&self, subject: impl Fn(Annotation) -> String) -> Result<(), Fault> {
        use Annotation as A;
        if self.port == self.admin_port {
            let message = format!("is {}, as {} is: choose two", self.port, subject(A::AdminPort));
            return Err(Fault::new(subject(A::Port), message));
        }
        let Resources { requests, limits } = &self.resources;
        for (request, limit, annotations) in [
            (&requests.cpu, &limits.cpu, (A::CpuRequest, A::CpuLimit)),
            (&requests.memory, &limits.memory, (A::MemoryRequest, A::MemoryLimit)),
        ] {
            if let (Some(request), Some(limit)) = (request, limit)
                && request.exceeds(limit)
            {
                let (of_request, of_limit) = (subject(annotations.0), subject(annotations.1));
                let remedy = format!("set {of_request} to no more than that");
                let message = format!("is {limit}, less than the request of {request}: {remedy}");
                return Err(Fault::new(of_limit, message));
            }
        }
        Ok(())
    }
}

/// Annotations that look like ours and are none: a typing error changes nothing, silently.
pub(super) fn unknown(annotations: &Map<String, Value>) -> BTreeSet<&str> {
    let ours = annotations.keys().filter(|name| name.starts_with(PREFIX)).map(String::as_str);
    ours.filter(|name| {
        let is_status = [super::INJECTED, super::CONTROLLER_CA].contains(name);
        !is_status && Annotation::ALL.iter().all(|known| known.name() != *name)
    })
    .collect()
}

// === impl Annotation ===

impl Annotation {
    /// All of them, in the order of the manual.
    pub const ALL: [Self; 8] = [
        Self::Port,
        Self::AdminPort,
        Self::Image,
        Self::LogLevel,
        Self::CpuRequest,
        Self::CpuLimit,
        Self::MemoryRequest,
        Self::MemoryLimit,
    ];

    /// Its full name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Port => "pillion.dev/port",
            Self::AdminPort => "pillion.dev/admin-port",
            Self::Image => "pillion.dev/image",
            Self::LogLevel => "pillion.dev/log-level",
            Self::CpuRequest => "pillion.dev/cpu-request",
            Self::CpuLimit => "pillion.dev/cpu-limit",
            Self::MemoryRequest => "pillion.dev/memory-request",
            Self::MemoryLimit => "pillion.dev/memory-limit",
        }
    }

    fn subject(self) -> String {
        format!("annotation {}", self.name())
    }

    /// What it changes, in the file.
    fn field(self) -> String {
        let field = match self {
            Self::Port => "port",
            Self::AdminPort => "adminPort",
            Self::Image => "image",
            Self::LogLevel => "logLevel",
            Self::CpuRequest => "resources.requests.cpu",
            Self::CpuLimit => "resources.limits.cpu",
            Self::MemoryRequest => "resources.requests.memory",
            Self::MemoryLimit => "resources.limits.memory",
        };
        field.to_owned()
    }
}

// === impl Controller ===

impl Controller {
    /// As an argument.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Controller {
    type Error = Bad;

    fn try_from(text: String) -> Result<Self, Bad> {
        let authority: Option<Authority> = text.parse().ok();
        let is_whole = |it: &Authority| !it.host().is_empty() && it.port_u16().is_some();
        match authority.is_some_and(|it| is_whole(&it) && !text.contains('@')) {
            true => Ok(Self(text)),
            false => Err("is no address: write HOST:PORT, for example \
                          pillion.pillion-system.svc:8790"
                .into()),
        }
    }
}

// === impl Resources ===

impl Default for Resources {
    fn default() -> Self {
        let (cpu, request, limit) = ("10m".parse().ok(), "24Mi".parse().ok(), "128Mi".parse().ok());
        Self {
            requests: Amounts { cpu, memory: request },
            limits: Amounts { cpu: None, memory: limit },
        }
    }
}
