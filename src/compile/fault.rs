//! What is wrong with an object, in words that teach.

use std::fmt;

/// One fault of one object: data, collected, never thrown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Whose fault.
    pub object: ObjectId,
    /// The field, as in `kubectl explain`: `spec.rules[0].matches[1].model`.
    pub path: String,
    /// How bad it is.
    pub severity: Severity,
    /// What it is about.
    pub subject: Subject,
    /// What is wrong: lower case, no full stop, never a secret.
    pub message: String,
    /// What to do about it: lower case, no full stop.
    pub remedy: String,
}

/// An object by kind and name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectId {
    /// LlmRoute, ProviderSecret or Secret.
    pub kind: ResourceKind,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

/// The kinds that faults are told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ResourceKind {
    /// `LlmRoute`
    LlmRoute,
    /// `ProviderSecret`
    ProviderSecret,
    /// `Secret`
    Secret,
}

/// How bad a fault is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing; nothing is wrong.
    Note,
    /// It works, but surely not as meant.
    Warning,
    /// Part of the object does not work.
    Error,
}

/// What a fault is about, which decides whether it keeps a running table in place, and the reason
/// that an object's status gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// What the object says: a bad edit, which never replaces a good table.
    Spec,
    /// A key that is not there or not usable, and all that follows from it. This takes effect at
    /// once: taking a Secret away is how a key is revoked.
    Key,
    /// A provider of the route's own namespace that is not there.
    Provider,
    /// A provider of another namespace that is not there or lets nobody of this one use it: which
    /// of the two is not ours to tell.
    Grant,
    /// A provider that is there and has a fault of its own, which decides on the rest.
    Dependency,
    /// A match that another one takes every call from.
    Shadow,
}

impl Fault {
    /// Is it a bad edit, which must not replace a table that runs?
    pub fn keeps_last_good(&self) -> bool {
        let follows = matches!(self.subject, Subject::Key | Subject::Dependency);
        self.severity == Severity::Error && !follows
    }
}

impl Severity {
    /// The word for logs, metrics and reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {}/{}", self.kind, self.namespace, self.name)
    }
}
