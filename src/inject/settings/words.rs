//! The values of settings and annotations, each with one door in.

use std::fmt;
use std::str::FromStr;

use serde::Deserialize;

use crate::inject::fault::Bad;

/// An image's reference.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Image(String);

/// A port that needs no privilege.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "i64")]
pub struct Port(u16);

/// When a node fetches an image.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub enum PullPolicy {
    /// Each time.
    Always,
    /// Unless it is there.
    #[default]
    IfNotPresent,
    /// It must be there.
    Never,
}

/// How much the process log tells.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum LogLevel {
    Error,
    Warn,
    #[default]
    Info,
    Debug,
    Trace,
}

/// Where the access log goes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AccessLog {
    /// Standard output.
    #[default]
    Stdout,
    /// Nowhere.
    Off,
}

const BAD_PORT: &str = "is no port: write a number from 1024 to 65535";
/// Longer than any registry takes.
const MAX_IMAGE: usize = 512;

// === impl Image ===

impl Image {
    /// As the pod names it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Image {
    type Err = Bad;

    fn from_str(text: &str) -> Result<Self, Bad> {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-._/:@".contains(&byte);
        match !text.is_empty() && text.len() <= MAX_IMAGE && text.bytes().all(fits) {
            true => Ok(Self(text.to_owned())),
            false => {
                Err("is no image: write a reference such as registry.example/pillion:1.0".into())
            }
        }
    }
}

impl TryFrom<String> for Image {
    type Error = Bad;

    fn try_from(text: String) -> Result<Self, Bad> {
        text.parse()
    }
}

// === impl Port ===

impl Port {
    /// Where applications reach a sidecar unless somebody says otherwise.
    pub(super) fn of_proxy() -> Self {
        Self(8787)
    }

    /// Where probes and scrapers do.
    pub(super) fn of_admin() -> Self {
        Self(8788)
    }

    /// As a number.
    pub fn number(self) -> u16 {
        self.0
    }
}

impl FromStr for Port {
    type Err = Bad;

    fn from_str(text: &str) -> Result<Self, Bad> {
        let is_plain = text.bytes().all(|byte| byte.is_ascii_digit());
        let number = text.parse().ok().filter(|_| is_plain);
        Self::try_from(number.unwrap_or(0i64))
    }
}

impl TryFrom<i64> for Port {
    type Error = Bad;

    fn try_from(number: i64) -> Result<Self, Bad> {
        let port = u16::try_from(number).ok().filter(|port| *port >= 1024);
        port.map(Self).ok_or_else(|| BAD_PORT.into())
    }
}

impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

// === impl PullPolicy ===

impl PullPolicy {
    /// As the pod names it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Always => "Always",
            Self::IfNotPresent => "IfNotPresent",
            Self::Never => "Never",
        }
    }
}

// === impl LogLevel ===

impl LogLevel {
    const ALL: [Self; 5] = [Self::Error, Self::Warn, Self::Info, Self::Debug, Self::Trace];

    /// As an argument.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }
}

impl FromStr for LogLevel {
    type Err = Bad;

    fn from_str(text: &str) -> Result<Self, Bad> {
        let found = Self::ALL.into_iter().find(|level| level.as_str() == text);
        found.ok_or_else(|| "is no level: write error, warn, info, debug or trace".into())
    }
}

impl TryFrom<String> for LogLevel {
    type Error = Bad;

    fn try_from(text: String) -> Result<Self, Bad> {
        text.parse()
    }
}

// === impl AccessLog ===

impl AccessLog {
    /// As an argument.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stdout => "stdout",
            Self::Off => "off",
        }
    }
}
