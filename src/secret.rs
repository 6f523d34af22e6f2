//! Key material. A [`Secret`] has no `Debug`, `Display` or `Serialize` of its content; what leaves
//! it is a header value marked sensitive, a query value, a bundle's member, or a digest to compare
//! with.
//!
//! Owns trimming, the check that a key can travel in a header, and constant-time comparison. Does
//! not know whose key it is.

use std::fmt;
use std::sync::Arc;

use http::HeaderValue;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serializer;
use subtle::ConstantTimeEq;
use thiserror::Error;
use zeroize::Zeroizing;

/// A key that can be sent in a header: visible ASCII, not empty, without surrounding white space.
#[derive(Clone)]
pub struct Secret(Arc<Zeroizing<String>>);

/// The SHA-256 of a key: enough to recognise a key, useless to send one.
#[derive(Clone, Copy)]
pub struct Digest([u8; 32]);

/// Why bytes are not a usable key. The messages never carry the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SecretError {
    /// Nothing is left after trimming.
    #[error("the key is empty")]
    Empty,
    /// A CR, LF, NUL, space inside or another byte that no header may carry.
    #[error("the key has a line break, a space, a control character or a non-ASCII byte inside")]
    NotHeaderSafe,
}

impl Secret {
    /// Takes key material as found in a Secret, a file or a variable.
    ///
    /// White space around it is trimmed, because `echo key | base64` appends a newline.
    ///
    /// # Errors
    /// [`SecretError`] when the rest is empty or cannot stand in a header value.
    pub fn new(bytes: &[u8]) -> Result<Self, SecretError> {
        let bytes = bytes.trim_ascii();
        if bytes.is_empty() {
            return Err(SecretError::Empty);
        }
        match std::str::from_utf8(bytes) {
            Ok(text) if text.bytes().all(|b| b.is_ascii_graphic()) => {
                Ok(Self(Arc::new(Zeroizing::new(text.to_owned()))))
            }
            _ => Err(SecretError::NotHeaderSafe),
        }
    }

    /// The value of a header that carries this key after `prefix` (`"Bearer "` or `""`), marked
    /// sensitive so that neither `Debug` nor HPACK's table keeps it.
    ///
    /// # Errors
    /// [`SecretError::NotHeaderSafe`] when `prefix` cannot stand in a header.
    pub fn header_value(&self, prefix: &'static str) -> Result<HeaderValue, SecretError> {
        let text = Zeroizing::new(format!("{prefix}{}", self.0.as_str()));
        let mut value = HeaderValue::from_str(&text).map_err(|_| SecretError::NotHeaderSafe)?;
        value.set_sensitive(true);
        Ok(value)
    }

    /// The key, percent-encoded for a query string.
    pub fn query_value(&self) -> QueryValue {
        QueryValue(Arc::new(Zeroizing::new(
            utf8_percent_encode(&self.0, NON_ALPHANUMERIC).to_string(),
        )))
    }

    /// Writes the key into a bundle, which goes over TLS to a sidecar that may use it.
    ///
    /// # Errors
    /// Those of the serializer.
    pub fn expose_for_bundle<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }

    /// Does the key begin with `prefix` (a vendor's key prefix such as `sk-ant-`)?
    pub fn starts_with(&self, prefix: &str) -> bool {
        self.0.starts_with(prefix)
    }

    /// The key's digest.
    pub fn digest(&self) -> Digest {
        Digest::of(self.0.as_bytes())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(redacted)")
    }
}

/// A key percent-encoded for a query string; written only by [`QueryValue::append_to`].
#[derive(Clone)]
pub struct QueryValue(Arc<Zeroizing<String>>);

impl QueryValue {
    /// Appends the encoded key to a query string that goes upstream.
    pub fn append_to(&self, query: &mut String) {
        query.push_str(&self.0);
    }
}

impl fmt::Debug for QueryValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("QueryValue(redacted)")
    }
}

impl Digest {
    /// The digest of bytes that a caller presented.
    pub fn of(bytes: &[u8]) -> Self {
        let mut out = [0; 32];
        out.copy_from_slice(ring::digest::digest(&ring::digest::SHA256, bytes).as_ref());
        Self(out)
    }

    /// Makes it part of a wider hash, such as a table's version.
    pub fn add_to(&self, hash: &mut ring::digest::Context) {
        hash.update(&self.0);
    }

    /// Compares in constant time.
    pub fn matches(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Digest(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trims_the_newline_that_echo_adds() {
        let secret = Secret::new(b" sk-1\r\n").unwrap();
        assert_eq!(secret.header_value("Bearer ").unwrap().as_bytes(), b"Bearer sk-1");
    }

    #[test]
    fn refuses_what_would_split_a_header() {
        for bad in [&b"a\r\nb"[..], b"a\0b", b"a b", "schl\u{fc}ssel".as_bytes(), b"\xff"] {
            assert_eq!(Secret::new(bad).err(), Some(SecretError::NotHeaderSafe));
        }
        assert_eq!(Secret::new(b" \n").err(), Some(SecretError::Empty));
    }

    #[test]
    fn shows_nothing() {
        let secret = Secret::new(b"canary").unwrap();
        let shown = format!(
            "{secret:?} {:?} {:?} {:?}",
            secret.header_value("Bearer ").unwrap(),
            secret.query_value(),
            secret.digest(),
        );
        assert!(!shown.contains("canary"), "{shown}");
    }

    #[test]
    fn digests_tell_keys_apart() {
        let secret = Secret::new(b"canary").unwrap();
        assert!(secret.digest().matches(&Digest::of(b"canary")));
        assert!(!secret.digest().matches(&Digest::of(b"canarz")));
    }
}
