//! Names as newtypes: `FromStr` is the only door in, so a name in hand is a valid one.
//!
//! Owns the syntax rules of Kubernetes object names and the references built from them. Does not
//! know what the names stand for.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use thiserror::Error;

/// A Kubernetes object or namespace name: a DNS-1123 subdomain of at most 253 bytes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectName(Arc<str>);

/// A namespaced object, displayed as `namespace/name`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectRef {
    /// The namespace the object lives in.
    pub namespace: ObjectName,
    /// The object's own name.
    pub name: ObjectName,
}

/// One key of one Kubernetes Secret, displayed as `namespace/name[key]`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SecretKeyRef {
    /// The Secret.
    pub secret: ObjectRef,
    /// The key within its `data`: `[-._a-zA-Z0-9]+`, at most 253 bytes.
    pub key: Arc<str>,
}

/// Why a text is not a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum NameError {
    /// The text is empty.
    #[error("must not be empty")]
    Empty,
    /// Longer than the 253 bytes that Kubernetes allows.
    #[error("must be at most 253 characters")]
    TooLong,
    /// Not a DNS-1123 subdomain.
    #[error(
        "must consist of lower case letters, digits, '-' and '.', and \
         begin and end with a letter or digit"
    )]
    Syntax,
}

impl ObjectName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ObjectName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        match text.len() {
            0 => return Err(NameError::Empty),
            1..=253 => {}
            _ => return Err(NameError::TooLong),
        }
        let label = |label: &str| {
            let edge = |byte: Option<u8>| byte.is_some_and(|b| b.is_ascii_alphanumeric());
            edge(label.bytes().next())
                && edge(label.bytes().next_back())
                && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        };
        match text.split('.').all(label) {
            true => Ok(Self(text.into())),
            false => Err(NameError::Syntax),
        }
    }
}

impl fmt::Display for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl fmt::Display for ObjectRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

impl fmt::Debug for ObjectRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl fmt::Display for SecretKeyRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}[{}]", self.secret, self.key)
    }
}

impl fmt::Debug for SecretKeyRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_dns_1123_subdomains() {
        for good in ["a", "a-b.c1", "0", &"a".repeat(253)] {
            assert!(good.parse::<ObjectName>().is_ok(), "{good}");
        }
        for (bad, why) in [
            ("", NameError::Empty),
            ("A", NameError::Syntax),
            ("-a", NameError::Syntax),
            ("a-", NameError::Syntax),
            ("a..b", NameError::Syntax),
            ("a/b", NameError::Syntax),
            (&"a".repeat(254), NameError::TooLong),
        ] {
            assert_eq!(bad.parse::<ObjectName>(), Err(why), "{bad}");
        }
    }
}
