//! Why a pod, or the settings, cannot be taken as they are.

use std::fmt;

use thiserror::Error;

/// What is wrong with what, and what to do. Never carries a value of a pod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The annotation, label or field.
    pub subject: String,
    /// What is wrong with it, and what to do.
    pub bad: Bad,
}

/// What is wrong with a value, and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct Bad(pub String);

// === impl Fault ===

impl Fault {
    /// `message` goes on where the subject ends.
    pub fn new(subject: impl Into<String>, message: impl Into<String>) -> Self {
        Self { subject: subject.into(), bad: Bad(message.into()) }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.subject, self.bad)
    }
}

// === impl Bad ===

impl From<&str> for Bad {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}
