//! The Secret's content: a CA (the newest first, with its key) and a serving certificate.

use std::collections::BTreeMap;

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use zeroize::Zeroizing;

const AUTHORITIES: &str = "ca.crt";
const AUTHORITY_KEY: &str = "ca.key";
const CERTIFICATE: &str = "tls.crt";
const KEY: &str = "tls.key";

/// All in PEM. No `Debug`: it holds keys.
#[derive(Clone)]
pub(super) struct Material {
    /// The newest first; the others are trusted until they expire.
    pub(super) authorities: String,
    /// The newest one's.
    pub(super) authority_key: Zeroizing<String>,
    pub(super) certificate: String,
    pub(super) key: Zeroizing<String>,
}

// === impl Material ===

impl Material {
    /// What a Secret holds; `None` if anything is missing.
    pub(super) fn of(secret: &Secret) -> Option<Self> {
        let data = secret.data.as_ref()?;
        let text = |key: &str| String::from_utf8(data.get(key)?.0.clone()).ok();
        Some(Self {
            authorities: text(AUTHORITIES)?,
            authority_key: Zeroizing::new(text(AUTHORITY_KEY)?),
            certificate: text(CERTIFICATE)?,
            key: Zeroizing::new(text(KEY)?),
        })
    }

    /// Puts it into a Secret's data, beside what else is there.
    pub(super) fn put(&self, data: &mut BTreeMap<String, ByteString>) {
        let parts = [
            (AUTHORITIES, self.authorities.as_str()),
            (AUTHORITY_KEY, self.authority_key.as_str()),
            (CERTIFICATE, self.certificate.as_str()),
            (KEY, self.key.as_str()),
        ];
        for (name, text) in parts {
            data.insert(name.to_owned(), ByteString(text.as_bytes().to_vec()));
        }
    }
}
