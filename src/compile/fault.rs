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

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {}/{}", self.kind, self.namespace, self.name)
    }
}
