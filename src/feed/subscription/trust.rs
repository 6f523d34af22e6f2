//! Whom a sidecar believes to be its controller: the certificates of a file, and those that a
//! controller has told of since.
//!
//! The file of an injected pod is as old as the pod. A controller tells its CA with each stream,
//! the next one long before it is used: so a pod that lives for years still finds it. What was told
//! last counts, is remembered for as long as the process lives, and is kept in the cache's folder
//! for the next start. The file's certificates are believed all the time.

use std::cell::RefCell;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use http::HeaderMap;
use rustls::ClientConfig;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

use super::dial::small_file;
use crate::bundle::push::{self, MAX_AUTHORITIES};
use crate::feed::cache::Cache;
use crate::net::tls;

/// Whom we believe.
#[derive(Debug)]
pub struct Trust {
    file: PathBuf,
    cache: Option<Cache>,
    told: RefCell<Vec<u8>>,
}

/// A larger file is no CA bundle.
const MAX_FILE: u64 = 1 << 20;

// === impl Trust ===

impl Trust {
    /// The certificates of this file, and those that were kept in the cache.
    pub fn new(file: PathBuf, cache: Option<Cache>) -> Self {
        let kept = cache.as_ref().and_then(Cache::authorities);
        let told = kept.filter(|pem| believing(pem).is_ok()).unwrap_or_default();
        Self { file, cache, told: RefCell::new(told) }
    }

    pub(super) fn file(&self) -> &Path {
        &self.file
    }

    /// For the next connection.
    pub(super) fn config(&self) -> io::Result<ClientConfig> {
        let mut all = certificates(&small_file(&self.file, MAX_FILE)?)?;
        if let Ok(told) = certificates(&self.told.borrow()) {
            all.extend(told.into_iter().filter(|one| !all.contains(one)).collect::<Vec<_>>());
        }
        tls::trusting_only(&all).map_err(io::Error::other)
    }

    /// Takes what the head of a controller's answer tells.
    pub(super) fn hear(&self, head: &HeaderMap) {
        let Some(pem) = push::authorities(head) else { return };
        if pem.len() > MAX_AUTHORITIES || *self.told.borrow() == pem {
            return;
        }
        if self.told.borrow().is_empty() && self.is_in_file(&pem) {
            return;
        }
        if believing(&pem).is_err() {
            tracing::warn!("the controller tells a CA that cannot be read; it is passed over");
            return;
        }
        tracing::info!("the controller's CA is another one than was told before: it is believed");
        if let Some(Err(error)) = self.cache.as_ref().map(|cache| cache.keep_authorities(&pem)) {
            tracing::warn!(%error, "the controller's CA cannot be kept for a restart");
        }
        self.told.replace(pem);
    }

    /// As it is for as long as nothing has changed since the pod was made.
    fn is_in_file(&self, pem: &[u8]) -> bool {
        let file = small_file(&self.file, MAX_FILE).and_then(|pem| certificates(&pem));
        let (Ok(file), Ok(told)) = (file, certificates(pem)) else { return false };
        told.iter().all(|one| file.contains(one))
    }
}

fn believing(pem: &[u8]) -> io::Result<ClientConfig> {
    tls::trusting_only(&certificates(pem)?).map_err(io::Error::other)
}

fn certificates(pem: &[u8]) -> io::Result<Vec<CertificateDer<'static>>> {
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match certificates {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        _ => Err(io::Error::new(ErrorKind::InvalidData, "it holds no readable certificates")),
    }
}
